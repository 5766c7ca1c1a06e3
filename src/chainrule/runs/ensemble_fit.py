"""quality = "best": trains an ensemble by a run's options.

The validation part of the rows is the first fold, and the training part is divided into the others.
So the networks whose fold is the first are an ensemble that has not learned from the validation
rows: their scores are those of that ensemble.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from chainrule.ensembles.members import Draft, MemberEnded, Place
from chainrule.ensembles.members import Rows as MemberRows
from chainrule.ensembles.store import MemberStore
from chainrule.ensembles.summary import EnsembleSummary
from chainrule.ensembles.training import (
    FOLDS,
    Ensemble,
    EnsembleInterrupted,
    Task,
    train_ensemble,
)
from chainrule.ensembles.variations import member_seed, varied
from chainrule.ensembles.workers import workers_of
from chainrule.errors import InvalidArgumentError
from chainrule.model.checkpoints import open_store
from chainrule.model.temperature import calibrated_by, fold, head_units
from chainrule.runs.options import TrainingOptions
from chainrule.runs.plan import Description, EncodedRows
from chainrule.runs.presets import parameters_of
from chainrule.runs.run_fit import Checkpointing, FittedNetwork, Interrupted, OutOfFold
from chainrule.settings.duration import read_duration
from chainrule.settings.networks import drawn_network, with_dropout
from chainrule.settings.table import OPTIONS
from chainrule.tables.folds import divided_into_folds
from chainrule.training.events import Callback
from chainrule.training.history import History

if TYPE_CHECKING:
    from chainrule.runs.training import PreparedRun

BEST = "best"


def fit_best(
    run: "PreparedRun",
    callbacks: Sequence[Callback] = (),
    checkpointing: Checkpointing | None = None,
    told: Callable[[MemberEnded], object] | None = None,
) -> FittedNetwork:
    """Train an ensemble on the training and validation rows of a run.

    Parameters
    ----------
    run : PreparedRun
    callbacks : list of callables
        Each is called with every event of the first network's training.
    checkpointing : Checkpointing, optional
        Where finished networks are kept, and whether those of an interrupted run are used.
    told : callable, optional
        Called after each network.

    Raises
    ------
    InvalidArgumentError
        If an option does not suit an ensemble.
    NothingLearnedError
        If the loss of a network is not finite in its first epochs.
    Interrupted
        On Ctrl-C, or a SystemExit raised by a signal handler; it has the ensemble so far.
    """
    options = run.config.training
    if options.optimizer == "lbfgs":
        raise InvalidArgumentError(
            "quality: best trains by steps, and the optimizer lbfgs takes none; use another, such "
            "as adamw"
        )
    files = store = None
    if checkpointing is not None:
        files = open_store(
            checkpointing.path, checkpointing.every, checkpointing.resume, checkpointing.lock
        )
    try:
        if files is not None and checkpointing is not None:
            store = MemberStore(files, checkpointing.resume)
        members = _Members(run, callbacks)
        limit = options.time_limit
        task = Task(
            members.spec,
            members.examples(),
            _folds(run),
            members.described,
            workers_of(options.threads),
            seconds=None if limit is None else read_duration(limit),
            store=store,
            told=told,
        )
        try:
            ensemble = train_ensemble(task)
        except EnsembleInterrupted as interrupt:
            if interrupt.ensemble is None:
                raise interrupt.interrupt from None
            fitted = _fitted(run, interrupt.ensemble, members)
            raise Interrupted(fitted, interrupt.interrupt) from interrupt
        return _fitted(run, ensemble, members)
    finally:
        if files is not None:
            files.close()


def all_rows(run: "PreparedRun") -> EncodedRows:
    """Return the rows of an ensemble: those of the training part, then those of the validation."""
    parts = (run.training, run.validation)
    return EncodedRows(*(np.concatenate(each) for each in zip(*parts, strict=True)))


def _folds(run: "PreparedRun") -> NDArray[np.intp]:
    """Return the fold of each of `all_rows`: 0 for the validation part, then those of the rest."""
    data, part = run.config.data, run.parts.train
    classes = run.training.y if run.target.task == "classification" else None
    rest = divided_into_folds(
        part.height,
        min(FOLDS - 1, part.height),
        seed=run.config.training.seed,
        classes=classes,
        groups=part[data.group].cast(_text()).to_numpy() if data.group else None,
        times=part[data.time] if data.time else None,
    )
    return np.concatenate([rest + 1, np.zeros(len(run.validation.X), np.intp)])


def _text() -> Any:
    import polars as pl

    return pl.String


class _Members:
    """Describes the members of a run's ensemble."""

    def __init__(self, run: "PreparedRun", callbacks: Sequence[Callback]) -> None:
        self._run, self._callbacks = run, callbacks
        self._rows = all_rows(run)
        whole = run.description()
        self._whole_network = whole.network()
        self.spec = self._whole_network.spec
        self.history = History()
        """Of the first member."""

    def examples(self) -> Any:
        """Return all rows as examples, with the targets of the loss."""
        return self._described(self._run.config.training, self._rows, self._rows).softened(
            self._whole_network, self._rows
        )

    def hard_examples(self) -> Any:
        """Return all rows as examples, with the targets as they are."""
        return self._described(self._run.config.training, self._rows, self._rows).examples(
            self._whole_network, self._rows
        )

    def described(self, place: Place, rows: MemberRows, epochs: int | None) -> Draft:
        """Return a member with a network of its own."""
        seed = self._run.config.training.seed
        options = self._run.config.training
        given = parameters_of(options, self._run.target.task)
        options = replace(options, threads=1, **_as_options(varied(given, seed, place.variation)))
        if epochs is not None:
            options = replace(options, epochs=epochs)
        training, held_out = (EncodedRows(*(each[some] for each in self._rows)) for some in rows)
        random = np.random.RandomState(member_seed(seed, place))
        description = self._described(options, training, held_out, random)
        network = drawn_network(
            description.given, with_dropout(self.spec, description.given), random
        )
        plan = description.plan(network)
        consumers: list[Callback] = []
        if place == Place(0, 0) and epochs is None:
            consumers = [self.history, *self._callbacks]
        return Draft(network, plan, consumers=consumers)

    def _described(
        self,
        options: TrainingOptions,
        training: EncodedRows,
        validation: EncodedRows,
        random: np.random.RandomState | None = None,
    ) -> Description:
        return self._run.description(options, training, validation, random)


def _as_options(changed: Mapping[str, Any]) -> dict[str, Any]:
    """Return changed parameters as options of a run."""
    names = {row.parameter_name: row for row in OPTIONS}
    return {
        names[name].name: (value,) if names[name].form == "numbers" else value
        for name, value in changed.items()
    }


def _fitted(run: "PreparedRun", ensemble: Ensemble, members: _Members) -> FittedNetwork:
    mode: Any = run.config.training.calibrate or "off"
    examples = members.hard_examples().take(ensemble.rows)
    network = ensemble.network
    found = calibrated_by(network, ensemble.outputs, examples, mode)
    scaled = ensemble.outputs.astype(np.float64)
    for units, one in zip(head_units(network.spec), found, strict=True):
        if one is not None and one.applied:
            fold(ensemble.first_fold, one.value, units)
            scaled[:, units] /= one.value
    outputs = network.spec.activations[-1].function(scaled.T).T.astype(network.spec.dtype)
    notes = [
        f"network {index} of the ensemble ended after {member.epochs} epochs: {member.note}"
        for index, member in enumerate(ensemble.members, start=1)
        if member.note
    ]
    return FittedNetwork(
        network,
        members.history,
        None,
        tuple(notes),
        found[0],
        OutOfFold(
            ensemble.rows,
            outputs,
            ensemble.first_fold,
            EnsembleSummary.of(ensemble),
        ),
    )
