"""rich's console, made safe for text from untrusted tables and files."""

from collections.abc import Iterable
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from chainrule.printable import printable


class Screen(Console):
    """A console that interprets no markup and no emoji codes, and prints no control characters.

    Strings are made printable before they are laid out, so that columns of tables stay aligned;
    other renderables, when they are drawn. Rich's own control sequences pass unchanged.
    """

    def __init__(self, error: bool = False) -> None:
        super().__init__(stderr=error, markup=False, emoji=False, highlight=False)

    def render_str(self, text: str, **styles: Any) -> Text:
        """Return a string as text for rich, made printable."""
        return super().render_str(printable(text), **styles)

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """Yield the segments to draw, made printable."""
        for piece in super().render(renderable, options):
            if piece.control:
                yield piece
            else:
                yield Segment(printable(piece.text, keep="\n"), piece.style)
