"""Lines of numbers as a chart of letters, for a terminal."""

import math
from collections.abc import Mapping, Sequence

_WIDTH, _HEIGHT = 64, 12
_LETTERS = "·oxa"
_MARGIN = 11


def text_chart(
    across: Sequence[float],
    series: Mapping[str, Sequence[float]],
    x_label: str,
    *,
    logarithmic: bool = False,
    logarithmic_across: bool = False,
) -> str:
    """Return a chart of at most 80 columns, each series drawn with a letter of its own.

    Parameters
    ----------
    across : sequence of float
        The x coordinates, ascending.
    series : mapping of str to sequence of float
        Names and y coordinates of at most four series; values that are not finite are left out.
    x_label : str
    logarithmic, logarithmic_across : bool
        Whether the y axis and the x axis are logarithmic; their values are then positive.

    Examples
    --------
    >>> print(text_chart([1, 2, 3], {"loss": [3.0, 2.0, 1.0]}, "epoch").splitlines()[-1])
                · loss
    """
    up = [value for line in series.values() for value in line if math.isfinite(value)]
    if not up:
        return "(no finite numbers to draw)"
    low, high = min(up), max(up)
    first, last = across[0], across[-1]
    cells = [[" "] * _WIDTH for _ in range(_HEIGHT)]
    for letter, line in zip(_LETTERS, series.values(), strict=False):
        for x, y in zip(across, line, strict=True):
            if math.isfinite(y):
                column = _place(x, first, last, _WIDTH, logarithmic_across)
                row = _place(y, low, high, _HEIGHT, logarithmic)
                cells[_HEIGHT - 1 - row][column] = letter
    lines = [f"{'':>{_MARGIN}}│{''.join(row)}".rstrip() for row in cells]
    lines[0] = f"{high:>{_MARGIN}.4g}" + lines[0][_MARGIN:]
    lines[-1] = f"{low:>{_MARGIN}.4g}" + lines[-1][_MARGIN:]
    lines.append(f"{'':>{_MARGIN}}└{'─' * _WIDTH}")
    ends = f"{first:.4g}", f"{last:.4g}"
    between = f"{x_label:^{max(len(x_label), _WIDTH - sum(map(len, ends)))}}"
    lines.append(f"{'':>{_MARGIN + 1}}{ends[0]}{between}{ends[1]}")
    names = [f"{letter} {name}" for letter, name in zip(_LETTERS, series, strict=False)]
    lines.append(f"{'':>{_MARGIN + 1}}{'   '.join(names)}")
    return "\n".join(lines)


def _place(value: float, low: float, high: float, places: int, logarithmic: bool) -> int:
    """Return the cell of a value, from 0 to places − 1."""
    if low == high:
        return 0
    if logarithmic:
        value, low, high = math.log(value), math.log(low), math.log(high)
    return min(places - 1, max(0, int((value - low) / (high - low) * (places - 1) + 0.5)))
