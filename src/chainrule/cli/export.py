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
            help="Output file: .onnx, .c, .py (NumPy), .safetensors (PyTorch) or .npz (Keras).",
        ),
    ],
    to: Annotated[
        str | None,
        typer.Option(
            metavar="TARGET",
            help="onnx, c, numpy, torch or keras; by default from the suffix of FILE.",
            show_default=False,
        ),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="Prefix of the functions in a C file.", show_default=False
        ),
    ] = None,
    interval: Annotated[
        float | None,
        typer.Option(
            metavar="COVERAGE",
            help="The file also returns prediction intervals, or prediction sets for classes, "
            "with this coverage, such as 0.9. For ONNX, C and NumPy.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Write a model in another program's format: ONNX, C, NumPy, PyTorch or Keras.

    ONNX, C and NumPy files include the encoding of the table's columns: they take raw values and
    return predictions.
    """
    from chainrule.exports import export as write
    from chainrule.files.outputs import check_outputs
    from chainrule.runs.loader import load

    check_outputs([("FILE", out)], [("MODEL", model)])
    for path in write(load(model), out, to, name=name, interval=interval):
        say(f"Written: {path}")
