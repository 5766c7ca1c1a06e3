"""Where the values of columns of numbers lie and how far they spread, missing ones apart."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from chainrule.tables.columns import infinite_error
from chainrule.tables.kinds.numeric import numbers_of

if TYPE_CHECKING:
    import polars as pl


class Spread(NamedTuple):
    """Statistics of one column."""

    present: int
    """How many values are not missing; the others are undefined where it is 0."""
    low: float
    high: float
    mean: float
    std: float
    """Exactly 0 where all values are equal, and above 0 elsewhere."""
    median: float | None
    quartiles: float | None
    """From the first to the third."""


def spreads(table: "pl.DataFrame", names: Sequence[str], *, robust: bool) -> dict[str, Spread]:
    """Return the statistics of columns; all in one query, which polars spreads over its threads.

    Raises
    ------
    InvalidTableError
        If a value is infinite; the message names column and row.
    """
    import polars as pl

    asked = []
    for place, name in enumerate(names):
        values = pl.col(name)
        if isinstance(table.schema[name], pl.Duration):
            values = values.dt.total_microseconds().cast(pl.Float64) / 1e6
        if table.schema[name].is_float():
            values = values.fill_nan(None)
        values = values.cast(pl.Float64)
        asked += [
            values.count().alias(f"{place} present"),
            values.min().alias(f"{place} low"),
            values.max().alias(f"{place} high"),
            values.mean().alias(f"{place} mean"),
            values.std(ddof=0).alias(f"{place} std"),
        ]
        if robust:
            asked += [
                values.quantile(share, interpolation="linear").alias(f"{place} {key}")
                for key, share in (("median", 0.5), ("first", 0.25), ("third", 0.75))
            ]
    if not asked:
        return {}
    found = table.select(asked).row(0, named=True)
    return {
        name: _spread(table, name, {key: found.get(f"{place} {key}") for key in _KEYS})
        for place, name in enumerate(names)
    }


_KEYS = ("present", "low", "high", "mean", "std", "median", "first", "third")


def _spread(table: "pl.DataFrame", name: str, found: dict[str, float | None]) -> Spread:
    present, low, high = found["present"], found["low"], found["high"]
    if not present:
        return Spread(0, 0.0, 0.0, 0.0, 0.0, None, None)
    assert low is not None
    assert high is not None
    if not (np.isfinite(low) and np.isfinite(high)):
        raise infinite_error(table[name])
    mean, std = found["mean"], found["std"]
    assert mean is not None
    assert std is not None
    if low == high:
        # Sums round; one value does not.
        mean, std = low, 0.0
    elif not np.isfinite(mean) or not np.isfinite(std) or std < 1e-150:
        mean, std = _careful(table[name], max(abs(low), abs(high)))
    median, first, third = found["median"], found["first"], found["third"]
    quartiles = None if first is None or third is None else third - first
    return Spread(int(present), low, high, mean, std, median, quartiles)


def _careful(column: "pl.Series", largest: float) -> tuple[float, float]:
    """Return mean and standard deviation of values whose squares overflow or vanish."""
    values = numbers_of(column).to_numpy()
    scaled = values[~np.isnan(values)] / largest
    return float(scaled.mean() * largest), float(scaled.std() * largest)
