"""Location and spread of a column of numbers, over the values that are not missing."""

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from chainrule.tables.columns import infinite_error

if TYPE_CHECKING:
    import polars as pl


class Spread(NamedTuple):
    """Statistics of one column."""

    present: int
    """The number of values that are not missing; if it is 0, the other fields mean nothing."""
    low: float
    high: float
    mean: float
    std: float
    """Exactly 0 if all values are equal, else above 0."""
    median: float | None
    quartiles: float | None
    """The interquartile range."""


def numbers_of(values: "pl.Series") -> "pl.Series":
    """Return numbers, or durations in seconds, as float64; null or NaN where missing."""
    import polars as pl

    if values.dtype == pl.Float64:
        return values
    if isinstance(values.dtype, pl.Duration):
        return values.dt.total_microseconds().cast(pl.Float64) / 1e6
    return values.cast(pl.Float64)


def spread_of(column: "pl.Series", *, robust: bool) -> Spread:
    """Return the statistics of a column of numbers or durations; medians only if `robust`.

    Each column is summed alone and in one piece. A query over the whole table would divide the
    sums among polars' threads: their last bits would depend on the machine, and vary between runs.

    Raises
    ------
    InvalidTableError
        If a value is infinite; the message names column and row.
    """
    values = numbers_of(column).rechunk()
    mean: Any = values.mean()  # polars says of every statistic that it may be of any type
    if mean is not None and np.isnan(mean):
        values = values.fill_nan(None)
        mean = values.mean()
    if mean is None:
        return Spread(0, 0.0, 0.0, 0.0, 0.0, None, None)
    low: Any = values.min()
    high: Any = values.max()
    std: Any = values.std(ddof=0)
    if not (np.isfinite(low) and np.isfinite(high)):
        raise infinite_error(column)
    if low == high:
        # The mean of equal values, without the rounding of a sum.
        mean, std = low, 0.0
    elif not np.isfinite(mean) or not np.isfinite(std) or std < 1e-150:
        mean, std = _careful(values, max(abs(low), abs(high)))
    median = quartiles = None
    if robust:
        quantiles: Any = [values.quantile(q, interpolation="linear") for q in (0.25, 0.5, 0.75)]
        median, quartiles = quantiles[1], quantiles[2] - quantiles[0]
    return Spread(values.count(), low, high, mean, std, median, quartiles)


def _careful(column: "pl.Series", largest: float) -> tuple[float, float]:
    """Return mean and standard deviation of values whose squares overflow or vanish."""
    values = column.drop_nulls().to_numpy()
    scaled = values / largest
    return float(scaled.mean() * largest), float(scaled.std() * largest)
