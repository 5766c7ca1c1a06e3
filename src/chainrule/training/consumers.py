"""A consumer of events that comes with the package: a log of the epochs as a CSV file."""

from pathlib import Path

from chainrule.checks import file_path
from chainrule.files.atomic import atomic_path, destination
from chainrule.training.events import EpochEnded, Event, Resumed, TrainingStarted
from chainrule.training.history import csv_text


class CSVLog:
    """Appends a row to a CSV file after each epoch, so that a killed run keeps its history.

    Parameters
    ----------
    path : str or Path
        The file, which is replaced when training starts.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = file_path("path", path)
        self._place = self.path
        self._header = True

    def __call__(self, event: Event) -> None:
        """Consume an event."""
        if isinstance(event, TrainingStarted):
            self._begin()
        elif isinstance(event, Resumed):
            self._append(list(event.epochs))
        elif isinstance(event, EpochEnded):
            self._append([event])

    def _begin(self) -> None:
        """Create an empty file; a new one, so that hard links to the old one keep its content."""
        place = destination(self.path)
        if not place.through:
            with atomic_path(self.path):
                pass
        self._place, self._header = place.path, True

    def _append(self, epochs: list[EpochEnded]) -> None:
        with self._place.open("a", encoding="utf-8") as file:
            file.write(csv_text(epochs, header=self._header))
        self._header = self._header and not epochs
