"""rich's console, for texts that hold names of strangers."""

from collections.abc import Iterable
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from chainrule.printable import printable


class Screen(Console):
    """A console to which every text is text: no markup, no emoji codes, no control characters.

    A text is made printable before it is laid out, so that tables keep their columns; what did not
    come as a text, when it is drawn. What rich itself does with a terminal stays as it is.
    """

    def __init__(self, error: bool = False) -> None:
        super().__init__(stderr=error, markup=False, emoji=False, highlight=False)

    def render_str(self, text: str, **styles: Any) -> Text:
        """Return a text as rich lays it out."""
        return super().render_str(printable(text), **styles)

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """Return what is drawn, piece by piece."""
        for piece in super().render(renderable, options):
            if piece.control:
                yield piece
            else:
                yield Segment(printable(piece.text, keep="\n"), piece.style)
