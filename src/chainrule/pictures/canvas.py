"""What all pictures share: their colours, their axes and how they are written to a file."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

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
_LARGE = 60_000
"""Bytes of a PNG from which on a WebP is smaller by far."""


def blank(width: float, height: float) -> "Figure":
    """Return a white figure of a size in inches.

    No global state is touched: pyplot is not imported, and matplotlib's backend and settings stay
    as they are.
    """
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), facecolor="white")


@contextmanager
def quiet_fonts() -> "Iterator[None]":
    """Draw letters that the font lacks as boxes, without a warning: a name may have any letter."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        yield


def write(figure: "Figure", path: str | Path) -> None:
    """Write a figure to a file, whole or not at all; the suffix determines the format."""
    with quiet_fonts(), atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=_DPI)


class EncodedImage(NamedTuple):
    """A figure as the bytes of an image, and their media type."""

    media_type: str
    content: bytes


def small_image(figure: "Figure") -> EncodedImage:
    """Return a figure as an image that a notebook can hold hundreds of.

    256 colours are enough for a chart. A drawing with thousands of translucent edges would still
    take megabytes as a PNG: it becomes a WebP, of a quality at which no loss can be seen.
    """
    from PIL import Image, features

    buffer = BytesIO()
    with quiet_fonts():
        figure.savefig(buffer, dpi=_DPI, format="png")
    with Image.open(buffer) as opened:
        image = opened.convert("RGB")
    small = BytesIO()
    method, dither = Image.Quantize.MEDIANCUT, Image.Dither.NONE
    image.quantize(256, method=method, dither=dither).save(small, "PNG", optimize=True)
    if small.tell() <= _LARGE or not features.check("webp"):
        return EncodedImage("image/png", small.getvalue())
    smaller = BytesIO()
    image.save(smaller, "WEBP", quality=80)
    return EncodedImage("image/webp", smaller.getvalue())


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
