"""Dividing the rows of a table into those to train, to validate and to test with."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from chainrule.errors import InvalidTableError
from chainrule.network.random import Stream, generator

LEAST_ROWS = 10


class Split(NamedTuple):
    """Row numbers (from 0) of each part, ascending."""

    train: NDArray[np.intp]
    validation: NDArray[np.intp]
    test: NDArray[np.intp]


def split_rows(
    n_rows: int,
    classes: NDArray[Any] | None = None,
    *,
    seed: int = 0,
    validation: float = 0.16,
    test: float = 0.2,
) -> Split:
    """Divide rows at random, with the same share of every class in each part.

    Parameters
    ----------
    n_rows : int
    classes : array (n_rows,), optional
        The class of each row. A part has at least as many rows as there are classes, and a class
        with a single row is in the training part only: it can be learned or tested, not both.
    seed : int
    validation, test : float
        Shares of all rows; the rest is to train with.

    Raises
    ------
    InvalidTableError
        If there are fewer than 10 rows.
    """
    if n_rows < LEAST_ROWS:
        raise InvalidTableError(
            f"the table has {n_rows} rows, and at least {LEAST_ROWS} are needed to train, validate "
            "and test with different ones"
        )
    random = generator(seed, Stream.SPLIT)
    rows = np.arange(n_rows)
    rest, tested = _divided(rows, classes, test, random)
    trained, validated = _divided(rest, classes, validation / (1 - test), random)
    return Split(np.sort(trained), np.sort(validated), np.sort(tested))


def _divided(
    rows: NDArray[np.intp],
    classes: NDArray[Any] | None,
    share: float,
    random: np.random.Generator,
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the rows that stay and those, a share of all, that go."""
    from sklearn.model_selection import train_test_split

    state = int(random.integers(2**32))
    size = int(np.ceil(share * len(rows)))
    if classes is None:
        stay, go = train_test_split(rows, test_size=size, random_state=state)
        return stay, go
    of_row = classes[rows]
    _, index, counts = np.unique(of_row, return_inverse=True, return_counts=True)
    alone = counts[index] < 2  # scikit-learn refuses to stratify such a class
    n_classes = int((counts > 1).sum())
    if 2 * n_classes > len(rows) - alone.sum() or n_classes == 0:
        raise InvalidTableError(
            f"the table has too few rows ({len(classes)}) to train, validate and test "
            f"{len(np.unique(classes))} classes with different ones"
        )
    size = max(size, n_classes)
    stay, go = train_test_split(
        rows[~alone], test_size=size, random_state=state, stratify=of_row[~alone]
    )
    return np.concatenate([stay, rows[alone]]), go
