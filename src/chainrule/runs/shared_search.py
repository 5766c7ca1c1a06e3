"""A search that several processes share: each one trains trials until enough of them have ended.

What a trial draws depends on the trials that have ended by then, anywhere. So the result depends on
time, and on the number of processes, other than that of a search in generations (`search`).
"""

import time
from pathlib import Path

from chainrule.runs.run_fit import FittedNetwork
from chainrule.runs.search import (
    Found,
    Listeners,
    found_among,
    is_default,
    lowest_of,
    quiet_optuna,
    varied_settings,
    with_settings,
)
from chainrule.runs.shared_study import Begun, SharedStudy
from chainrule.runs.training import PreparedRun
from chainrule.runs.trial_study import Tried
from chainrule.runs.trials import Attempt, Outcome, try_settings
from chainrule.workers.base import Cancelled

_SECONDS_A_LOOK = 1.0
"""How often the journal is read during a trial, whose end may not be needed any more."""


def open_shared(run: PreparedRun, journal: Path) -> SharedStudy:
    """Open the study of a shared search; the journal is created if it is missing.

    Raises
    ------
    InvalidArgumentError
        If all settings that a search varies are given, or the journal cannot be read.
    """
    quiet_optuna()
    return SharedStudy(run, journal, varied_settings(run))


class SharedSearch:
    """The part of one process in a search that several share.

    Parameters
    ----------
    run : PreparedRun
    study : SharedStudy
        Begun (`SharedStudy.agree`).
    trials : int
        How many trials all processes have to end.
    seconds : float, optional
        The time limit of this process. The trial that reaches it is given up, unless no trial has
        ended with a loss.
    listeners : Listeners
        Told of all trials, here and elsewhere, once they have ended.
    """

    def __init__(
        self,
        run: PreparedRun,
        study: SharedStudy,
        trials: int,
        seconds: float | None,
        listeners: Listeners,
    ) -> None:
        self._run, self._study, self._trials, self._listeners = run, study, trials, listeners
        self._deadline = float("inf") if seconds is None else time.monotonic() + seconds
        self._looked = 0.0
        self._best: tuple[PreparedRun, FittedNetwork, int] | None = None
        self._default: FittedNetwork | None = None
        self.tried: tuple[Tried, ...] = study.tried()
        """All trials that have ended, here and elsewhere, in the order in which they ended."""

    @property
    def is_enough(self) -> bool:
        """Whether the number of trials was reached."""
        return len(self.tried) >= self._trials

    def take_part(self) -> None:
        """Train trials until enough have ended, here and elsewhere, or the time is over.

        Raises
        ------
        InvalidArgumentError
            If the journal was damaged or removed.
        Interrupted
            On Ctrl-C; the trial under way counts nowhere.
        """
        if self.tried:
            self._listeners.earlier(self.tried)
        while not self.is_enough:
            begun = self._study.begin()
            seconds = float("inf")
            if lowest_of(self.tried) is not None:
                seconds = self._deadline - time.monotonic()
            try:
                outcome = self._train(begun, seconds)
            except Cancelled:
                return
            self._look()
            if outcome.late or self.is_enough:
                return
            self._end(begun, outcome)
            if time.monotonic() >= self._deadline and lowest_of(self.tried) is not None:
                return

    def found(self) -> Found:
        """Return the best trial of all processes.

        If the process that had the default settings left, they are the last trial: the result of a
        search is never worse than that of the run without one.

        Raises
        ------
        TrainingDivergedError
            If no trial has a loss.
        """
        if not self._study.has_default:
            begun = self._study.begin(default=True)
            self._end(begun, self._train(begun, float("inf"), needed=True))
        self._look()
        callbacks = self._listeners.callbacks
        return found_among(self._run, self._study, self.tried, self._best, self._default, callbacks)

    @property
    def is_written(self) -> bool:
        """Whether a process has said (`written`) that the run's files are of all trials."""
        return self._study.written >= min(self._trials, len(self.tried))

    def written(self) -> None:
        """Say that the run's files were written, of what `found` returned."""
        self._study.written = len(self.tried)

    def _train(self, begun: Begun, seconds: float, needed: bool = False) -> Outcome:
        options = with_settings(self._run, self._study, begun.drawn).config.training
        attempt = Attempt(options, begun.medians, seconds)
        callbacks = self._listeners.callbacks

        def stop() -> bool:
            if needed or time.monotonic() < self._looked + _SECONDS_A_LOOK:
                return False
            self._look()
            return self.is_enough

        return try_settings(self._run.describing, attempt, callbacks, stop=stop)

    def _end(self, begun: Begun, outcome: Outcome) -> None:
        number = self._study.end(begun, outcome)
        self._look()
        this, fitted = with_settings(self._run, self._study, begun.drawn), outcome.fitted
        if fitted is None or outcome.pruned:
            return
        if is_default(this, self._run):
            self._default = fitted
        if self._best is None or fitted.best_loss < self._best[1].best_loss:
            self._best = (this, fitted, number)

    def _look(self) -> None:
        """Tell of the trials that have ended since the last look."""
        self._looked = time.monotonic()
        before = len(self.tried)
        if self._study.count > before:
            self.tried = self._study.tried()
            for end in range(before + 1, len(self.tried) + 1):
                self._listeners.told(self.tried[end - 1], self.tried[:end])
