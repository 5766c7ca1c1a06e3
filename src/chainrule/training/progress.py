"""The progress of a training: a live line in a notebook or a terminal, plain lines elsewhere."""

import sys
import time
from typing import IO, Any, Protocol

from chainrule.training.events import (
    EpochEnded,
    Event,
    Resumed,
    StepsEnded,
    Stopped,
    TrainingStarted,
)
from chainrule.training.notebook import NotebookLine, in_notebook
from chainrule.training.progress_text import describe, ended_text, time_text


class Progress:
    """Shows the progress of a training: a live line in a terminal or a notebook, lines elsewhere.

    The last line says how the training ended, if it did not end as planned: why it stopped, and
    which epoch's weights were kept. Plain lines (in a log file, say) are written for the first and
    the last epoch and for about ten in between.

    Parameters
    ----------
    file : text file, optional
        Where to write; by default the notebook, or else standard error, which keeps standard output
        free for results.
    """

    def __init__(self, file: IO[str] | None = None) -> None:
        self._file = file
        self._display: _Display = _Nothing()
        self._epochs_done = 0

    def __call__(self, event: Event) -> None:
        """Consume an event."""
        if isinstance(event, TrainingStarted):
            self._epochs_done = 0
            self._display = self._begun(event)
        elif isinstance(event, Resumed):
            self._epochs_done = len(event.epochs)
            self._display.resumed(self._epochs_done)
        elif isinstance(event, StepsEnded):
            part = event.steps / event.steps_per_epoch
            self._display.advance(self._epochs_done, part, f"epoch loss {event.loss:.4g}")
        elif isinstance(event, EpochEnded):
            self._epochs_done += 1
            self._display.epoch_ended(self._epochs_done, event)
        elif isinstance(event, Stopped):
            self._end(ended_text(event))

    def close(self) -> None:
        """End the live line. `Stopped` does so, too; after an error, `fit` calls this."""
        self._end(f"ended after {self._epochs_done} finished epochs")

    def _end(self, text: str) -> None:
        display, self._display = self._display, _Nothing()
        display.end(text)

    def _begun(self, event: TrainingStarted) -> "_Display":
        if self._file is None and in_notebook():
            return _Notebook(event.epochs)
        # Importing rich takes tens of milliseconds, so it is only imported if progress is shown.
        from rich.console import Console

        console = Console(file=self._file or sys.stderr)
        if console.is_terminal:
            return _Bar(event.epochs, console)
        return _Lines(event.epochs, self._file)


class _Display(Protocol):
    """Where progress is shown; `done` is the number of finished epochs."""

    def resumed(self, done: int) -> None:
        """Begin after some epochs."""

    def advance(self, done: int, part: float, text: str) -> None:
        """Show a part of an epoch, from 0 to 1."""

    def epoch_ended(self, done: int, event: EpochEnded) -> None:
        """Show a finished epoch."""

    def end(self, text: str) -> None:
        """End, with how the training ended; "" if as planned."""


class _Nothing:
    """No training is under way."""

    def resumed(self, done: int) -> None:
        """Do nothing."""

    def advance(self, done: int, part: float, text: str) -> None:
        """Do nothing."""

    def epoch_ended(self, done: int, event: EpochEnded) -> None:
        """Do nothing."""

    def end(self, text: str) -> None:
        """Do nothing."""


class _Lines(_Nothing):
    """Plain lines."""

    def __init__(self, epochs: int, file: IO[str] | None) -> None:
        self._epochs, self._file = epochs, file
        self._written = 0
        self._last: tuple[int, EpochEnded] | None = None

    def epoch_ended(self, done: int, event: EpochEnded) -> None:
        """Write a line for the first and last epoch, and some in between."""
        self._last = (done, event)
        if done in (1, self._epochs) or done % max(1, self._epochs // 10) == 0:
            self._write(done, event)

    def end(self, text: str) -> None:
        """Write the last epoch, if it was left out, and how the training ended."""
        if text and self._last is not None:
            if self._last[0] != self._written:
                self._write(*self._last)
            print(text, file=self._file or sys.stderr)

    def _write(self, done: int, event: EpochEnded) -> None:
        self._written = done
        print(f"epoch {done}/{self._epochs}  {describe(event)}", file=self._file or sys.stderr)


class _Bar(_Nothing):
    """A live line in a terminal."""

    def __init__(self, epochs: int, console: Any) -> None:
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        self._console = console
        self._bar = Progress(
            TextColumn("epoch {task.fields[epoch]}/{task.total}"),
            BarColumn(bar_width=None),  # the width that the text leaves
            TextColumn("{task.description}", markup=False),
            TimeRemainingColumn(),
            console=console,
            expand=True,
        )
        self._task = self._bar.add_task("", total=epochs, epoch=0)
        self._bar.start()

    def advance(self, done: int, part: float, text: str) -> None:
        """Show a part of an epoch."""
        self._bar.update(self._task, completed=done + part, epoch=done, description=text)

    def epoch_ended(self, done: int, event: EpochEnded) -> None:
        """Show a finished epoch."""
        self.advance(done, 0.0, describe(event))

    def end(self, text: str) -> None:
        """End the live line, and write how the training ended below it."""
        if text:
            self._console.print(text, markup=False, highlight=False)
        self._bar.stop()


class _Notebook:
    """A live line in a notebook."""

    def __init__(self, epochs: int) -> None:
        self._epochs, self._before, self._done = epochs, 0, 0
        self._began = time.perf_counter()
        self._text, self._best = "", ""
        self._lowest = float("inf")
        self._line = NotebookLine()

    def resumed(self, done: int) -> None:
        """Begin after some epochs, which took none of this training's time."""
        self._before = self._done = done

    def advance(self, done: int, part: float, text: str) -> None:
        """Show a part of an epoch, with the text of the last finished one."""
        shown = [f"epoch {done + 1} of {self._epochs}", self._text or text, self._best]
        seconds = time.perf_counter() - self._began
        trained = done + part - self._before
        if trained > 0 and seconds > 1:
            left = seconds / trained * (self._epochs - done - part)
            shown.append(f"at most {time_text(left)} left")
        self._show(done + part, shown)

    def epoch_ended(self, done: int, event: EpochEnded) -> None:
        """Show a finished epoch."""
        self._done, self._text = done, describe(event)
        loss = event.validation_loss
        if loss is not None and loss < self._lowest:
            self._lowest = loss
            self._best = f"best val {loss:.4g} in epoch {event.epoch}"
        if done < self._epochs:
            self.advance(done, 0.0, "")

    def end(self, text: str) -> None:
        """Show the last epoch, and how the training ended."""
        took = f"in {time_text(time.perf_counter() - self._began)}"
        reached = f"epoch {self._done} of {self._epochs}"
        self._show(self._done, [reached, self._text, self._best, took, text], last=True)

    def _show(self, done: float, parts: list[str], *, last: bool = False) -> None:
        share = done / self._epochs if self._epochs else 1.0
        self._line.show(share, " · ".join(filter(None, parts)), last=last)
