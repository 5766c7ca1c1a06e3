"""Searches for a better configuration with Optuna; resumable from a journal in the run's folder.

The values that a trial draws depend only on the seed and on the number and results of the earlier
trials, so an interrupted and resumed search gives the same trials as an uninterrupted one.
"""

import hashlib
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chainrule.errors import InvalidArgumentError, TrainingDivergedError
from chainrule.runs.options import TrainingOptions
from chainrule.runs.run_fit import FittedNetwork
from chainrule.runs.space import (
    ACTIVATIONS,
    BATCHES,
    WIDTHS,
    drawn_settings,
    first_draw,
    open_settings,
)
from chainrule.runs.training import PreparedRun
from chainrule.training.events import Callback, EpochEnded, Event

if TYPE_CHECKING:
    from optuna.study import Study
    from optuna.trial import FrozenTrial, Trial

    from chainrule.runs.journal import Journal

# A trial is compared with the others after these epochs only, because each comparison writes to
# the journal, which takes time.
_COMPARED_AFTER = frozenset({4, 8, 16, 32, 64, 128, 256})


@dataclass(frozen=True)
class Tried:
    """A finished trial."""

    number: int
    """Counted from 1."""
    loss: float | None
    """The lowest validation loss; None if the training diverged."""
    settings: dict[str, Any]
    """The drawn values."""
    options: dict[str, Any]
    """The settings that follow from them, by the names of `TrainingOptions`."""
    pruned: bool
    """Whether the trial was pruned: others had a lower loss at the same epoch."""
    epochs: int
    seconds: float


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
    callbacks: Sequence[Callback] = (),
    earlier: Callable[[Sequence[Tried]], None] = lambda tried: None,
    told: Callable[[Tried, Sequence[Tried]], None] = lambda tried, all_of_them: None,
    better: Callable[[PreparedRun, FittedNetwork], None] = lambda run, fitted: None,
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
    callbacks : list of callables
        Each is called with every event of every trial.
    earlier : callable
        Called at the start with the trials of earlier calls, if there are any.
    told : callable
        Called after each trial, with this trial and all trials so far.
    better : callable
        Called with each trial that is the best so far, before `told`.

    Raises
    ------
    CheckpointInUseError
        If another search holds the journal.
    InvalidArgumentError
        If Optuna is not installed, all settings that a search varies are given, or the journal
        cannot be read.
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
        study = _study(run, opened, varied)
        return _searched(run, study, varied, trials, seconds, callbacks, earlier, told, better)


def search_id(run: PreparedRun) -> str:
    """Return a hash of everything that determines the trials of a search: table, options, space."""
    config = replace(run.config, training=run.asked)
    text = json.dumps([config.values(), WIDTHS, ACTIVATIONS, BATCHES], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def holds_search(journal: Path, run: PreparedRun) -> bool:
    """Return whether a journal has trials of the same search, which then continues it."""
    name = search_id(run)
    try:
        with journal.open(encoding="utf-8") as file:
            return any('"study_name"' in line and f'"{name}"' in line for line in file)
    except (OSError, UnicodeDecodeError):
        return False


def _searched(
    run: PreparedRun,
    study: "Study",
    varied: Sequence[str],
    trials: int | None,
    seconds: float | None,
    callbacks: Sequence[Callback],
    earlier: Callable[[Sequence[Tried]], None],
    told: Callable[[Tried, Sequence[Tried]], None],
    better: Callable[[PreparedRun, FittedNetwork], None],
) -> Found:
    import optuna

    deadline = float("inf") if seconds is None else time.monotonic() + seconds
    tried = _tried(study, run, varied)
    if tried:
        earlier(tried)
    default: FittedNetwork | None = None
    best: tuple[PreparedRun, FittedNetwork, Tried] | None = None
    while len(tried) < (trials or float("inf")):
        lowest = _lowest(tried)
        if lowest is not None and time.monotonic() >= deadline:
            break
        study.sampler = optuna.samplers.TPESampler(
            seed=(run.config.training.seed * 1_000_003 + len(tried)) % 2**32, n_startup_trials=8
        )
        if not tried and not _is_enqueued(study):
            study.enqueue_trial(first_draw(run, varied))
        trial = study.ask()
        drawn = drawn_settings(run, trial, varied)
        this = _with(run, drawn)
        ended, fitted = _try(this, study, trial, callbacks, deadline, lowest is not None)
        if ended is None:
            break
        ended = replace(ended, number=len(tried) + 1, options=drawn)
        tried = (*tried, ended)
        if fitted is not None and is_default(this, run):
            default = fitted
        if fitted is not None and _lowest(tried) is ended:
            best = (this, fitted, ended)
            better(this, fitted)
        told(ended, tried)
    this, fitted = _best(run, tried, best, varied, callbacks)
    if default is None:
        default = fitted if is_default(this, run) else _default(run, callbacks)
    return Found(this, fitted, tried, default)


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


def _is_enqueued(study: "Study") -> bool:
    """Return whether a killed search left a queued trial that never started."""
    from optuna.trial import TrialState

    return bool(study.get_trials(deepcopy=False, states=(TrialState.WAITING,)))


def _lowest(tried: Sequence[Tried]) -> Tried | None:
    """Return the first trial with the lowest loss among those that were not pruned."""
    whole = [one for one in tried if one.loss is not None and not one.pruned]
    return min(whole, key=lambda one: one.loss or 0.0, default=None)


def _quiet_optuna() -> None:
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)


def _study(run: PreparedRun, journal: "Journal", varied: Sequence[str]) -> "Study":
    import optuna

    from chainrule.runs.journal_entries import Entries, EntryError

    entries = Entries()
    for line, entry in enumerate(journal.read_logs(0), start=1):
        try:
            entries.check(entry)
        except EntryError as fault:
            raise journal.unusable(f"its line {line} {fault}") from fault
    name = search_id(run)
    storage = optuna.storages.JournalStorage(journal)
    pruner = optuna.pruners.MedianPruner(n_startup_trials=5, n_warmup_steps=4)
    if name in optuna.get_all_study_names(storage):
        # Not `create_study`, which writes an entry on every call.
        study = optuna.load_study(study_name=name, storage=storage, pruner=pruner)
    else:
        study = optuna.create_study(study_name=name, storage=storage, pruner=pruner)
    for trial in study.get_trials(deepcopy=False):
        misfit = _fault(run, trial, varied)
        if misfit:
            raise journal.unusable(f"its line {entries.line_of[trial._trial_id]} {misfit}")
    return study


def _fault(run: PreparedRun, trial: "FrozenTrial", varied: Sequence[str]) -> str:
    """Return the fault of a trial that was read from the journal, or "" if it is valid."""
    from optuna.trial import FixedTrial, TrialState

    first = first_draw(run, varied)
    fixed = trial.system_attrs.get("fixed_params", first)
    if fixed != first or (trial.state == TrialState.WAITING and trial.params):
        return "is of a trial that this search does not begin with"
    like: Any = FixedTrial(first)
    drawn_settings(run, like, varied)
    drawn = {name: like.distributions.get(name) for name in trial.distributions}
    if drawn != trial.distributions:
        return "is of a trial whose parameters this search does not vary so"
    whole = trial.state in (TrialState.COMPLETE, TrialState.PRUNED)
    if whole and len(drawn) != len(like.distributions):
        return "ends a trial that has not all parameters"
    return ""


def _tried(study: "Study", run: PreparedRun, varied: Sequence[str]) -> tuple[Tried, ...]:
    """Return the completed, pruned and diverged trials of a study."""
    from optuna.trial import FixedTrial, TrialState

    def options(drawn: dict[str, Any]) -> dict[str, Any]:
        again: Any = FixedTrial(drawn)
        return drawn_settings(run, again, varied)

    def ended(trial: "FrozenTrial") -> bool:
        return trial.state in (TrialState.COMPLETE, TrialState.PRUNED) or bool(
            trial.state == TrialState.FAIL and trial.user_attrs.get("diverged")
        )

    trials = [trial for trial in study.get_trials(deepcopy=False) if ended(trial)]
    return tuple(
        Tried(
            number,
            None if trial.state == TrialState.FAIL else trial.value,
            dict(trial.params),
            options(dict(trial.params)),
            trial.state == TrialState.PRUNED,
            int(trial.user_attrs.get("epochs", 0)),
            trial.duration.total_seconds() if trial.duration is not None else 0.0,
        )
        for number, trial in enumerate(trials, start=1)
    )


def _with(run: PreparedRun, drawn: dict[str, Any]) -> PreparedRun:
    training = replace(run.config.training, **drawn)
    return replace(run, config=replace(run.config, training=training))


def _try(
    run: PreparedRun,
    study: "Study",
    trial: "Trial",
    callbacks: Sequence[Callback],
    deadline: float,
    may_be_cut: bool,
) -> tuple[Tried | None, FittedNetwork | None]:
    """Train with one configuration; return (None, None) if the time limit ended it."""
    from optuna.trial import TrialState

    watch = _Watch(trial, deadline if may_be_cut else float("inf"))
    began = time.monotonic()
    try:
        fitted = run.train([watch, *callbacks])
    except TrainingDivergedError:
        trial.set_user_attr("diverged", True)
        study.tell(trial, state=TrialState.FAIL)
        seconds = time.monotonic() - began
        return Tried(0, None, trial.params, {}, False, watch.epochs, seconds), None
    except BaseException:
        study.tell(trial, state=TrialState.FAIL)
        raise
    if watch.late:
        study.tell(trial, state=TrialState.FAIL)
        return None, None
    trial.set_user_attr("epochs", watch.epochs)
    if watch.pruned:
        study.tell(trial, state=TrialState.PRUNED)
    else:
        study.tell(trial, fitted.best_loss)
    seconds = time.monotonic() - began
    loss = fitted.best_loss
    return Tried(0, loss, trial.params, {}, watch.pruned, watch.epochs, seconds), fitted


class _Watch:
    """A callback that ends a trial at the time limit, or when the pruner says so."""

    def __init__(self, trial: "Trial", deadline: float) -> None:
        self._trial, self._deadline = trial, deadline
        self._best = float("inf")
        self.epochs = 0
        self.late = self.pruned = False

    def __call__(self, event: Event) -> bool:
        """Consume an event."""
        if not isinstance(event, EpochEnded):
            return False
        self.epochs += 1
        if event.validation_loss is not None:
            self._best = min(self._best, event.validation_loss)
        self.late = time.monotonic() >= self._deadline
        if self.epochs in _COMPARED_AFTER and not self.late:
            self._trial.report(self._best, self.epochs)
            self.pruned = bool(self._trial.should_prune())
        return self.late or self.pruned


def _best(
    run: PreparedRun,
    tried: tuple[Tried, ...],
    best: tuple[PreparedRun, FittedNetwork, Tried] | None,
    varied: Sequence[str],
    callbacks: Sequence[Callback],
) -> tuple[PreparedRun, FittedNetwork]:
    """Return the best trial, trained again if an earlier process trained it."""
    from optuna.trial import FixedTrial

    lowest = _lowest(tried)
    if lowest is None:
        raise TrainingDivergedError(
            f"search: none of {len(tried)} trainings kept a finite loss; bring the columns to a "
            "smaller range, or give a smaller --learning-rate"
        )
    if best is not None and best[2] is lowest:
        return best[0], best[1]
    again: Any = FixedTrial(lowest.settings)
    chosen = _with(run, drawn_settings(run, again, varied))
    return chosen, chosen.train(callbacks)
