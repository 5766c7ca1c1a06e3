"""The epochs of a training as a table of numbers, for checkpoints."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from chainrule.training.events import EpochEnded

_FIXED = ("loss", "penalty", "learning_rate", "gradient_norm", "seconds", "objective")
_VALIDATION = "validation_loss"
_METRIC, _VALIDATION_METRIC = "metric:", "validation metric:"


class Rows:
    """Epochs as rows of numbers with the same columns."""

    def __init__(self) -> None:
        self.columns: list[str] = []
        self._table = np.empty((0, 0))
        self._new: list[EpochEnded] = []

    @classmethod
    def of(cls, epochs: Iterable[EpochEnded]) -> "Rows":
        """Return the rows of some epochs."""
        rows = cls()
        for epoch in epochs:
            rows.append(epoch)
        return rows

    def append(self, epoch: EpochEnded) -> None:
        """Add an epoch."""
        self._new.append(epoch)

    def table(self) -> NDArray[np.float64]:
        """Return all rows, (epochs, columns)."""
        if self._new:
            if not self.columns:
                self.columns = _columns(self._new[0])
                self._table = np.empty((0, len(self.columns)))
            self._table = np.vstack([self._table, [_numbers(epoch) for epoch in self._new]])
            self._new = []
        return self._table


def _columns(epoch: EpochEnded) -> list[str]:
    validation = [] if epoch.validation_loss is None else [_VALIDATION]
    return [
        *_FIXED,
        *validation,
        *(_METRIC + name for name in epoch.metrics),
        *(_VALIDATION_METRIC + name for name in epoch.validation_metrics),
    ]


def _numbers(epoch: EpochEnded) -> list[float]:
    validation = [] if epoch.validation_loss is None else [epoch.validation_loss]
    return [
        *(getattr(epoch, name) for name in _FIXED),
        *validation,
        *epoch.metrics.values(),
        *epoch.validation_metrics.values(),
    ]


def epochs_of(
    table: NDArray[np.float64], columns: Sequence[str], first: int
) -> tuple[EpochEnded, ...]:
    """Return the epochs of a table's rows, numbered from `first`.

    Raises
    ------
    ValueError
        If the table is invalid.
    """
    if not len(table):
        return ()
    if table.ndim != 2 or table.shape[1] != len(columns) or table.dtype != np.float64:
        raise ValueError("the history's table does not fit its columns")
    if len(set(columns)) != len(columns) or not set(_FIXED) <= set(columns):
        raise ValueError("the history lacks a column, or has one twice")
    epochs = []
    for place, numbers in enumerate(table.tolist()):
        row = dict(zip(columns, numbers, strict=True))
        epochs.append(
            EpochEnded(
                epoch=first + place,
                validation_loss=row.get(_VALIDATION),
                metrics=_named(row, _METRIC),
                validation_metrics=_named(row, _VALIDATION_METRIC),
                **{name: row[name] for name in _FIXED},
            )
        )
    return tuple(epochs)


def _named(row: dict[str, float], prefix: str) -> dict[str, float]:
    return {
        name.removeprefix(prefix): value for name, value in row.items() if name.startswith(prefix)
    }
