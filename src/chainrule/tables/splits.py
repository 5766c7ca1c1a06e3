"""Dividing the rows of a table into those to train, to validate and to test with."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from chainrule.checks import number_below_one
from chainrule.errors import InvalidArgumentError, InvalidTableError
from chainrule.network.random import Stream, generator
from chainrule.tables.columns import check_complete
from chainrule.tables.times import moments

LEAST_ROWS = 10

Rows = NDArray[np.intp]


class Split(NamedTuple):
    """Row numbers (from 0) of each part, ascending."""

    train: Rows
    validation: Rows
    test: Rows

    def among(self, indices: Rows) -> "Split":
        """Return the split of the rows at these ascending indices, renumbered from 0."""
        return Split(*(np.flatnonzero(np.isin(indices, part)) for part in self))


def split_rows(
    n_rows: int,
    classes: NDArray[Any] | None = None,
    *,
    seed: int = 0,
    validation: float = 0.16,
    test: float = 0.2,
    groups: Any = None,
    times: Any = None,
) -> Split:
    """Divide rows: at random, by group, or by time.

    Parameters
    ----------
    n_rows : int
    classes : array (n_rows,), optional
        The class of each row. A random split is stratified: every part gets the same share of
        every class, up to rounding, and every class has a row in the training part. The only row of
        a class is in the training part.
    seed : int
    validation, test : float
        Shares of all rows; the rest is to train with. A part with a share of 0 is empty.
    groups : array or polars.Series (n_rows,), optional
        The group of each row (a patient, a customer): all rows of a group go to one part, so that
        the test measures the model on groups that it has not seen.
    times : array or polars.Series (n_rows,), optional
        The time of each row: the last rows are the test part, those before them the validation
        part, and the first the training part, so that the test measures the model on later data.
        Rows of the same time stay together.

    Returns
    -------
    Split

    Raises
    ------
    InvalidTableError
        If there are fewer than 10 rows, or too few of different groups, times or classes.
    InvalidArgumentError
        If a share is invalid, or both groups and times are given.

    Examples
    --------
    >>> from chainrule.tables.splits import split_rows
    >>> split = split_rows(10, times=[3, 1, 4, 0, 5, 9, 2, 6, 8, 7], validation=0.2, test=0.2)
    >>> [part.tolist() for part in split]
    [[0, 1, 2, 3, 4, 6], [7, 9], [5, 8]]
    """
    validation = number_below_one("validation", validation)
    test = number_below_one("test", test)
    if validation + test >= 1:
        raise InvalidArgumentError(
            f"validation, test: expected shares that leave some to train with; got {validation} "
            f"and {test}"
        )
    if groups is not None and times is not None:
        raise InvalidArgumentError("groups, times: expected one of them; got both")
    if n_rows < LEAST_ROWS:
        raise InvalidTableError(
            f"the table has {n_rows} rows, and at least {LEAST_ROWS} are needed to train, validate "
            "and test with different ones"
        )
    if times is not None:
        return _by_time(n_rows, moments(times), validation, test)
    random = generator(seed, Stream.SPLIT)
    if groups is not None:
        return _by_group(n_rows, _codes(groups), validation, test, random)
    rest, tested = _divided(np.arange(n_rows), classes, test, random)
    trained, validated = _divided(rest, classes, validation / (1 - test), random)
    return Split(np.sort(trained), np.sort(validated), np.sort(tested))


def _divided(
    rows: Rows, classes: NDArray[Any] | None, share: float, random: np.random.Generator
) -> tuple[Rows, Rows]:
    """Return the rows that remain and a share of all that is taken out."""
    size = int(np.ceil(share * len(rows)))
    rows = random.permutation(rows)
    if classes is None or size == 0:
        return rows[size:], rows[:size]
    names, index, counts = np.unique(classes[rows], return_inverse=True, return_counts=True)
    if (counts - 1).sum() < size:
        raise InvalidTableError(
            f"the table has too few rows ({len(classes)}) to train, validate and test "
            f"{len(names)} classes with different ones"
        )
    going = _shares(counts, size)
    # The rank of each row within its class: the first ones are taken out.
    order = np.argsort(index, kind="stable")
    place = np.empty(len(rows), np.intp)
    place[order] = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
    goes = place < going[index]
    return rows[~goes], rows[goes]


def _shares(counts: NDArray[np.intp], size: int) -> NDArray[np.intp]:
    """Return the number of rows of each class to take out: `size` in all, leaving one of each."""
    quotas = np.minimum(size * counts / counts.sum(), counts - 1)
    going: NDArray[np.intp] = np.floor(quotas).astype(np.intp)
    while (missing := size - int(going.sum())) > 0:
        # The largest remainders first, then any class with rows to spare.
        lacking = np.where(going < counts - 1, quotas - going, -np.inf)
        chosen = np.argsort(-lacking, kind="stable")[:missing]
        going[chosen[lacking[chosen] > -np.inf]] += 1
    return going


def _by_group(
    n_rows: int,
    groups: NDArray[np.intp],
    validation: float,
    test: float,
    random: np.random.Generator,
) -> Split:
    wanted = n_rows * np.array([1 - validation - test, validation, test])
    sizes = np.bincount(groups)
    if len(sizes) < np.count_nonzero(wanted):
        raise InvalidTableError(
            f"the rows belong to {len(sizes)} group{'s' if len(sizes) > 1 else ''}, and at least "
            f"{np.count_nonzero(wanted)} are needed to train, validate and test with different ones"
        )
    order = random.permutation(len(sizes))
    # Large groups first, while every part has room for them; equal ones in random order.
    order = order[np.argsort(-sizes[order], kind="stable")]
    part_of = np.empty(len(sizes), np.intp)
    lacking = wanted.copy()
    for place, group in enumerate(order):
        empty = np.flatnonzero((lacking == wanted) & (wanted > 0))
        left = len(order) - place
        choice = empty if len(empty) == left else np.arange(3)
        part_of[group] = choice[np.argmax(lacking[choice])]
        lacking[part_of[group]] -= sizes[group]
    return _split(part_of[groups])


def _by_time(n_rows: int, times: NDArray[Any], validation: float, test: float) -> Split:
    ordered = np.sort(times)
    tested = int(np.ceil(test * n_rows))
    held_out = tested + int(np.ceil(validation * n_rows))
    part_of = np.zeros(n_rows, np.intp)
    for part, later in ((1, held_out), (2, tested)):
        if later:
            part_of[times >= ordered[n_rows - later]] = part
    expected = {0, *([1] * (held_out > tested)), *([2] * (tested > 0))}
    if set(np.unique(part_of)) != expected:
        raise InvalidTableError(
            f"the rows have {len(np.unique(ordered))} different times, too few or too unevenly "
            "spread to train, validate and test with different ones"
        )
    return _split(part_of)


def _split(part_of: NDArray[np.intp]) -> Split:
    return Split(*(np.flatnonzero(part_of == part) for part in range(3)))


def _codes(groups: Any) -> NDArray[np.intp]:
    """Return the group of each row as a whole number."""
    import polars as pl

    if isinstance(groups, pl.Series):
        check_complete(groups)
        return groups.rank("dense").to_numpy().astype(np.intp) - 1
    values: Sequence[Any] | NDArray[Any] = groups
    return np.unique(np.asarray(values), return_inverse=True)[1]
