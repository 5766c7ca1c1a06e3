"""Progress of a training: a live line in a terminal, plain lines elsewhere, JSON for machines."""

import sys
import time
from collections.abc import Mapping
from dataclasses import asdict
from typing import IO, Any

from chainrule.cli.streams import say, say_json
from chainrule.training.events import (
    EpochEnded,
    Event,
    Resumed,
    StepsEnded,
    Stopped,
    TrainingStarted,
)


class JSONLines:
    """Writes each event as a line of JSON to standard output."""

    def __init__(self, file: IO[str] | None = None) -> None:
        self._file = file

    def __call__(self, event: Event) -> None:
        """Consume an event."""
        if isinstance(event, TrainingStarted):
            self.write("started", asdict(event))
        elif isinstance(event, Resumed):
            self.write("resumed", {"epochs": len(event.epochs)})
        elif isinstance(event, EpochEnded):
            self.write("epoch", event.row())
        elif isinstance(event, Stopped):
            self.write("stopped", asdict(event))

    def write(self, name: str, entries: Mapping[str, Any]) -> None:
        """Write a line, with null for numbers that are not finite."""
        finite = {key: _finite(value) for key, value in entries.items()}
        say_json({"event": name, **finite}, self._file)


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and value - value != 0 else value


class Watch:
    """The state of a training for a progress display: losses, metrics, best epoch and speed.

    Parameters
    ----------
    early_stopping : bool
        Whether the best epoch is shown, because its weights are kept.
    """

    def __init__(self, early_stopping: bool) -> None:
        self.best: EpochEnded | None = None
        self.epochs = self.done = 0
        self._early = early_stopping
        self._examples = 0
        self._seen = 0.0
        self._began = time.perf_counter()
        self._before = 0

    def __call__(self, event: Event) -> None:
        """Consume an event."""
        if isinstance(event, TrainingStarted):
            self.epochs, self._examples = event.epochs, event.n_examples
            self._began = time.perf_counter()
        elif isinstance(event, StepsEnded):
            self._seen = event.steps / event.steps_per_epoch
        elif isinstance(event, Resumed):
            for epoch in event.epochs:
                self._ended(epoch)
            self._before = self.done
        elif isinstance(event, EpochEnded):
            self._seen = 0.0
            self._ended(event)

    def _ended(self, epoch: EpochEnded) -> None:
        self.done += 1
        loss, best = epoch.validation_loss, self.best
        if loss is not None and (best is None or loss < (best.validation_loss or loss)):
            self.best = epoch

    @property
    def rate(self) -> float:
        """Examples per second."""
        seconds = time.perf_counter() - self._began
        return (self.done - self._before + self._seen) * self._examples / max(seconds, 1e-9)

    def line(self, event: EpochEnded) -> str:
        """Return a line that describes an epoch."""
        parts = [f"loss {event.loss:.4g}"]
        if event.validation_loss is not None:
            parts.append(f"validation {event.validation_loss:.4g}")
        parts += [f"{name} {value:.4g}" for name, value in event.validation_metrics.items()]
        if self._early and self.best is not None:
            parts.append(f"best {self.best.validation_loss:.4g} in epoch {self.best.epoch}")
        parts.append(f"{_short(self.rate)} rows/s")
        return "  ".join(parts)


def _short(number: float) -> str:
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= size:
            return f"{number / size:.3g}{letter}"
    return f"{number:.3g}"


class PlainProgress:
    """About a dozen lines on standard error: the first and last epochs, and some in between."""

    def __init__(self, early_stopping: bool) -> None:
        self._watch = Watch(early_stopping)
        self._last: EpochEnded | None = None
        self._shown = 0

    def __call__(self, event: Event) -> None:
        """Consume an event."""
        self._watch(event)
        if isinstance(event, EpochEnded):
            self._last, done = event, self._watch.done
            if done in (1, self._watch.epochs) or done % max(1, self._watch.epochs // 10) == 0:
                self._show(event)
        elif isinstance(event, Stopped):
            if self._last is not None and self._shown != self._watch.done:
                self._show(self._last)
            if event.reason != "finished":
                say(f"stopped after {event.epochs} epochs: no improvement", error=True)

    def close(self) -> None:
        """Do nothing: plain lines need no clean-up."""

    def _show(self, event: EpochEnded) -> None:
        self._shown = self._watch.done
        done = f"epoch {self._watch.done}/{self._watch.epochs}"
        say(f"{done}  {self._watch.line(event)}", error=True)


class LiveProgress:
    """A line in a terminal that is updated during the training."""

    def __init__(self, early_stopping: bool) -> None:
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        from chainrule.cli.displays import console

        self._watch = Watch(early_stopping)
        self._bar = Progress(
            TextColumn("epoch {task.fields[epoch]}/{task.total}"),
            BarColumn(bar_width=None),  # the width that the text leaves
            TextColumn("{task.description}", markup=False),
            TimeRemainingColumn(compact=True),
            console=console(error=True),
            expand=True,
        )
        self._task: Any = None
        self._line = ""

    def __call__(self, event: Event) -> None:
        """Consume an event."""
        self._watch(event)
        if isinstance(event, TrainingStarted):
            self._task = self._bar.add_task("", total=event.epochs, epoch=0)
            self._bar.start()
        elif isinstance(event, StepsEnded):
            self._advance(event.steps / event.steps_per_epoch)
        elif isinstance(event, EpochEnded):
            self._line = self._watch.line(event)
            self._advance(0.0)
        elif isinstance(event, Stopped):
            self.close()

    def _advance(self, part: float) -> None:
        done = self._watch.done
        line = self._line or f"{_short(self._watch.rate)} rows/s"
        self._bar.update(self._task, completed=done + part, epoch=done, description=line)

    def close(self) -> None:
        """End the display, with its last line left in place."""
        self._bar.stop()


def progress_for_people(early_stopping: bool) -> "PlainProgress | LiveProgress":
    """Return the live display if standard error is a terminal, otherwise the plain one."""
    return LiveProgress(early_stopping) if sys.stderr.isatty() else PlainProgress(early_stopping)
