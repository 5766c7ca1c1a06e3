"""The command animate: an animation of a run's training."""

from pathlib import Path
from typing import Annotated

import typer

from chainrule.cli.streams import say

_EXAMPLES = """Examples:

chainrule animate run learning.html

chainrule animate run learning.gif --seconds 6 --theme dark
"""

# Of Python's arguments, as the command line has them.
_NAMES = {"recording": "RUN", "path": "FILE"} | {
    name: f"--{name}" for name in ("seconds", "fps", "size", "theme", "table")
}


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command(epilog=_EXAMPLES)(animate)


def animate(
    run: Annotated[
        Path, typer.Argument(metavar="RUN", help="The folder of a run of chainrule train.")
    ],
    out: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="Output file: .gif, .mp4 (needs ffmpeg), or .html, a page with a slider.",
        ),
    ],
    seconds: Annotated[float, typer.Option(metavar="NUMBER", help="Duration in seconds.")] = 8.0,
    fps: Annotated[
        float | None,
        typer.Option(
            metavar="NUMBER",
            help="Frames per second; default: 12.5 for a GIF, 30 for an MP4, 25 for a page.",
            show_default=False,
        ),
    ] = None,
    size: Annotated[
        str | None,
        typer.Option(
            metavar="WIDTHxHEIGHT",
            help="Size in pixels; default: 800x520 for a GIF, 1600x1040 for an MP4.",
            show_default=False,
        ),
    ] = None,
    theme: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="light or dark; by default a page follows the reader's system, and images are "
            "light.",
            show_default=False,
        ),
    ] = None,
    table: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="The run's table, if it was moved since the run.",
            show_default=False,
        ),
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show nothing but errors.")] = False,
) -> None:
    """Show how the network of a run learned: weights, decision boundary, losses, gradients.

    The command trains the run again, which gives the same network to the bit.
    """
    from chainrule.errors import InvalidArgumentError
    from chainrule.runs.animation import animate as write

    pixels = None if size is None else _size(size)
    try:
        write(
            run,
            out,
            seconds=seconds,
            fps=fps,
            size=pixels,
            theme=theme,
            table=table,
            verbose=not quiet,
        )
    except InvalidArgumentError as error:
        name, colon, rest = str(error).partition(":")
        raise InvalidArgumentError(f"{_NAMES.get(name, name)}{colon}{rest}") from error
    if not quiet:
        say(f"Written: {out}")


def _size(text: str) -> tuple[int, int]:
    from chainrule.errors import InvalidArgumentError

    width, cross, height = text.lower().replace("×", "x").partition("x")
    if not (cross and width.isdecimal() and height.isdecimal()) or len(text) > 20:
        raise InvalidArgumentError(
            f"--size: expected a width and a height in pixels, such as 800x520; got {text[:40]!r}"
        )
    return int(width), int(height)
