"""A matrix as a heat map."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from chainrule.report.charts.plot import svg
from chainrule.report.markup import Html, coordinate, element

_WIDTH = 980.0

# The number on a shade must stay legible: the deepest shade is not the full colour, and from
# `DEEP_FROM` on the number is dark even on a dark page.
DEEPEST = 0.8
DEEP_FROM = 0.75
_LETTER = 6.6


def heat_map(
    shares: NDArray[np.float64],
    row_names: Sequence[str],
    column_names: Sequence[str],
    texts: Sequence[Sequence[str]],
    label: str,
    across: str,
    down: str,
) -> Html:
    """Return a heat map: each cell is shaded by its share and holds its text.

    Parameters
    ----------
    shares : array (rows, columns)
        From 0 to 1.
    row_names, column_names : sequences of str
    texts : sequence of sequences of str
        The text of each cell.
    label : str
        A description of the map in words, for screen readers.
    across, down : str
        Titles of the columns' and the rows' axis.
    """
    left = 30 + _LETTER * max(map(len, row_names))
    top = 34 + _LETTER * max(map(len, column_names))
    side = min(34.0, (_WIDTH - left) / len(column_names))
    size = min(12.0, side * 0.42)
    marks = [
        element(
            "text",
            across,
            x=left + side * len(column_names) / 2,
            y=14,
            text_anchor="middle",
            class_="label",
        ),
        element(
            "text",
            down,
            transform=f"translate(12 {coordinate(top + side * len(row_names) / 2)}) rotate(-90)",
            text_anchor="middle",
            class_="label",
        ),
    ]
    for column, name in enumerate(column_names):
        middle = coordinate(left + (column + 0.5) * side + 4)
        turned = f"translate({middle} {coordinate(top - 8)}) rotate(-90)"
        marks.append(element("text", name, transform=turned))
    for row, name in enumerate(row_names):
        y = top + row * side
        marks.append(element("text", name, x=left - 8, y=y + side / 2 + 4, text_anchor="end"))
        for column, share in enumerate(shares[row]):
            x = left + column * side
            kind = "network" if row == column else "validation"
            marks.append(
                element(
                    "rect",
                    x=x,
                    y=y,
                    width=side - 1,
                    height=side - 1,
                    class_=f"cell {kind}" if share > 0 else "cell empty",
                    fill_opacity=float(0.06 + (DEEPEST - 0.06) * share) if share > 0 else None,
                )
            )
            if texts[row][column]:
                marks.append(
                    element(
                        "text",
                        texts[row][column],
                        x=x + (side - 1) / 2,
                        y=y + side / 2 + size * 0.36,
                        text_anchor="middle",
                        font_size=size,
                        class_="on-strong" if share > DEEP_FROM else "on-weak",
                    )
                )
    width = left + side * len(column_names) + 10
    return svg(width, top + side * len(row_names) + 6, label, *marks)
