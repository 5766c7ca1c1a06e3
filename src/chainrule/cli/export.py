"""The command export."""

from pathlib import Path
from typing import Annotated

import typer

from chainrule.cli.options import ModelPath
from chainrule.cli.streams import say

_EXAMPLES = """Examples:

chainrule export run/model.safetensors model.onnx

chainrule export run/model.safetensors model.c --name price
"""


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command(epilog=_EXAMPLES)(export)


def export(
    model: ModelPath,
    out: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="Where to write: .onnx, .c, .py (NumPy), .safetensors (PyTorch) or .npz (Keras).",
        ),
    ],
    to: Annotated[
        str | None,
        typer.Option(
            metavar="TARGET",
            help="onnx, c, numpy, torch or keras; by default what the name of the file says.",
            show_default=False,
        ),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="What the functions of a C file begin with.", show_default=False
        ),
    ] = None,
) -> None:
    """Write a model as another program takes it: ONNX, C, NumPy, PyTorch or Keras.

    With ONNX, C and NumPy, what the table's columns become is inside: raw values in, predictions
    out.
    """
    from chainrule.exports import export as write
    from chainrule.files.outputs import check_outputs
    from chainrule.model.loader import load

    check_outputs([("FILE", out)], [("MODEL", model)])
    for path in write(load(model), out, to, name=name):
        say(f"Written: {path}")
