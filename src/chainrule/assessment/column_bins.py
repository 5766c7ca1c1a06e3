"""The bins in which the distribution of a column is counted, and compared later.

Bins are plain data, which a model file holds: numbers and times by deciles of the training rows,
categories by their names.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from chainrule.tables.kinds import Column
from chainrule.tables.kinds.category import category_text

if TYPE_CHECKING:
    import polars as pl

_BINS = 10
_NAMED = 20
"""Number of categories with a separate bin; the others share one bin."""
_KNOWN = 200
"""Number of categories whose names are stored, so that unknown categories are recognised."""
_LONGEST = 60


@dataclass(frozen=True)
class Counts:
    """The rows of a table in the bins of a column.

    Parameters
    ----------
    bins : tuple of int
        The rows in each bin; for categories, the last bin is that of all others.
    missing : int
        The rows without a value.
    outside : int
        The rows whose value is outside the range of the training rows, or an unknown category.
    examples : tuple of str
        The most frequent of these categories.
    """

    bins: tuple[int, ...]
    missing: int
    outside: int = 0
    examples: tuple[str, ...] = ()

    @property
    def rows(self) -> int:
        """The number of rows."""
        return sum(self.bins) + self.missing


@dataclass(frozen=True)
class Bins:
    """The bins of a column, and the training rows in them.

    Parameters
    ----------
    kind : {"numbers", "times", "categories"}
    edges : tuple of float
        The upper ends of all bins but the last, which has none; empty for categories.
    span : tuple of float
        The smallest and the largest training value; empty for categories.
    shown : tuple of str
        The same as text, for messages.
    known : tuple of str
        The categories of the training rows, the most frequent first; those with a bin come first.
    more : int
        The number of further categories, whose names are not kept.
    counts : tuple of int
    missing : int
        The training rows in each bin, and those without a value.
    """

    kind: str
    edges: tuple[float, ...]
    span: tuple[float, ...]
    shown: tuple[str, ...]
    known: tuple[str, ...]
    more: int
    counts: tuple[int, ...]
    missing: int

    @classmethod
    def of_numbers(cls, values: NDArray[np.float64], kind: str = "numbers") -> Self:
        """Return the bins of training values; NaN where one is missing."""
        present = values[np.isfinite(values)]
        if not len(present):
            return cls(kind, (), (), (), (), 0, (0,), len(values))
        distinct = np.unique(present)
        if len(distinct) <= _BINS:
            edges = distinct[:-1]
        else:
            # Each decile is a value, so that equal values are in one bin.
            shares = np.arange(1, _BINS) / _BINS
            edges = np.unique(np.quantile(present, shares, method="inverted_cdf"))
            edges = edges[edges < distinct[-1]]
        span = (float(distinct[0]), float(distinct[-1]))
        shown = tuple(f"{one:.6g}" for one in span)
        bins = cls(kind, tuple(edges.tolist()), span, shown, (), 0, (), 0)
        found = bins.count_numbers(values)
        return cls(kind, bins.edges, span, shown, (), 0, found.bins, found.missing)

    @classmethod
    def of_texts(cls, values: "pl.Series") -> Self:
        """Return the bins of training categories."""
        tally = Counter({str(value)[:_LONGEST]: n for value, n in _tally(values).items()})
        ordered = sorted(tally, key=lambda name: (-tally[name], name))
        known = tuple(ordered[:_KNOWN])
        bins = cls("categories", (), (), (), known, len(ordered) - len(known), (), 0)
        found = bins.count_texts(values)
        return cls("categories", (), (), (), known, bins.more, found.bins, found.missing)

    @classmethod
    def of_column(cls, column: Column, values: "pl.Series") -> Self:
        """Return the bins of a column of the training rows, as the model's encoder reads it."""
        if column.is_categorical or column.kind == "boolean":
            return cls.of_texts(_texts(column, values))
        kind = "times" if values.dtype.is_temporal() else "numbers"
        bins = cls.of_numbers(_numbers(values), kind)
        if kind == "times" and bins.span:
            shown = (str(values.min()), str(values.max()))
            return cls(**{**vars(bins), "shown": shown})
        return bins

    def count(self, column: Column, values: "pl.Series") -> Counts:
        """Return the rows of another table in the bins."""
        if self.kind == "categories":
            return self.count_texts(_texts(column, values))
        return self.count_numbers(_numbers(values))

    def count_numbers(self, values: NDArray[np.float64]) -> Counts:
        """Return the rows of numbers in the bins; NaN where one is missing."""
        present = values[np.isfinite(values)]
        places = np.searchsorted(np.array(self.edges), present)
        bins = np.bincount(places, minlength=len(self.edges) + 1)
        outside = 0
        if self.span:
            outside = int(((present < self.span[0]) | (present > self.span[1])).sum())
        return Counts(tuple(bins.tolist()), len(values) - len(present), outside)

    def count_texts(self, values: "pl.Series") -> Counts:
        """Return the rows of categories in the bins."""
        tally = _tally(values)
        named = {name: place for place, name in enumerate(self.known[:_NAMED])}
        known = set(self.known)
        bins = [0] * (len(named) + 1)
        unknown = Counter[str]()
        for value, rows in tally.items():
            name = value[:_LONGEST]
            bins[named.get(name, -1)] += rows
            if name not in known:
                unknown[name] += rows
        if self.more:  # the names of some known categories are not kept
            unknown.clear()
        examples = sorted(unknown, key=lambda name: (-unknown[name], name))[:3]
        return Counts(tuple(bins), values.null_count(), unknown.total(), tuple(examples))

    @property
    def training(self) -> Counts:
        """The training rows in the bins."""
        return Counts(self.counts, self.missing)

    def to_json(self) -> dict[str, Any]:
        """Return plain data."""
        return asdict(self)

    @classmethod
    def from_json(cls, entry: Mapping[str, Any]) -> Self:
        """Build bins from the result of `to_json`; raise ValueError if the entry is invalid."""
        lists = {"edges": float, "span": float, "shown": str, "known": str, "counts": int}
        if not isinstance(entry, Mapping) or set(entry) != {*lists, "kind", "more", "missing"}:
            raise ValueError("bins have unexpected entries")
        for name, kind in lists.items():
            values = entry[name]
            good = isinstance(values, list | tuple) and all(_is(kind, one) for one in values)
            if not good:
                raise ValueError(f"{name} of bins has the wrong type")
        whole = (entry["more"], entry["missing"], *entry["counts"])
        if not all(type(one) is int and one >= 0 for one in whole):
            raise ValueError("a count of bins is not a whole number of rows")
        bins = cls(**{**entry, **{name: tuple(entry[name]) for name in lists}})
        width = len(bins.edges) + 1
        if bins.kind == "categories":
            width = len(bins.known[:_NAMED]) + 1
        rising = all(low < high for low, high in zip(bins.edges, bins.edges[1:], strict=False))
        if bins.kind not in ("numbers", "times", "categories") or len(bins.counts) != width:
            raise ValueError("the kind and the counts of bins do not fit")
        if not rising or len(bins.span) not in (0, 2) or len(bins.shown) != len(bins.span):
            raise ValueError("the edges of bins do not rise")
        return bins


def _is(kind: type, value: object) -> bool:
    if kind is float:
        return type(value) in (int, float) and bool(np.isfinite(value))  # type: ignore[call-overload]
    return type(value) is kind


def _tally(values: "pl.Series") -> dict[str, int]:
    counted = values.drop_nulls().alias("value").value_counts(name="rows")
    return {str(value): int(rows) for value, rows in counted.iter_rows()}


def _texts(column: Column, values: "pl.Series") -> "pl.Series":
    import polars as pl

    if values.dtype == pl.Boolean:
        return values.cast(pl.String)
    return category_text(column.notation.read_all(values)[0])


def _numbers(values: "pl.Series") -> NDArray[np.float64]:
    import polars as pl

    if values.dtype.is_temporal():
        if values.dtype == pl.Date:
            values = values.cast(pl.Datetime("us"))
        elif isinstance(values.dtype, pl.Datetime):
            values = values.dt.cast_time_unit("us")
        values = values.to_physical()
    return np.asarray(values.cast(pl.Float64).to_numpy(), np.float64)
