"""What all pictures share: their colours, their axes and how they are written to a file."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from chainrule.files.atomic import atomic_path
from chainrule.printable import printable

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# From the palette of Okabe and Ito, distinguishable with every kind of colour blindness.
BLUE = "#0072B2"
VERMILLION = "#D55E00"
INK = "#222222"
FAINT = "#8A8A8A"
GRID = "#E6E6E6"

_DPI = 160


@contextmanager
def picture(path: str | Path, width: float, height: float) -> "Iterator[Figure]":
    """Yield a white figure of a size in inches, and write it to `path` if the block succeeds.

    The file's suffix determines its format (png, svg, pdf). No global state is touched: pyplot is
    not imported, and matplotlib's backend and settings stay as they are.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), facecolor="white")
    with warnings.catch_warnings():
        # A name may have letters that the font lacks; they are drawn as boxes, without a warning.
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        yield figure
        with atomic_path(path) as temporary:
            figure.savefig(temporary, dpi=_DPI)


def plain_axes(axes: "Axes") -> None:
    """Reduce an axes to what carries meaning: two spines, a faint grid, small grey ticks."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(FAINT)
    axes.tick_params(colors=FAINT, labelcolor=INK, labelsize=9)
    axes.grid(True, color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)


def shortened(name: str, length: int) -> str:
    """Return a name on one line, cut to at most `length` characters."""
    name = printable(name)
    return name if len(name) <= length else f"{name[: length - 1]}…"
