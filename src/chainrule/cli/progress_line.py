"""One line of progress in a terminal: the most important parts that fit."""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from chainrule.number_texts import share
from chainrule.training.events import (
    EpochEnded,
    Event,
    Resumed,
    StepsEnded,
    Stopped,
    TrainingStarted,
)

Clock = Callable[[], float]

_SHORTEST_BAR, _LONGEST_BAR = 6, 30


class Part(NamedTuple):
    """A part of the line, in one or more wordings, the longest first, and its importance."""

    wordings: tuple[str, ...]
    importance: int
    """The part with the lowest importance is dropped first."""


class Watch:
    """The state of a training for a progress display, and its parts as text.

    Parameters
    ----------
    early_stopping : bool
        Whether the best epoch is shown, because its weights are kept.
    clock : callable, optional
        Returns the time in seconds.
    """

    def __init__(self, early_stopping: bool, clock: Clock = time.perf_counter) -> None:
        self.best: EpochEnded | None = None
        self.last: EpochEnded | None = None
        self.epochs = self.done = 0
        self.ended = False
        self._early, self._clock = early_stopping, clock
        self._examples = 0
        self._seen = 0.0
        self._began = clock()
        self._before = 0

    def __call__(self, event: Event) -> None:
        """Consume an event."""
        if isinstance(event, TrainingStarted):
            self.__init__(self._early, self._clock)  # type: ignore[misc]
            self.epochs, self._examples = event.epochs, event.n_examples
        elif isinstance(event, StepsEnded):
            self._seen = event.steps / event.steps_per_epoch
        elif isinstance(event, Resumed):
            for epoch in event.epochs:
                self._ended(epoch)
            self._before = self.done
        elif isinstance(event, EpochEnded):
            self._seen = 0.0
            self._ended(event)
        elif isinstance(event, Stopped):
            self.ended = True

    def _ended(self, epoch: EpochEnded) -> None:
        self.done += 1
        self.last = epoch
        loss, best = epoch.validation_loss, self.best
        if loss is not None and (best is None or loss < (best.validation_loss or loss)):
            self.best = epoch

    @property
    def share(self) -> float:
        """The completed share of all epochs, from 0 to 1."""
        return min(1.0, (self.done + self._seen) / self.epochs) if self.epochs else 0.0

    @property
    def rate(self) -> float:
        """Examples per second."""
        seconds = max(self._clock() - self._began, 1e-9)
        return (self.done - self._before + self._seen) * self._examples / seconds

    def parts(self) -> list[Part]:
        """Return the parts of the line in order; the bar comes after the first."""
        parts = [Part((f"epoch {self.done}/{self.epochs}", f"{self.done}/{self.epochs}"), 9)]
        if self.last is not None:
            parts.append(Part((_score(self.last),), 8))
            if self._early and self.best is not None:
                best = _value(self.best)
                longer = f"best {best} in epoch {self.best.epoch}"
                parts.append(Part((longer, f"best {best}"), 6))
        left = self._time()
        if left:
            parts.append(Part((left,), 7))
        if self.last is not None:
            parts.append(Part((f"loss {self.last.loss:.4g}",), 1))
        if self._examples:
            parts.append(Part((f"{short_number(self.rate)} rows/s",), 0))
        return parts

    def within_epoch(self, event: StepsEnded) -> str:
        """Return a line about an epoch that has not ended."""
        seen = short_number(self._seen * self._examples)
        texts = [
            f"epoch {self.done + 1}/{self.epochs}",
            f"{seen} of {short_number(self._examples)} rows",
            f"loss {event.loss:.4g}",
            f"{short_number(self.rate)} rows/s",
            self._time(),
        ]
        return "  ".join(filter(None, texts))

    def _time(self) -> str:
        seconds = self._clock() - self._began
        if self.ended:
            return f"in {duration(seconds)}"
        trained = self.share * self.epochs - self._before
        if trained <= 0:
            return ""
        return f"{duration(seconds / trained * (1 - self.share) * self.epochs)} left"


def duration(seconds: float) -> str:
    """Return a time as 0:07, 12:30 or 1:02:05."""
    minutes, rest = divmod(round(max(0.0, seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def short_number(number: float) -> str:
    """Return a number with three digits and k, M or G."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= size:
            return f"{number / size:.3g}{letter}"
    return f"{number:.3g}"


def _score(epoch: EpochEnded) -> str:
    """Return the validation score, by name: a metric if there is one, otherwise the loss."""
    name = next(iter(epoch.validation_metrics), None)
    if name is None:
        kind = "loss" if epoch.validation_loss is None else "validation loss"
        return f"{kind} {_value(epoch)}"
    return f"{'RMSE' if name == 'rmse' else name} {_value(epoch)}"


def _value(epoch: EpochEnded) -> str:
    if epoch.validation_metrics:
        name, value = next(iter(epoch.validation_metrics.items()))
        return share(value) if name == "accuracy" else f"{value:.4g}"
    return f"{epoch.loss if epoch.validation_loss is None else epoch.validation_loss:.4g}"


def fitted_line(parts: Sequence[Part], share: float, width: int, full: str, empty: str) -> str:
    """Return the parts that fit into a width, and a bar after the first; no part is cut.

    To fit, the bar is shortened first, then longer wordings are replaced, then whole parts are
    dropped by importance. No part is cut; the line is shorter than the width if nothing more fits.

    Parameters
    ----------
    parts : sequence of Part
    share : float
        The share of the bar that is full, from 0 to 1; below 0, there is no bar.
    width : int
    full, empty : str
        The characters of the bar.
    """
    for texts, shortest in _choices(parts, share >= 0):
        line = "  ".join(texts)
        room = width - len(line) - 2 if share >= 0 else -1
        if shortest and room >= shortest:
            cells = min(_LONGEST_BAR, room)
            done = round(share * cells)
            bar = full * done + empty * (cells - done)
            return "  ".join([texts[0], bar, *texts[1:]])
        if not shortest and len(line) <= width:
            return line
    return ""


def _choices(parts: Sequence[Part], with_bar: bool) -> Iterator[tuple[list[str], int]]:
    """Yield texts to try, the best first, each with the shortest bar allowed; 0 for no bar."""
    kept = list(parts)
    bars = [_LONGEST_BAR // 2, _SHORTEST_BAR]
    # The least important parts go before anything else is shortened.
    while kept:
        optional = [part for part in kept if part.importance < 2]
        long = [part.wordings[0] for part in kept]
        short = [part.wordings[-1] if part.importance < 9 else part.wordings[0] for part in kept]
        if optional:
            yield long, bars[0] if with_bar else 0
        else:
            yield long, bars[1]
            yield short, bars[1]
            yield short, 3
            yield short, 0
            yield [part.wordings[-1] for part in kept], 0
        kept.remove(min(kept, key=lambda part: part.importance))
