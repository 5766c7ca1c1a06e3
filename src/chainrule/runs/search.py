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
        lowest = _lowest(self.tried)
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
    _quiet_optuna()
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
    from chainrule.runs.journal import Journal

    with Journal(journal) as opened:
        study = TrialStudy(run, opened, varied)
        began: AbstractContextManager[Session | None] = (
            nullcontext() if workers is None else workers.session(run.describing)
        )
        with began as session:
            return _Search(run, study, trials, seconds, listeners or Listeners(), session).found()


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
            if _lowest(self._tried) is not None and time.monotonic() >= self._deadline:
                break
            self._try_generation()
        this, fitted = self._chosen()
        default = self._default
        if default is None:
            callbacks = self._listeners.callbacks
            default = fitted if is_default(this, self._run) else _default(self._run, callbacks)
        return Found(this, fitted, self._tried, default)

    def _try_generation(self) -> None:
        """Train the rest of a generation, and record its trials in order."""
        first = len(self._tried)
        end = min((first // GENERATION + 1) * GENERATION, self._trials)
        generation, drawn = self._study.generation(first), dict[int, dict[str, Any]]()

        def begin(index: int) -> Attempt:
            drawn[index] = generation.drawn(index)
            options = self._with(drawn[index]).config.training
            # One trial at least is finished: the next one in order.
            may_be_cut = _lowest(self._tried) is not None or index > len(self._tried)
            seconds = self._deadline - time.monotonic() if may_be_cut else float("inf")
            return Attempt(options, generation.medians, seconds)

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
        this, fitted = self._with(drawn), outcome.fitted
        if fitted is not None and is_default(this, self._run):
            self._default = fitted
        if fitted is not None and _lowest(self._tried) is ended:
            self._best = (this, fitted, ended)
            self._listeners.better(this, fitted)
        self._listeners.told(ended, self._tried)

    def _with(self, drawn: dict[str, Any]) -> PreparedRun:
        config = self._run.config
        training = replace(config.training, **self._study.options(drawn))
        return replace(self._run, config=replace(config, training=training))

    def _chosen(self) -> tuple[PreparedRun, FittedNetwork]:
        """Return the best trial, trained again if an earlier process trained it."""
        lowest = _lowest(self._tried)
        if lowest is None:
            raise TrainingDivergedError(
                f"search: none of {len(self._tried)} trainings kept a finite loss; bring the "
                "columns to a smaller range, or give a smaller --learning-rate"
            )
        if self._best is not None and self._best[2] is lowest:
            return self._best[0], self._best[1]
        chosen = self._with(lowest.settings)
        return chosen, chosen.train(self._listeners.callbacks)


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


def _lowest(tried: Sequence[Tried]) -> Tried | None:
    """Return the first trial with the lowest loss among those that were not pruned."""
    whole = [one for one in tried if one.loss is not None and not one.pruned]
    return min(whole, key=lambda one: one.loss or 0.0, default=None)


def _quiet_optuna() -> None:
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
