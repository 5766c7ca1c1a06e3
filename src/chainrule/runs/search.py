"""Searches for a better configuration with Optuna; resumable from a journal in the run's folder.

The values that a trial draws depend only on the seed and on the number and results of the trials of
earlier generations, so an interrupted and resumed search gives the same trials as an uninterrupted
one, and so do any number of workers.
"""

import time
from collections.abc import Callable, Generator, Sequence
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from chainrule.errors import InvalidArgumentError, TrainingDivergedError
from chainrule.runs.options import TrainingOptions
from chainrule.runs.run_fit import FittedNetwork
from chainrule.runs.space import open_settings
from chainrule.runs.training import PreparedRun
from chainrule.runs.trial_study import GENERATION, TrialStudy, Tried
from chainrule.runs.trials import Attempt, Outcome, tried_elsewhere, tried_here
from chainrule.training.events import Callback
from chainrule.workers.base import Session, Workers


@dataclass(frozen=True)
class Listeners:
    """Who is told of a search.

    Parameters
    ----------
    callbacks : list of callables
        Each is called with every event of every trial that is trained in this process.
    earlier : callable
        Called at the start with the trials of earlier calls, if there are any.
    told : callable
        Called after each trial, with this trial and all trials so far.
    better : callable
        Called with each trial that is the best so far, before `told`.
    """

    callbacks: Sequence[Callback] = ()
    earlier: Callable[[Sequence[Tried]], None] = field(default=lambda tried: None)
    told: Callable[[Tried, Sequence[Tried]], None] = field(default=lambda tried, all_of_them: None)
    better: Callable[[PreparedRun, FittedNetwork], None] = field(default=lambda run, fitted: None)


@dataclass(frozen=True)
class Found:
    """The best trial of a search, and all trials."""

    run: PreparedRun
    fitted: FittedNetwork
    tried: tuple[Tried, ...]
    """All trials in order, those of earlier calls included."""
    default: FittedNetwork | None
    """The network of the run without a search; None if its training diverged."""

    @property
    def is_default(self) -> bool:
        """Whether the best trial is the run without a search."""
        return self.default is self.fitted

    @property
    def best(self) -> Tried:
        """The trial that `run` and `fitted` are of."""
        lowest = lowest_of(self.tried)
        assert lowest is not None
        return lowest


def search(
    run: PreparedRun,
    journal: Path,
    *,
    trials: int | None = None,
    seconds: float | None = None,
    listeners: Listeners | None = None,
    workers: Workers | None = None,
) -> Found:
    """Try configurations, and return the one with the lowest validation loss.

    The first trial uses the configuration of a run without a search, or the nearest one in the
    search space. Settings that the user gave stay fixed.

    Parameters
    ----------
    run : PreparedRun
    journal : Path
        The file that stores the trials. A search of the same run resumes from it
        (`holds_search`); a search of another run ignores them.
    trials : int, optional
        The maximum number of trials, those of earlier calls included.
    seconds : float, optional
        The time limit. A trial that reaches it is discarded, but at least one is always finished.
    listeners : Listeners, optional
    workers : Workers, optional
        Who trains the trials, those of a generation at the same time. By default, they are trained
        here, one after the other. Without a time limit, the result is the same.

    Raises
    ------
    CheckpointInUseError
        If another search holds the journal.
    InvalidArgumentError
        If Optuna is not installed, all settings that a search varies are given, or the journal
        cannot be read.
    WorkersError
        If the workers are lost; the finished trials are in the journal.
    Interrupted
        On Ctrl-C; the finished trials are in the journal.
    """
    quiet_optuna()
    varied = varied_settings(run)
    from chainrule.runs.journal import Journal

    with Journal(journal) as opened:
        study = TrialStudy(run, opened, varied)
        began: AbstractContextManager[Session | None] = (
            nullcontext() if workers is None else workers.session(run.describing)
        )
        with began as session:
            return _Search(run, study, trials, seconds, listeners or Listeners(), session).found()


def varied_settings(run: PreparedRun) -> tuple[str, ...]:
    """Return the settings that a search of a run varies.

    Raises
    ------
    InvalidArgumentError
        If all of them are given, or contradict each other.
    """
    varied = open_settings(run.asked)
    if not varied:
        raise InvalidArgumentError(
            "search: expected some of layers, activation, learning_rate, l2, dropout and "
            "batch_size to be left open; all of them are set"
        )
    if "layers" in varied and isinstance(run.asked.activation, tuple):
        raise InvalidArgumentError(
            "activation: expected one name for a search that varies the number of layers; got "
            f"{','.join(run.asked.activation)}. Set layers too, or give one activation"
        )
    return varied


class _Search:
    """A search that is going on."""

    def __init__(
        self,
        run: PreparedRun,
        study: TrialStudy,
        trials: int | None,
        seconds: float | None,
        listeners: Listeners,
        session: Session | None,
    ) -> None:
        self._run, self._study, self._session = run, study, session
        self._trials = float("inf") if trials is None else trials
        self._deadline = float("inf") if seconds is None else time.monotonic() + seconds
        self._listeners = listeners
        self._tried = study.tried()
        self._default: FittedNetwork | None = None
        self._best: tuple[PreparedRun, FittedNetwork, Tried] | None = None

    def found(self) -> Found:
        """Try configurations until the number or the time is reached."""
        if self._tried:
            self._listeners.earlier(self._tried)
        while len(self._tried) < self._trials:
            if lowest_of(self._tried) is not None and time.monotonic() >= self._deadline:
                break
            self._try_generation()
        best = None if self._best is None else (*self._best[:2], self._best[2].number)
        callbacks = self._listeners.callbacks
        return found_among(self._run, self._study, self._tried, best, self._default, callbacks)

    def _try_generation(self) -> None:
        """Train the rest of a generation, and record its trials in order."""
        first = len(self._tried)
        end = min((first // GENERATION + 1) * GENERATION, self._trials)
        generation, drawn = self._study.generation(first), dict[int, dict[str, Any]]()

        def begin(index: int) -> Attempt:
            drawn[index] = generation.drawn(index)
            this = with_settings(self._run, self._study, drawn[index])
            # One trial at least is finished: the next one in order.
            may_be_cut = lowest_of(self._tried) is not None or index > len(self._tried)
            seconds = self._deadline - time.monotonic() if may_be_cut else float("inf")
            return Attempt(this.config.training, generation.medians, seconds)

        indices = range(first, int(end))
        with closing(self._outcomes(indices, begin)) as outcomes:
            for index, outcome in zip(indices, outcomes, strict=False):
                if outcome.late:
                    # Later trials of this generation are discarded too: their numbers, by which a
                    # search is gone on with, leave no gap.
                    return
                self._take(drawn[index], outcome)

    def _outcomes(self, indices: range, begin: Callable[[int], Attempt]) -> Generator[Outcome]:
        if self._session is not None:
            return tried_elsewhere(self._session, indices, begin)
        return tried_here(self._run.describing, indices, begin, self._listeners.callbacks)

    def _take(self, drawn: dict[str, Any], outcome: Outcome) -> None:
        ended = self._study.record(drawn, outcome)
        self._tried = (*self._tried, ended)
        this, fitted = with_settings(self._run, self._study, drawn), outcome.fitted
        if fitted is not None and is_default(this, self._run):
            self._default = fitted
        if fitted is not None and lowest_of(self._tried) is ended:
            self._best = (this, fitted, ended)
            self._listeners.better(this, fitted)
        self._listeners.told(ended, self._tried)


def found_among(
    run: PreparedRun,
    study: TrialStudy,
    tried: tuple[Tried, ...],
    best: tuple[PreparedRun, FittedNetwork, int] | None,
    default: FittedNetwork | None,
    callbacks: Sequence[Callback],
) -> Found:
    """Return the best trial, trained again if another process trained it, as the default is.

    `best` is the best of this process, with its number, and `default` the default trial, if this
    process trained them.

    Raises
    ------
    TrainingDivergedError
        If no trial has a loss.
    """
    lowest = lowest_of(tried)
    if lowest is None:
        raise TrainingDivergedError(
            f"search: none of {len(tried)} trainings kept a finite loss; bring the "
            "columns to a smaller range, or give a smaller --learning-rate"
        )
    if best is not None and best[2] == lowest.number:
        this, fitted = best[:2]
    else:
        this = with_settings(run, study, lowest.settings)
        fitted = this.train(callbacks)
    if default is None:
        default = fitted if is_default(this, run) else _default(run, callbacks)
    return Found(this, fitted, tried, default)


def with_settings(run: PreparedRun, study: TrialStudy, drawn: dict[str, Any]) -> PreparedRun:
    """Return a run with the settings that follow from what a trial drew."""
    training = replace(run.config.training, **study.options(drawn))
    return replace(run, config=replace(run.config, training=training))


def is_default(trial: PreparedRun, run: PreparedRun) -> bool:
    """Return whether a trial has the configuration of the run without a search."""
    return _without_zero(trial.config.training) == _without_zero(run.config.training)


def _without_zero(training: TrainingOptions) -> TrainingOptions:
    """Return options in which a dropout of 0, which a trial draws, is none."""
    return training if any(training.dropout or ()) else replace(training, dropout=None)


def _default(run: PreparedRun, callbacks: Sequence[Callback]) -> FittedNetwork | None:
    try:
        return run.train(callbacks)
    except TrainingDivergedError:
        return None


def lowest_of(tried: Sequence[Tried]) -> Tried | None:
    """Return the first trial with the lowest loss among those that were not pruned."""
    whole = [one for one in tried if one.loss is not None and not one.pruned]
    return min(whole, key=lambda one: one.loss or 0.0, default=None)


def quiet_optuna() -> None:
    """Keep Optuna from writing to the terminal."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
