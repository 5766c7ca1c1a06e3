"""A picture for notebooks, terminals and files, and as a matplotlib figure."""

import base64
import textwrap
from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from chainrule.pictures.canvas import small_image, write
from chainrule.printable import printable

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_PIXELS_AN_INCH = 96  # of a style sheet; the image has more, for screens with fine pixels

WIDTH = 80
"""The number of columns that a text fits into."""


class Picture:
    """A picture that a notebook shows as an image and a terminal as text.

    ``print(picture)`` shows the text, `figure` gives the figure, and `save` writes it to a file.
    Nothing is drawn before it is needed, and matplotlib's global state stays unchanged.
    """

    def __init__(self, draw: "Callable[[], Figure]", text: str, label: str) -> None:
        self._draw, self._text, self._label = draw, text, label

    def figure(self) -> "Figure":
        """Return the picture as a new matplotlib figure, which belongs to no window."""
        return self._draw()

    def save(self, path: str | Path) -> None:
        """Write the picture to a file, whole or not at all; an existing file is replaced.

        Parameters
        ----------
        path : str or Path
            The suffix determines the format: png, svg, pdf.

        Raises
        ------
        OSError
            If the file cannot be written; an existing file is then left unchanged.
        """
        write(self._draw(), path)

    def __str__(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return self._text

    def _repr_html_(self) -> str:
        figure = self._draw()
        width = round(_PIXELS_AN_INCH * figure.get_figwidth())
        image = small_image(figure)
        data = base64.b64encode(image.content).decode("ascii")
        # A sheet of its own with round corners: in a notebook with a dark theme, too.
        return (
            f'<img src="data:{image.media_type};base64,{data}" '
            f'alt="{escape(printable(self._label))}" '
            f'width="{width}" style="max-width:100%;height:auto;border-radius:8px">'
        )


def wrapped(text: str, width: int = WIDTH) -> str:
    """Return a text in lines of at most 80 characters."""
    return "\n".join(textwrap.wrap(printable(text), width, break_on_hyphens=False))
