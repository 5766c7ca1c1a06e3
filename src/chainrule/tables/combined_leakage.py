"""Columns that leak the target together: a few of them predict it almost exactly, but none alone.

An arrival's delay is the difference of two times of day, a total is a price times a quantity, and
"passed" is a sum of marks above a limit. Three kinds of relations are tried on a sample of rows,
each fitted on one half of it and scored on the other:

- sums and differences (linear in the columns), with times of day such as 1435 read as minutes;
- products and ratios (linear in logarithms);
- of classes, all combinations of the values of two columns.

Legitimate predictors do not reach the limits: of well-known tables the best three columns reach a
squared rank correlation of 0.88 (flight delays, from the departure's delay and the time in the
air), 0.63 (California housing), and an area under the ROC curve of 0.991 (WDBC).
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import combinations
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from chainrule.tables.leakage import ClassJudge, Floats, area_of, bins_of, ranks_of, sampled
from chainrule.tables.task import Task

if TYPE_CHECKING:
    import polars as pl

# Exact relations reach 0.998 and more, even with rounded values.
_LEAST_R2, _LEAST_AREA, _LEAST_SKILL = 0.99, 0.999, 0.99
_LEAST_FIT = 0.2
# Below this, few columns can separate the classes of a sample by chance.
_LEAST_ROWS = 200
_MOST_COLUMNS, _BEAM, _MOST_FEATURES = 5, 40, 500
_MOST_ROWS, _MOST_PAIRED = 5_000, 24
_MOST_LEAKS = 3
_DAY = 24 * 60


class CombinedLeak(NamedTuple):
    """Columns that together predict the target, and none of them alone."""

    columns: tuple[str, ...]
    score: float
    sentence: str


class _Feature(NamedTuple):
    """A column, or the difference of two columns of times of day, as numbers."""

    columns: tuple[str, ...]
    values: Floats


def combined_leaks(
    table: "pl.DataFrame", target: "pl.Series", task: Task, known: Sequence[str] = ()
) -> tuple[CombinedLeak, ...]:
    """Return sets of columns that together predict the target almost exactly.

    Parameters
    ----------
    table : polars.DataFrame
        The rows to train with, without the target.
    target : polars.Series
    task : {"classification", "regression"}
    known : sequence of str
        Columns that do so alone; they are left out.

    Examples
    --------
    >>> import numpy as np, polars as pl
    >>> from chainrule.tables.combined_leakage import combined_leaks
    >>> price, quantity = np.random.default_rng(0).uniform(1, 9, (2, 300))
    >>> table = pl.DataFrame({"price": price, "quantity": quantity, "day": np.arange(300) % 31})
    >>> [leak.columns for leak in combined_leaks(table, pl.Series(price * quantity), "regression")]
    [('price', 'quantity')]
    """
    from threadpoolctl import threadpool_limits

    rows = sampled(target, table.width, most=_MOST_ROWS)
    if len(rows) < _LEAST_ROWS:
        return ()
    table, target = table[rows].drop(known), target[rows]
    random = np.random.default_rng(0)
    first = np.zeros(len(rows), bool)
    first[random.permutation(len(rows))[::2]] = True
    with threadpool_limits(1):  # the same bits with any number of threads
        if task == "regression":
            values, measure = np.asarray(target.to_numpy(), np.float64), "R² of ranks {:.4f}"
            found = _of_values(_features(table), values, first)
        else:
            judge = ClassJudge(target, first)
            measure = (
                "ROC AUC {:.4f}" if judge.binary else "{:.1%} fewer errors than a constant guess"
            )
            found = _of_classes(table, judge, first)
    return tuple(
        CombinedLeak(columns, score, _sentence(columns, target.name, how, measure.format(score)))
        for columns, score, how in found
    )


_Found = tuple[tuple[str, ...], float, str]


def _of_values(features: list[_Feature], y: Floats, first: NDArray[np.bool_]) -> list[_Found]:
    if np.ptp(y) == 0:
        return []
    found = _sets(features, y, first, _ranks_fit, _LEAST_R2, "as a sum or difference")
    there = y != 0  # zeros have no logarithm
    if 2 * there.sum() > len(y):
        logarithms = [
            one._replace(values=_logarithm(one.values[there]))
            for one in features
            if len(one.columns) == 1 and np.mean(one.values[there] != 0) > 0.9
        ]
        of_y, half = _logarithm(y[there]), first[there]
        found += _sets(logarithms, of_y, half, _ranks_fit, _LEAST_R2, "as a product or ratio")
    unique = {columns: (columns, reached, how) for columns, reached, how in reversed(found)}
    return sorted(unique.values(), key=lambda one: (len(one[0]), -one[1]))[:_MOST_LEAKS]


def _ranks_fit(y: Floats, predicted: Floats) -> float:
    """Return the squared correlation of the ranks, on which outliers have little influence."""
    if np.ptp(y) == 0 or np.ptp(predicted) == 0:
        return 0.0
    return float(np.corrcoef(ranks_of(y), ranks_of(predicted))[0, 1] ** 2)


def _of_classes(table: "pl.DataFrame", judge: ClassJudge, first: NDArray[np.bool_]) -> list[_Found]:
    least = _LEAST_AREA if judge.binary else _LEAST_SKILL
    columns = [one for one in table.iter_columns() if not one.dtype.is_nested()]
    coded = {one.name: bins_of(one, most=24)[0] for one in columns}
    alone = {name: judge.score(codes, None) for name, codes in coded.items()}
    names = sorted(alone, key=lambda name: -alone[name])[:_MOST_PAIRED]
    found: list[_Found] = []
    for one, other in combinations(sorted(names, key=table.columns.index), 2):
        _, codes = np.unique(
            coded[one] * (coded[other].max() + 1) + coded[other], return_inverse=True
        )
        reached = judge.score(codes.astype(np.intp), None)
        # A column that does so almost alone needs no other.
        if reached >= least and max(alone[one], alone[other]) < least:
            found.append(((one, other), reached, "by their combinations"))
    if judge.binary and not found:
        y = judge.members[:, 1]
        found = _sets(_features(table), y, first, area_of, least, "by a weighted sum")
    return sorted(found, key=lambda one: -one[1])[:_MOST_LEAKS]


def _sets(
    features: list[_Feature],
    y: Floats,
    first: NDArray[np.bool_],
    score: Callable[[Floats, Floats], float],
    least: float,
    how: str,
) -> list[_Found]:
    """Return smallest sets of columns whose linear fit reaches a score on the other half.

    After a set was found, each of its columns is left out in turn, since more may leak.
    """
    found: list[_Found] = []
    waiting: list[frozenset[str]] = [frozenset()]
    tried: set[frozenset[str]] = set()
    while waiting and len(found) < _MOST_LEAKS:
        without = waiting.pop(0)
        if without in tried or len(without) > 2:
            continue
        tried.add(without)
        rest = [one for one in features if not without & set(one.columns)]
        columns, reached = _smallest(rest, y, first, score, least)
        if columns and all(columns != before for before, _, _ in found):
            if len(columns) > 1:
                found.append((columns, reached, how))
            waiting += [without | {name} for name in columns]
    return found


def _smallest(
    features: list[_Feature],
    y: Floats,
    first: NDArray[np.bool_],
    score: Callable[[Floats, Floats], float],
    least: float,
) -> tuple[tuple[str, ...], float]:
    """Return the smallest set of columns that reaches a score, and its score; or none."""
    if not features:
        return (), 0.0
    X = np.column_stack([one.values for one in features])
    X, y = X / np.abs(X).max(axis=0), y / np.abs(y).max()  # squares of huge values would overflow
    Z = (X - X[first].mean(axis=0)) / np.maximum(X[first].std(axis=0), 1e-300)
    centred = y - y[first].mean()
    n = int(first.sum())
    gram = np.tensordot(Z[first], Z[first], (0, 0)) / n
    against = (
        np.tensordot(Z[first], centred[first], (0, 0))
        / n
        / max(float(centred[first].std()), 1e-300)
    )
    # What all columns together do not reach by far, no few of them reach.
    weights = np.linalg.lstsq(gram + 1e-9 * np.eye(len(gram)), against, rcond=None)[0]
    if float(against @ weights) < _LEAST_FIT:
        return (), 0.0
    for subsets in _beam(gram, against):
        best: tuple[tuple[str, ...], float] = (), 0.0
        for subset in subsets[:4]:
            chosen = list(subset)
            weights, *_ = np.linalg.lstsq(Z[first][:, chosen], centred[first], rcond=None)
            reached = score(y[~first], Z[~first][:, chosen] @ weights)
            columns = tuple(sorted({name for at in subset for name in features[at].columns}))
            if reached >= least and (
                not best[0] or (len(columns), -reached) < (len(best[0]), -best[1])
            ):
                best = columns, reached
        if best[0]:
            return best
    return (), 0.0


def _beam(gram: Floats, against: Floats) -> Iterator[list[tuple[int, ...]]]:
    """Yield the subsets of 1, 2, … features with the best linear fits, by their correlations.

    All pairs are tried: the difference of two columns may correlate with neither of them. Larger
    subsets extend the best ones.
    """
    p = len(against)
    yield [(int(at),) for at in np.argsort(-np.square(against), kind="stable")]
    rest = 1 - np.square(gram)
    both = np.square(against)[:, np.newaxis] + np.square(against)
    fits = (both - 2 * np.outer(against, against) * gram) / np.where(rest > 1e-9, rest, np.inf)
    rows, columns = np.triu_indices(p, 1)
    order = np.argsort(-fits[rows, columns], kind="stable")[:_BEAM]
    beam = [(int(rows[at]), int(columns[at])) for at in order]
    yield list(beam)
    wider: list[tuple[int, ...]] = list(beam)
    for _ in range(3, _MOST_COLUMNS + 1):
        gains: dict[tuple[int, ...], float] = {}
        for subset in wider:
            inside = list(subset)
            among = np.linalg.pinv(gram[np.ix_(inside, inside)], hermitian=True)
            fit = float(against[inside] @ among @ against[inside])
            left = 1 - np.einsum("ip,ij,jp->p", gram[inside], among, gram[inside])
            more = np.square(against - against[inside] @ among @ gram[inside])
            total = np.where(left > 1e-9, fit + more / np.maximum(left, 1e-9), 0.0)
            for at in np.argsort(-total, kind="stable")[:8]:
                if total[at] > 0:
                    gains[tuple(sorted((*subset, int(at))))] = float(total[at])
        wider = sorted(gains, key=lambda one: (-gains[one], one))[:_BEAM]
        if not wider:
            return
        yield list(wider)


def _features(table: "pl.DataFrame") -> list[_Feature]:
    """Return the columns of numbers and times, and the differences of times of day, of a table."""
    features, clocks = [], []
    for name, values in _numbers(table):
        present = values[np.isfinite(values)]
        if 2 * len(present) < len(values) or np.ptp(present) == 0:
            continue
        if _is_clock(present):
            minutes = np.floor(values / 100) * 60 + values % 100
            clocks.append((name, minutes))
            features.append(_Feature((name,), _filled(minutes)))
        features.append(_Feature((name,), _filled(values)))
    for (one, its), (other, minutes) in combinations(clocks[:8], 2):
        # The nearest day: 10 minutes past midnight is 20 minutes after 23:50.
        apart = (its - minutes + _DAY / 2) % _DAY - _DAY / 2
        features.append(_Feature((one, other), _filled(apart)))
    return features[:_MOST_FEATURES]


def _numbers(table: "pl.DataFrame") -> Iterable[tuple[str, Floats]]:
    import polars as pl

    for column in table.iter_columns():
        dtype = column.dtype
        if dtype.is_temporal():
            column = column.to_physical()
        elif not (dtype.is_numeric() or dtype == pl.Boolean):
            continue
        values = column.cast(pl.Float64).fill_null(np.nan).to_numpy()
        yield column.name, np.asarray(values, np.float64)


def _is_clock(values: Floats) -> bool:
    """Return whether numbers are times of day in the form hhmm: 5, 1435, 2359."""
    whole = bool(np.all(values == np.floor(values)))
    within = values.min() >= 0 and 1000 <= values.max() <= 2400
    return whole and bool(within) and bool(np.all(values % 100 < 60))


def _filled(values: Floats) -> Floats:
    present = np.isfinite(values)
    return np.where(present, values, values[present].mean())


def _logarithm(values: Floats) -> Floats:
    """Return ln |values|; zeros, which have none, get the mean of the others."""
    there = values != 0
    logarithms = np.log(np.abs(np.where(there, values, 1.0)))
    return np.where(there, logarithms, logarithms[there].mean())


def _sentence(columns: tuple[str, ...], target: str, how: str, measured: str) -> str:
    names = ", ".join(map(repr, columns[:-1])) + f" and {columns[-1]!r}"
    return (
        f"columns {names} together predict {target!r} almost exactly ({how}: {measured}); leave "
        f"out those that are known only after {target!r}; if all are known before it, they may be "
        "legitimate, and a formula may be better than a network"
    )
