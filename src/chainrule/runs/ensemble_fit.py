"""quality = "best": trains an ensemble by a run's options.

The validation part of the rows is the first fold, and the training part is divided into the others.
So the networks whose fold is the first are an ensemble that has not learned from the validation
rows: their scores are those of that ensemble.
"""

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from chainrule.ensembles.ensemble import Ensemble, EnsembleInterrupted
from chainrule.ensembles.members import Draft, MemberEnded, Place
from chainrule.ensembles.members import Rows as MemberRows
from chainrule.ensembles.store import MemberStore
from chainrule.ensembles.summary import EnsembleSummary
from chainrule.ensembles.training import FOLDS, train_ensemble
from chainrule.ensembles.training import Task as EnsembleTask
from chainrule.ensembles.variations import member_seed, varied
from chainrule.errors import InvalidArgumentError
from chainrule.model.temperature import calibrated_by, fold, head_units, outputs_at
from chainrule.runs.options import TrainingOptions
from chainrule.runs.plan import Description, EncodedRows
from chainrule.runs.presets import parameters_of
from chainrule.runs.run_fit import Checkpointing, FittedNetwork, Interrupted, OutOfFold
from chainrule.settings.duration import read_duration
from chainrule.settings.networks import drawn_network, with_dropout
from chainrule.settings.table import OPTIONS
from chainrule.tables.folds import divided_into_folds
from chainrule.tables.task import Task
from chainrule.training.events import Callback
from chainrule.training.history import History
from chainrule.training.state import State
from chainrule.workers.base import Workers
from chainrule.workers.cores import threads_of

if TYPE_CHECKING:
    import polars as pl


class EnsembleRows(NamedTuple):
    """The rows that an ensemble learns from: the training part, then the validation part."""

    encoded: EncodedRows
    folds: NDArray[np.intp]
    """The fold of each row: 0 for those of the validation part."""

    @classmethod
    def of(
        cls,
        training: EncodedRows,
        validation: EncodedRows,
        seed: int,
        classes: NDArray[Any] | None,
        groups: "pl.Series | None",
        times: "pl.Series | None",
    ) -> "EnsembleRows":
        """Return the rows of both parts, and divide those of the training part into folds.

        `classes`, `groups` and `times` are of the training rows; see `divided_into_folds`.
        """
        n = len(training.X)
        folds = divided_into_folds(
            n,
            min(FOLDS - 1, n),
            seed=seed,
            classes=classes,
            groups=None if groups is None else groups.rank("dense").to_numpy(),
            times=times,
        )
        both = EncodedRows(*map(np.concatenate, zip(training, validation, strict=True)))
        return cls(both, np.concatenate([folds + 1, np.zeros(len(validation.X), np.intp)]))


Described = Callable[
    [TrainingOptions, EncodedRows, EncodedRows, np.random.RandomState | None], Description
]
"""Describes a training by options, training rows, validation rows and a random state."""


def fit_best(
    described: Described,
    whole: Description,
    rows: EnsembleRows,
    task: Task,
    callbacks: Sequence[Callback] = (),
    checkpointing: Checkpointing | None = None,
    told: Callable[[MemberEnded], object] | None = None,
    workers: Workers | None = None,
) -> FittedNetwork:
    """Train an ensemble on the training and validation rows of a run.

    Parameters
    ----------
    described : callable
    whole : Description
        Of a single network with the options of the run.
    rows : EnsembleRows
    task : {"classification", "regression"}
    callbacks : list of callables
        Each is called with every event of the first network's training.
    checkpointing : Checkpointing, optional
        Where finished networks are kept, and whether those of an interrupted run are used.
    told : callable, optional
        Called after each network.
    workers : Workers, optional
        Who trains all networks but the first; by default the threads of this process.

    Raises
    ------
    InvalidArgumentError
        If an option does not suit an ensemble.
    NothingLearnedError
        If the loss of a network is not finite in its first epochs.
    WorkersError
        If the workers are lost; the checkpoint has the networks that they have trained.
    Interrupted
        On Ctrl-C, or a SystemExit raised by a signal handler; it has the ensemble so far.
    """
    options = whole.options
    if options.optimizer == "lbfgs":
        raise InvalidArgumentError(
            "quality: best trains by steps, and the optimizer lbfgs takes none; use another, such "
            "as adamw"
        )
    store = None
    if checkpointing is not None:
        store = MemberStore.opened(
            checkpointing.path, checkpointing.every, checkpointing.resume, checkpointing.lock
        )
    try:
        members = _Members(described, whole, rows, task, callbacks)
        limit = options.time_limit
        asked = EnsembleTask(
            members.spec,
            whole.softened(members.network, rows.encoded),
            rows.folds,
            members.described,
            threads_of(options.threads),
            seconds=None if limit is None else read_duration(limit),
            store=store,
            told=told,
            workers=workers,
        )
        try:
            # Warnings become notes of the run.
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                ensemble = train_ensemble(asked)
        except EnsembleInterrupted as interrupt:
            if interrupt.ensemble is None:
                raise interrupt.interrupt from None
            fitted = _fitted(interrupt.ensemble, members)
            raise Interrupted(fitted, interrupt.interrupt) from interrupt
        return _fitted(ensemble, members, [str(warning.message) for warning in caught])
    finally:
        if store is not None:
            store.close()


class _Members:
    """Describes the members of a run's ensemble."""

    def __init__(
        self,
        described: Described,
        whole: Description,
        rows: EnsembleRows,
        task: Task,
        callbacks: Sequence[Callback],
    ) -> None:
        self._described, self._task = described, task
        self.whole, self.rows = whole, rows.encoded
        self._callbacks = callbacks
        self._options = whole.options
        self.network = whole.network()
        self.spec = self.network.spec
        self.history = History()
        """Of the first member."""

    def __getstate__(self) -> dict[str, Any]:
        """Return what a worker needs: neither the first member's consumers, nor other arrays."""
        left = {"whole", "network", "history"}
        state = {name: value for name, value in vars(self).items() if name not in left}
        return {**state, "_callbacks": ()}

    def described(self, place: Place, rows: MemberRows, epochs: int | None, shown: bool) -> Draft:
        """Return a member with a network of its own."""
        options = self._options
        changed = varied(parameters_of(options, self._task), place.variation)
        options = replace(options, threads=1, **_as_options(changed))
        if epochs is not None:
            options = replace(options, epochs=epochs)
        training, held_out = (EncodedRows(*(each[some] for each in self.rows)) for some in rows)
        random = np.random.RandomState(member_seed(options.seed, place))
        description = self._described(options, training, held_out, random)
        network = drawn_network(
            description.given, with_dropout(self.spec, description.given), random
        )
        plan = description.plan(network)
        if not shown:
            return Draft(network, replace(plan, diagnosed=False))
        state = State.of(plan)
        self.history.diagnostics = state.diagnostics
        return Draft(network, plan, state, [self.history, *self._callbacks])


def _as_options(changed: Mapping[str, Any]) -> dict[str, Any]:
    """Return changed parameters as options of a run."""
    names = {row.parameter_name: row for row in OPTIONS}
    return {
        names[name].name: (value,) if names[name].form == "numbers" else value
        for name, value in changed.items()
    }


def _fitted(ensemble: Ensemble, members: _Members, notes: Sequence[str] = ()) -> FittedNetwork:
    mode: Any = members.whole.options.calibrate or "off"
    network = ensemble.network
    examples = members.whole.examples(network, members.rows).take(ensemble.rows)
    found = calibrated_by(network, ensemble.outputs, examples, mode)
    temperatures = [1.0 if one is None else one.value for one in found]
    for units, temperature in zip(head_units(network.spec), temperatures, strict=True):
        if temperature != 1:
            fold(ensemble.first_fold, temperature, units)
    outputs = outputs_at(network.spec, ensemble.outputs, temperatures)
    ended = [
        f"network {index} of the ensemble ended after {member.epochs} epochs: {member.note}"
        for index, member in enumerate(ensemble.members, start=1)
        if member.note
    ]
    return FittedNetwork(
        network,
        members.history,
        None,
        tuple(dict.fromkeys((*notes, *ended))),
        found[0],
        OutOfFold(
            ensemble.rows,
            outputs,
            ensemble.first_fold,
            EnsembleSummary.of(ensemble),
        ),
    )
