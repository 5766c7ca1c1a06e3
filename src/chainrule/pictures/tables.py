"""Tables of numbers as text for a terminal, as HTML for a notebook, and as a figure."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from chainrule.pictures.canvas import INK, blank, quiet_fonts, shortened
from chainrule.pictures.picture import WIDTH, Picture, wrapped
from chainrule.printable import printable

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_LINE, _LETTER = 0.19, 0.092
"""Height of a line and width of a letter in a figure, in inches."""


@dataclass(frozen=True)
class TextTable:
    """A table whose text fits into 80 columns: its widest column of names is cut as needed.

    Parameters
    ----------
    columns : tuple of str
        The names of the columns; those that begin with ">" are aligned to the right.
    rows : tuple of tuples of str
    flexible : int
        The index of the column that may be cut.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    flexible: int = 0

    def to_text(self) -> str:
        """Return the table as lines of at most 80 columns."""
        lines = [self._header(), *self._cells()]
        widths = [max(len(cell) for cell in column) for column in zip(*lines, strict=True)]
        left = WIDTH - sum(widths) - 2 * (len(widths) - 1)
        widths[self.flexible] = max(8, widths[self.flexible] + min(0, left))
        lines.insert(1, tuple("─" * width for width in widths))
        return "\n".join(
            "  ".join(
                shortened(cell, width).rjust(width)
                if name.startswith(">")
                else shortened(cell, width).ljust(width)
                for cell, width, name in zip(line, widths, self.columns, strict=True)
            ).rstrip()
            for line in lines
        )

    def to_html(self) -> str:
        """Return the table as HTML, all of its texts escaped."""

        def cells(tag: str, values: Sequence[str]) -> str:
            return "".join(
                f"<{tag} style='text-align:{'right' if name.startswith('>') else 'left'}'>"
                f"{escape(value)}</{tag}>"
                for value, name in zip(values, self.columns, strict=True)
            )

        head = cells("th", self._header())
        body = "".join(f"<tr>{cells('td', row)}</tr>" for row in self._cells())
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"

    def _header(self) -> tuple[str, ...]:
        return tuple(printable(name.removeprefix(">")) for name in self.columns)

    def _cells(self) -> list[tuple[str, ...]]:
        return [tuple(printable(cell) for cell in row) for row in self.rows]


class Tables(Picture):
    """Tables and sentences that notebooks and terminals show; ``.figure()`` draws their text."""

    def __init__(self, parts: Sequence[TextTable | str]) -> None:
        self.parts = tuple(
            part if isinstance(part, TextTable) else printable(part) for part in parts
        )
        text = "\n".join(
            wrapped(part) if isinstance(part, str) else f"{part.to_text()}\n" for part in self.parts
        )
        super().__init__(lambda: _figure(text), text.rstrip("\n"), "A table")

    def _repr_html_(self) -> str:
        return "".join(
            f"<p>{escape(part)}</p>" if isinstance(part, str) else part.to_html()
            for part in self.parts
        )


def _figure(text: str) -> "Figure":
    lines = text.rstrip("\n").splitlines()
    width, height = _LETTER * max(map(len, lines)) + 0.4, _LINE * len(lines) + 0.4
    figure = blank(width, height)
    with quiet_fonts():
        for number, line in enumerate(lines):
            figure.text(
                0.2 / width,
                1 - (0.2 + _LINE * (number + 0.8)) / height,
                line,
                family="monospace",
                fontsize=11,
                color=INK,
                parse_math=False,
            )
    return figure
