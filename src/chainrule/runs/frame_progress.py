"""The progress of an animation: a live line in a terminal or a notebook, nothing elsewhere."""

import sys
from collections.abc import Callable
from typing import Any

from chainrule.training.events import Callback, EpochEnded, Event, TrainingStarted
from chainrule.training.notebook import NotebookLine, in_notebook


class FrameProgress:
    """Shows the progress of an animation.

    Parameters
    ----------
    shown : bool
        False: nothing is shown.
    """

    def __init__(self, shown: bool) -> None:
        self._line = NotebookLine() if shown and in_notebook() else None
        self._bar: Any = None
        self._task: Any = None
        if shown and self._line is None and sys.stderr is not None and sys.stderr.isatty():
            self._bar = _bar()
            self._bar.start()

    def of(self, what: str, total: int) -> Callable[[int], None]:
        """Begin a part of the work; return a function to be called with what is done of it."""
        if self._bar is not None:
            if self._task is not None:
                self._bar.remove_task(self._task)
            self._task = self._bar.add_task(what, total=total)

        def done(number: int) -> None:
            if self._bar is not None:
                self._bar.update(self._task, completed=number)
            if self._line is not None:
                text = f"{what}, {number:,} of {total:,}"
                self._line.show(number / max(1, total), text, last=number == total)

        return done

    def training(self) -> Callback:
        """Return a consumer of the events of the training that is repeated."""
        done: Callable[[int], None] = self._nothing

        def consume(event: Event) -> None:
            nonlocal done
            if isinstance(event, TrainingStarted):
                done = self.of("repeating the training", event.epochs)
            elif isinstance(event, EpochEnded):
                done(event.epoch)

        return consume

    def close(self) -> None:
        """End the live line."""
        if self._bar is not None:
            self._bar.stop()

    @staticmethod
    def _nothing(number: int) -> None:
        """Show nothing."""


def _bar() -> Any:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        console=Console(stderr=True),
        transient=True,
    )
