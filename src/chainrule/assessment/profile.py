"""Profiles of a table's columns: missing and distinct values, and their distribution."""

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
        Its type's name in polars.
    rows, missing, distinct : int
        Number of rows, of those without a value, and of distinct values among the others.
    histogram : Histogram or None
        Histogram of finite numbers, or of dates and times; otherwise None.
    quartiles : tuple of float
        Minimum, quartiles and maximum of numbers; otherwise empty.
    top : tuple of (str, int)
        The most frequent values of other types, with their numbers of rows.
    span : tuple of str
        The first and the last date or time; otherwise empty.
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
    """Return the profile of a column.

    Parameters
    ----------
    column : polars.Series
    as_categories : bool
        Whether numbers are names of categories, whose most frequent values are listed.

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
        # Sorted by text, too, so that the order of equally frequent values is well defined.
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
    """Return a histogram in bins of equal width from the smallest value to the largest.

    Integers of a small range get one bin each.
    """
    low, high = float(values.min()), float(values.max())
    if low == high:
        edges = np.array([low - 0.5, low + 0.5])
    elif high - low < bins and bool((values == np.round(values)).all()):
        edges = np.arange(low - 0.5, high + 1)
    else:
        # Computed on halved values, because the range itself may overflow.
        edges = 2 * np.linspace(low / 2, high / 2, bins + 1)
        edges = np.clip(edges, low, high)
    if not (np.diff(edges) > 0).all():  # too narrow a range for distinct edges in floating point
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
