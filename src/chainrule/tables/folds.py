"""Dividing rows into folds: each is held out once, from a network that learns from the others."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.network.random import Stream, generator
from chainrule.tables.times import moments

Folds = NDArray[np.intp]


def divided_into_folds(
    n_rows: int,
    folds: int,
    *,
    seed: int = 0,
    classes: NDArray[Any] | None = None,
    groups: Any = None,
    times: Any = None,
) -> Folds:
    """Return the fold of each row, from 0 to `folds` − 1: at random, by group, or by time.

    Parameters
    ----------
    n_rows : int
    folds : int
        At least 2. There are fewer if there are fewer rows, groups or times.
    seed : int
    classes : array (n_rows,), optional
        The class of each row: every fold gets the same share of every class, up to rounding.
    groups : array (n_rows,), optional
        The group of each row, such as a patient: all rows of a group are in the same fold.
    times : array (n_rows,), optional
        The time of each row: each fold is a stretch of time, and rows of the same time stay
        together (blocked cross-validation, Bergmeir and Benítez 2012, "On the use of
        cross-validation for time series predictor evaluation").

    Returns
    -------
    array (n_rows,)

    Examples
    --------
    >>> from chainrule.tables.folds import divided_into_folds
    >>> divided_into_folds(6, 3, times=[5, 1, 3, 4, 0, 2]).tolist()
    [2, 0, 1, 2, 0, 1]
    """
    if times is not None:
        return _by_time(moments(times), folds)
    random = generator(seed, Stream.FOLDS)
    if groups is not None:
        return _by_group(np.unique(np.asarray(groups), return_inverse=True)[1], folds, random)
    order = random.permutation(n_rows)
    if classes is not None:
        # Rows of a class one after the other, so that dealing them out spreads every class evenly.
        labels = np.unique(np.asarray(classes)[order], return_inverse=True)[1]
        order = order[np.argsort(labels, kind="stable")]
    fold = np.empty(n_rows, np.intp)
    fold[order] = np.arange(n_rows) % folds
    return fold


def _by_group(groups: NDArray[np.intp], folds: int, random: np.random.Generator) -> Folds:
    """Large groups first, each to the smallest fold so far; equal ones in random order."""
    sizes = np.bincount(groups)
    order = random.permutation(len(sizes))
    order = order[np.argsort(-sizes[order], kind="stable")]
    rows = np.zeros(min(folds, len(sizes)), np.intp)
    fold_of = np.empty(len(sizes), np.intp)
    for group in order:
        fold_of[group] = np.argmin(rows)
        rows[fold_of[group]] += sizes[group]
    return np.asarray(fold_of[groups])


def _by_time(times: NDArray[Any], folds: int) -> Folds:
    _, index, counts = np.unique(times, return_inverse=True, return_counts=True)
    # The fold of a time is that of the middle of its rows; empty folds are left out.
    middle = np.cumsum(counts) - counts / 2
    fold = np.minimum((middle * folds / len(times)).astype(np.intp), folds - 1)
    return np.asarray(np.unique(fold, return_inverse=True)[1][index])
