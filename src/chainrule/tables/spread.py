"""Where the values of columns of numbers lie and how far they spread, missing ones apart."""

from collections.abc import Iterable, Iterator, Sequence
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

    if len(names) > _MOST_AT_ONCE:
        parts = [names[i : i + _MOST_AT_ONCE] for i in range(0, len(names), _MOST_AT_ONCE)]
        return {k: v for part in parts for k, v in spreads(table, part, robust=robust).items()}
    if not names:
        return {}
    schema = table.schema
    durations = [name for name in names if isinstance(schema[name], pl.Duration)]
    seconds = pl.col(durations).dt.total_microseconds().cast(pl.Float64) / 1e6
    values = pl.col(names).cast(pl.Float64).fill_nan(None)
    asked = {
        "present": values.count(),
        "low": values.min(),
        "high": values.max(),
        "mean": values.mean(),
        "std": values.std(ddof=0),
    }
    if robust:
        for key, share in (("median", 0.5), ("first", 0.25), ("third", 0.75)):
            asked[key] = values.quantile(share, interpolation="linear")
    # An expression for all columns is ready at once; one for each takes seconds where they are
    # ten thousand.
    lazy = table.lazy().with_columns(seconds) if durations else table.lazy()
    found = lazy.select(one.name.prefix(f"{key} ") for key, one in asked.items()).collect()
    rows = {key: found.select(pl.nth(range(*part))).row(0) for key, part in _parts(asked, names)}
    return {
        name: _spread(
            table, name, {key: rows[key][place] if key in rows else None for key in _KEYS}
        )
        for place, name in enumerate(names)
    }


def _parts(asked: Iterable[str], names: Sequence[str]) -> Iterator[tuple[str, tuple[int, int]]]:
    """Yield each statistic and from where to where its columns stand."""
    for place, key in enumerate(asked):
        yield key, (place * len(names), (place + 1) * len(names))


# Planning a query takes more than its share of time where there are many columns.
_MOST_AT_ONCE = 500
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
