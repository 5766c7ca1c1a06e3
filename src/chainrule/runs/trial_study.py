"""The trials of a search, in an Optuna study that a journal keeps.

Trials come in generations: what a trial draws, and what it is compared with, depends on the trials
of earlier generations alone. So those of a generation can be trained at the same time, by any
number of workers, and the result is the same.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from chainrule.errors import InvalidArgumentError
from chainrule.runs.search_identity import search_id
from chainrule.runs.space import drawn_settings, first_draw
from chainrule.runs.training import PreparedRun
from chainrule.runs.trials import COMPARED_AFTER, Outcome

if TYPE_CHECKING:
    from optuna.study import Study
    from optuna.trial import FrozenTrial, Trial

GENERATION = 8
"""Trials in a generation. The first ones are drawn without looking at others anyway, so the first
generation loses nothing; of later ones, each trial knows on average 4 trials fewer."""

# A median of fewer trials ends none.
_FEWEST = 5


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


class Backend(Protocol):
    """What a study asks of its journal beside what Optuna asks."""

    def read_logs(self, log_number_from: int) -> Iterator[dict[str, Any]]:
        """Return the entries from an index on."""

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        """Append entries."""

    def unusable(self, what: str) -> InvalidArgumentError:
        """Return the error that says why the journal cannot be resumed."""


class TrialStudy:
    """The trials of a search.

    Parameters
    ----------
    run : PreparedRun
    journal : Journal
        Open.
    varied : sequence of str
        The settings that the search varies.

    Raises
    ------
    InvalidArgumentError
        If the journal has entries that this search does not write.
    """

    shared = False
    """Whether several processes have trials in the journal at the same time."""

    def __init__(self, run: PreparedRun, journal: Backend, varied: Sequence[str]) -> None:
        self._run, self._varied = run, varied
        self._study = _opened(run, journal, varied, search_id(run, shared=self.shared))

    def tried(self) -> tuple[Tried, ...]:
        """Return the completed, pruned and diverged trials."""
        from optuna.trial import TrialState

        return tuple(
            Tried(
                number,
                None if trial.state == TrialState.FAIL else trial.value,
                dict(trial.params),
                self.options(dict(trial.params)),
                trial.state == TrialState.PRUNED,
                int(trial.user_attrs.get("epochs", 0)),
                _seconds(trial),
            )
            for number, trial in enumerate(self._ended(), start=1)
        )

    def options(self, drawn: dict[str, Any]) -> dict[str, Any]:
        """Return the settings that follow from drawn values."""
        from optuna.trial import FixedTrial

        again: Any = FixedTrial(drawn)
        return drawn_settings(self._run, again, self._varied)

    def _ended(self) -> "list[FrozenTrial]":
        from optuna.trial import TrialState

        return [
            trial
            for trial in self._study.get_trials(deepcopy=False)
            if trial.state in (TrialState.COMPLETE, TrialState.PRUNED)
            or (trial.state == TrialState.FAIL and trial.user_attrs.get("diverged"))
        ]

    def generation(self, index: int) -> "Generation":
        """Return the generation of the trial with an index, from 0; earlier ones have ended."""
        earlier = self._ended()[: index // GENERATION * GENERATION]
        return Generation(self._run, self._varied, earlier)

    def record(self, drawn: dict[str, Any], outcome: Outcome) -> Tried:
        """Write a trial that has ended to the journal."""
        number = len(self._ended()) + 1
        if number == 1 and not self._is_enqueued():
            self._study.enqueue_trial(first_draw(self._run, self._varied))
        self._study.sampler = given(drawn)
        trial = self._study.ask()
        options = drawn_settings(self._run, trial, self._varied)
        loss = self._tell(trial, outcome)
        return Tried(number, loss, drawn, options, outcome.pruned, outcome.epochs, outcome.seconds)

    def _tell(self, trial: "Trial", outcome: Outcome) -> float | None:
        """Write how a trial ended; return its loss, None if it diverged."""
        from optuna.trial import TrialState

        for epoch, lowest in outcome.losses:
            trial.report(lowest, epoch)
        trial.set_user_attr("epochs", outcome.epochs)
        trial.set_user_attr("seconds", outcome.seconds)
        loss = None if outcome.fitted is None else outcome.fitted.best_loss
        if loss is None:  # the training diverged
            trial.set_user_attr("diverged", True)
            self._study.tell(trial, state=TrialState.FAIL)
        elif outcome.pruned:
            self._study.tell(trial, state=TrialState.PRUNED)
        else:
            self._study.tell(trial, loss)
        return loss

    def _is_enqueued(self) -> bool:
        """Return whether a killed search left a queued trial that never started."""
        from optuna.trial import TrialState

        return bool(self._study.get_trials(deepcopy=False, states=(TrialState.WAITING,)))


class Generation:
    """Trials that are drawn from the same earlier ones."""

    def __init__(
        self, run: PreparedRun, varied: Sequence[str], earlier: "Sequence[FrozenTrial]"
    ) -> None:
        import optuna

        self._run, self._varied, self._earlier = run, varied, earlier
        self._study = optuna.create_study()
        self._study.add_trials(earlier)
        self.medians = median_losses(earlier)

    def drawn(self, index: int) -> dict[str, Any]:
        """Return the values that the trial with an index, from 0, draws."""
        import optuna

        if index == 0:
            self._study.enqueue_trial(first_draw(self._run, self._varied))
        seed = (self._run.config.training.seed * 1_000_003 + index) % 2**32
        self._study.sampler = optuna.samplers.TPESampler(seed=seed, n_startup_trials=GENERATION)
        trial = self._study.ask()
        drawn_settings(self._run, trial, self._varied)
        return trial.params


def median_losses(earlier: "Sequence[FrozenTrial]") -> Mapping[int, float]:
    """Return the median of what earlier trials, trained to the end, had after each compared epoch.

    Source: Golovin and others 2017, "Google Vizier", the median stopping rule.
    """
    from optuna.trial import TrialState

    whole = [one.intermediate_values for one in earlier if one.state == TrialState.COMPLETE]
    if len(whole) < _FEWEST:
        return {}
    by_epoch = {
        epoch: [values[epoch] for values in whole if epoch in values] for epoch in COMPARED_AFTER
    }
    return {epoch: float(np.median(values)) for epoch, values in by_epoch.items() if values}


def given(drawn: dict[str, Any]) -> Any:
    """Return a sampler that returns values that were drawn before."""
    import optuna

    class Given(optuna.samplers.BaseSampler):
        def infer_relative_search_space(self, study: Any, trial: Any) -> dict[str, Any]:
            return {}

        def sample_relative(self, study: Any, trial: Any, search_space: Any) -> dict[str, Any]:
            return {}

        def sample_independent(self, study: Any, trial: Any, param_name: str, distribution: Any):  # type: ignore[no-untyped-def]
            return drawn[param_name]

    return Given()


def _seconds(trial: "FrozenTrial") -> float:
    # Earlier versions recorded when a trial began and ended, and not how long it took.
    if "seconds" in trial.user_attrs:
        return float(trial.user_attrs["seconds"])
    return trial.duration.total_seconds() if trial.duration is not None else 0.0


def _opened(run: PreparedRun, journal: Backend, varied: Sequence[str], name: str) -> "Study":
    import optuna

    from chainrule.runs.journal_entries import Entries, EntryError

    entries = Entries()
    for line, entry in enumerate(journal.read_logs(0), start=1):
        try:
            entries.check(entry)
        except EntryError as fault:
            raise journal.unusable(f"its line {line} {fault}") from fault
    storage: Any = optuna.storages.JournalStorage(journal)  # type: ignore[arg-type]
    if name in optuna.get_all_study_names(storage):
        # Not `create_study`, which writes an entry on every call.
        study = optuna.load_study(study_name=name, storage=storage)
    else:
        study = optuna.create_study(study_name=name, storage=storage)
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
