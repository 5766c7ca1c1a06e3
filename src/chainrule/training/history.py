"""The history of a training: its epochs as rows, and its events as a list."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from chainrule.errors import InvalidArgumentError
from chainrule.files.atomic import atomic_path
from chainrule.pictures.curves import learning_curves
from chainrule.pictures.picture import Picture
from chainrule.printable import printable
from chainrule.suggestions import did_you_mean
from chainrule.training.diagnostics import Diagnosis
from chainrule.training.events import Checkpointed, EpochEnded, Event, Resumed, StepsEnded, Stopped

if TYPE_CHECKING:
    import polars as pl


class History:
    """The course of a training, epoch by epoch.

    A column is an item: ``history["loss"]`` is the list of its values, one per epoch. Columns are
    epoch, loss, validation_loss, each metric and validation_<metric>, penalty, learning_rate,
    gradient_norm and seconds; see `chainrule.training.events.EpochEnded`.

    Attributes
    ----------
    events : list
        All events except `StepsEnded` and `Checkpointed`. Of a resumed training, it includes the
        epochs before the interruption: the list is the same as without one.
    epochs : list of EpochEnded
    diagnostics : list of Diagnosis
        The problems that kept the network from learning, one per kind and layer. See
        `chainrule.training.diagnostics`.
    best_epoch : int or None
        With early stopping, the epoch whose weights the network has; otherwise None.
    """

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.diagnostics: list[Diagnosis] = []
        self.best_epoch: int | None = None

    def __call__(self, event: Event) -> None:
        """Consume an event."""
        if isinstance(event, Resumed):
            self.events.extend(event.epochs)
        elif not isinstance(event, StepsEnded | Checkpointed):
            self.events.append(event)

    @property
    def epochs(self) -> list[EpochEnded]:
        """The `EpochEnded` events."""
        return [event for event in self.events if isinstance(event, EpochEnded)]

    @property
    def stopped(self) -> str:
        """Why the training ended; "" as long as it has not."""
        last = self.events[-1] if self.events else None
        return last.reason if isinstance(last, Stopped) else ""

    @property
    def columns(self) -> list[str]:
        """Names of the columns."""
        return list(self.epochs[0].row()) if self.epochs else []

    def __getitem__(self, column: str) -> list[float]:
        if column not in self.columns:
            raise InvalidArgumentError(
                f"column: expected one of {', '.join(self.columns)}; got {column!r}"
                f"{did_you_mean(column, self.columns)}"
            )
        return [event.row()[column] for event in self.epochs]

    def __contains__(self, column: object) -> bool:
        return column in self.columns

    def __iter__(self) -> Iterator[str]:
        return iter(self.columns)

    def __len__(self) -> int:
        """Return the number of finished epochs."""
        return len(self.epochs)

    def plot(self) -> Picture:
        """Return a picture of the loss over the epochs, with a panel for each metric.

        Returns
        -------
        Picture
            A notebook shows it, printing it gives a chart of letters; `figure` gives a matplotlib
            figure, and `save` writes a file.

        Raises
        ------
        InvalidArgumentError
            If the history has no epochs.
        """
        rows = [event.row() for event in self.epochs]
        return learning_curves({name: [row[name] for row in rows] for name in self.columns})

    def to_frame(self) -> "pl.DataFrame":
        """Return the rows as a polars table, the kind that all tables of the package are.

        Returns
        -------
        polars.DataFrame
            A row per epoch; its ``to_pandas()`` makes a pandas table of it.
        """
        import polars as pl

        rows = [event.row() for event in self.epochs]
        columns = {name: [row[name] for row in rows] for name in self.columns}
        return pl.DataFrame(columns, schema_overrides={"epoch": pl.Int64})

    def to_csv(self, path: str | Path) -> None:
        """Write the rows as a CSV file, whole or not at all; an existing file is replaced."""
        with atomic_path(path) as temporary:
            temporary.write_text(csv_text(self.epochs), encoding="utf-8")

    def __repr__(self) -> str:
        if not self.epochs:
            return "History(no epochs)"
        last = ", ".join(f"{name}={value:.4g}" for name, value in self.epochs[-1].row().items())
        return printable(f"History({len(self)} epochs; last: {last})")


def csv_text(epochs: list[EpochEnded], header: bool = True) -> str:
    """Return epochs as CSV lines, with enough digits for numbers to be read back unchanged."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    if header and epochs:
        writer.writerow(epochs[0].row())
    writer.writerows([repr(value) for value in event.row().values()] for event in epochs)
    return text.getvalue()
