"""What the columns of a table hold: missing values, distinct ones, distribution."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import polars as pl

_BINS = 24
_TOP = 5


@dataclass(frozen=True)
class Histogram:
    """Counts of values in bins of equal width."""

    edges: NDArray[np.float64]
    counts: NDArray[np.int64]


@dataclass(frozen=True)
class ColumnProfile:
    """One column of a table.

    Parameters
    ----------
    name : str
    dtype : str
        As polars names it.
    rows, missing, distinct : int
        Rows looked at, those without a value, and different values among the others.
    histogram : Histogram or None
        Of numbers, where there are any finite ones, and of dates and times.
    quartiles : tuple of float
        Smallest value, quartiles and largest value of numbers; empty else.
    top : tuple of (str, int)
        The most frequent values of what is neither numbers nor dates, with their rows.
    span : tuple of str
        The first and the last date or time; empty else.
    """

    name: str
    dtype: str
    rows: int
    missing: int
    distinct: int
    histogram: Histogram | None
    quartiles: tuple[float, ...]
    top: tuple[tuple[str, int], ...]
    span: tuple[str, ...] = ()


def profile(column: "pl.Series", *, as_categories: bool = False) -> ColumnProfile:
    """Return what a column holds.

    Parameters
    ----------
    column : polars.Series
    as_categories : bool
        Whether numbers only name something: their most frequent ones are then of interest.

    Examples
    --------
    >>> import polars as pl
    >>> from chainrule.assessment.profile import profile
    >>> profile(pl.Series("kind", ["a", "b", None, "a"])).top
    (('a', 2), ('b', 1))
    """
    import polars as pl

    dtype = column.dtype
    if dtype.is_float():
        column = column.fill_nan(None)
    present = column.drop_nulls()
    numeric = dtype.is_numeric() and not as_categories
    numbers = np.empty(0)
    if numeric:
        numbers = present.cast(pl.Float64).to_numpy()
        numbers = numbers[np.isfinite(numbers)]
    span: tuple[str, ...] = ()
    quartiles: tuple[float, ...] = ()
    if dtype.is_temporal() and len(present):
        span = (str(present.min()), str(present.max()))
        numbers = present.to_physical().cast(pl.Float64).to_numpy()
    elif len(numbers):
        quartiles = tuple(np.quantile(numbers, [0, 0.25, 0.5, 0.75, 1]).tolist())
    top: tuple[tuple[str, int], ...] = ()
    if not numeric and not dtype.is_temporal():
        # Sorted by text, too, so that equally frequent values always come in one order.
        counted = _as_text(present).alias("value").value_counts(name="rows")
        counted = counted.sort(["rows", "value"], descending=[True, False])
        top = tuple((str(value), int(rows)) for value, rows in counted.head(_TOP).iter_rows())
    return ColumnProfile(
        column.name,
        str(dtype),
        column.len(),
        column.null_count(),
        present.n_unique() if not isinstance(dtype, pl.List | pl.Struct | pl.Object) else 0,
        histogram(numbers) if len(numbers) else None,
        quartiles,
        top,
        span,
    )


def histogram(values: NDArray[np.floating], bins: int = _BINS) -> Histogram:
    """Return how many values lie in bins of equal width from the smallest to the largest.

    Whole numbers with few different values get one bin each.
    """
    low, high = float(values.min()), float(values.max())
    if low == high:
        edges = np.array([low - 0.5, low + 0.5])
    elif high - low < bins and bool((values == np.round(values)).all()):
        edges = np.arange(low - 0.5, high + 1)
    else:
        # In halves, because the range itself may be too large for a float.
        edges = 2 * np.linspace(low / 2, high / 2, bins + 1)
        edges = np.clip(edges, low, high)
    if not (np.diff(edges) > 0).all():  # so narrow that floats have no room for the edges
        edges = np.array([low, np.nextafter(high, np.inf)])
    counts = np.diff(np.searchsorted(np.sort(values), edges[1:-1], side="left"), prepend=0)
    counts = np.append(counts, len(values) - counts.sum())
    return Histogram(edges, counts)


def _as_text(column: "pl.Series") -> "pl.Series":
    import polars as pl

    if column.dtype == pl.String:
        return column
    if isinstance(column.dtype, pl.List | pl.Array | pl.Struct | pl.Object):
        return pl.Series(column.name, [str(value)[:80] for value in column])
    return column.cast(pl.String)
