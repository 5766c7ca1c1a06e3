"""The training of one trial of a search, in this process or in another, and of several in order."""

import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import replace
from typing import NamedTuple

from chainrule.errors import TrainingDivergedError
from chainrule.runs.options import TrainingOptions
from chainrule.runs.plan import Describing
from chainrule.runs.run_fit import FittedNetwork, fit
from chainrule.training.events import Callback, EpochEnded, Event
from chainrule.workers.base import SECONDS_A_LOOK, Cancelled, Session, Stop

COMPARED_AFTER = (4, 8, 16, 32, 64, 128, 256)
"""A trial is compared with others after these epochs only: the journal has each comparison."""


class Attempt(NamedTuple):
    """A trial that is about to be trained."""

    options: TrainingOptions
    medians: Mapping[int, float]
    """By the number of epochs: the loss that ends a trial which has not been below it by then."""
    seconds: float
    """How long it may take."""


class Outcome(NamedTuple):
    """How a trial ended."""

    fitted: FittedNetwork | None
    """None if its training diverged, or the time limit ended it."""
    late: bool
    """Whether the time limit ended it."""
    pruned: bool
    epochs: int
    losses: tuple[tuple[int, float], ...]
    """The lowest validation loss so far, after each of the epochs that trials are compared at."""
    seconds: float


def try_settings(
    describing: Describing, attempt: Attempt, callbacks: Sequence[Callback] = (), *, stop: Stop
) -> Outcome:
    """Train a network with the settings of a trial.

    Raises
    ------
    Cancelled
        If `stop` says so after an epoch.
    Interrupted
        On Ctrl-C.
    """
    watch, began = _Watch(attempt, stop), time.monotonic()
    fitted: FittedNetwork | None = None
    try:
        fitted = fit(describing(attempt.options), [watch, *callbacks])
    except TrainingDivergedError:
        watch.late = watch.pruned = False
    if watch.late:
        fitted = None
    return Outcome(
        fitted,
        watch.late,
        watch.pruned,
        watch.epochs,
        tuple(watch.losses),
        time.monotonic() - began,
    )


class _Watch:
    """A callback that ends a trial at the time limit, or when others were better by now."""

    def __init__(self, attempt: Attempt, stop: Stop) -> None:
        self._medians, self._stop = attempt.medians, stop
        self._deadline = time.monotonic() + attempt.seconds
        self._best = float("inf")
        self.losses: list[tuple[int, float]] = []
        self.epochs = 0
        self.late = self.pruned = False

    def __call__(self, event: Event) -> bool:
        """Consume an event."""
        if not isinstance(event, EpochEnded):
            return False
        if self._stop():
            raise Cancelled
        self.epochs += 1
        if event.validation_loss is not None:
            self._best = min(self._best, event.validation_loss)
        self.late = time.monotonic() >= self._deadline
        if self.epochs in COMPARED_AFTER and not self.late:
            self.losses.append((self.epochs, self._best))
            self.pruned = self._best > self._medians.get(self.epochs, float("inf"))
        return self.late or self.pruned


Begin = Callable[[int], Attempt]
"""Returns a trial, by its index, at the moment at which it begins."""


def tried_here(
    describing: Describing, indices: Iterable[int], begin: Begin, callbacks: Sequence[Callback]
) -> Generator[Outcome]:
    """Train trials one after the other, in this thread; yield how each ended."""
    for index in indices:
        yield try_settings(describing, begin(index), callbacks, stop=lambda: False)


# The threads only wait for workers.
_MOST_WAITING = 1024


def tried_elsewhere(session: Session, indices: Iterable[int], begin: Begin) -> Generator[Outcome]:
    """Let workers train trials; yield in order how each ended.

    Raises
    ------
    WorkersError
        If the workers are lost.
    """
    cancelled = threading.Event()

    def conduct(attempt: Attempt) -> Outcome:
        found: Outcome = session.call(try_settings, attempt, cancelled=cancelled)
        return found

    waiting, queue = deque(indices), deque[Future[Outcome]]()
    with ThreadPoolExecutor(_MOST_WAITING, "chainrule-trial") as pool:
        try:
            while waiting or queue:
                running = [one for one in queue if not one.done()]
                while waiting and len(running) < session.size:
                    attempt = begin(waiting.popleft())
                    given = attempt.options.threads
                    threads = session.threads if given is None else min(given, session.threads)
                    options = replace(attempt.options, threads=threads)
                    running.append(pool.submit(conduct, attempt._replace(options=options)))
                    queue.append(running[-1])
                wait(running, SECONDS_A_LOOK, FIRST_COMPLETED)
                while queue and queue[0].done():
                    yield queue.popleft().result()
        finally:
            cancelled.set()
