"""Consumers of events that come with the package: a progress line and a CSV log."""

import sys
from pathlib import Path
from typing import IO, Any

from chainrule.checks import file_path
from chainrule.files.atomic import atomic_path, destination
from chainrule.printable import printable
from chainrule.training.events import (
    EpochEnded,
    Event,
    Resumed,
    StepsEnded,
    Stopped,
    TrainingStarted,
)
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


class Progress:
    """Shows the progress of a training: a live line in a terminal, plain lines elsewhere.

    Plain lines (in a log file, or a notebook without widgets) are written for the first and the
    last epoch and for about ten in between.

    Parameters
    ----------
    file : text file, optional
        Where to write; by default standard error, which keeps standard output free for results.
    """

    def __init__(self, file: IO[str] | None = None) -> None:
        self._file = file
        self._bar: Any = None
        self._task: Any = None
        self._started = TrainingStarted(0, 0, 0, 0, "")
        self._epochs_done = 0

    def __call__(self, event: Event) -> None:
        """Consume an event."""
        if isinstance(event, TrainingStarted):
            self._start(event)
        elif isinstance(event, Resumed):
            self._epochs_done = len(event.epochs)
        elif isinstance(event, StepsEnded):
            self._advance(event.steps / event.steps_per_epoch, f"epoch loss {event.loss:.4g}")
        elif isinstance(event, EpochEnded):
            self._epochs_done += 1
            self._advance(0.0, describe(event))
            if self._bar is None:
                self._print_plain(event)
        elif isinstance(event, Stopped):
            self.close()

    def close(self) -> None:
        """End the live line. `Stopped` does so, too; after an error, `fit` calls this."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def _start(self, event: TrainingStarted) -> None:
        # Importing rich takes tens of milliseconds, so it is only imported if progress is shown.
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        self._started, self._epochs_done = event, 0
        console = Console(file=self._file or sys.stderr)
        if not console.is_terminal:
            return
        self._bar = Progress(
            TextColumn("epoch {task.fields[epoch]}/{task.total}"),
            BarColumn(bar_width=None),  # the width that the text leaves
            TextColumn("{task.description}", markup=False),
            TimeRemainingColumn(),
            console=console,
            expand=True,
        )
        self._task = self._bar.add_task("", total=event.epochs, epoch=0)
        self._bar.start()

    def _advance(self, part: float, description: str) -> None:
        if self._bar is not None:
            self._bar.update(
                self._task,
                completed=self._epochs_done + part,
                epoch=self._epochs_done,
                description=description,
            )

    def _print_plain(self, event: EpochEnded) -> None:
        done, epochs = self._epochs_done, self._started.epochs
        if done in (1, epochs) or done % max(1, epochs // 10) == 0:
            print(f"epoch {done}/{epochs}  {describe(event)}", file=self._file or sys.stderr)


def describe(event: EpochEnded) -> str:
    """Return loss and metrics of an epoch in one printable line, validation in parentheses."""
    parts = [("loss", event.loss, event.validation_loss)]
    parts += [
        (name, value, event.validation_metrics.get(name)) for name, value in event.metrics.items()
    ]
    return printable(
        "  ".join(
            f"{name} {value:.4g}" + (f" (val {validation:.4g})" if validation is not None else "")
            for name, value, validation in parts
        )
    )
