"""Trains a network on arrays by a run's options, as the Network… estimators do by theirs.

scikit-learn is not imported, because the import takes longer than training on a small table.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from chainrule.communication.agreement import same_outcome
from chainrule.ensembles.summary import EnsembleSummary
from chainrule.errors import InvalidArgumentError, NothingLearnedError, TrainingDivergedError
from chainrule.files.locks import FileLock
from chainrule.model.checkpoints import DEFAULT_EVERY, open_checkpointer
from chainrule.model.network import Network
from chainrule.model.temperature import Temperature
from chainrule.runs.options import TrainingOptions
from chainrule.runs.plan import Description
from chainrule.training.checkpointer import Checkpointer
from chainrule.training.events import Callback
from chainrule.training.history import History
from chainrule.training.plan import Plan
from chainrule.training.state import State


@dataclass(frozen=True, eq=False)
class OutOfFold:
    """What an ensemble says of the rows that it was trained on, by networks that did not see them.

    The rows are those of the training part, then those of the validation part.
    """

    rows: NDArray[np.intp]
    """The rows with such a prediction: all, unless a time limit left folds out."""
    outputs: NDArray[np.floating]
    """A[L] of these rows, (rows, n[L])."""
    validating: Network
    """The networks of the ensemble that did not learn from the validation part, merged."""
    summary: EnsembleSummary


@dataclass(frozen=True)
class FittedNetwork:
    """The result of a training."""

    network: Network
    history: History
    best_epoch: int | None
    """The epoch whose weights were kept; None for the last epoch."""
    notes: tuple[str, ...] = ()
    """Deviations from the requested training, such as an early end."""
    temperature: Temperature | None = None
    """The temperature that was fitted to the validation rows; None for values."""
    out_of_fold: OutOfFold | None = None
    """Of an ensemble; None for a single network."""

    @property
    def best_loss(self) -> float:
        """The validation loss of the weights that were kept."""
        kept = [e for e in self.history.epochs if e.epoch == self.best_epoch]
        # Without early stopping, best_epoch is None and the last epoch's weights were kept.
        loss = (kept or self.history.epochs[-1:])[0].validation_loss
        # L-BFGS has no validation loss; infinity keeps the result comparable.
        return float("inf") if loss is None else loss


@dataclass(frozen=True)
class Checkpointing:
    """Where a training writes its checkpoints, how often, and whether it resumes from one."""

    path: Path
    every: int | str = DEFAULT_EVERY
    resume: bool = False
    lock: FileLock | None = None
    """The checkpoint's lock, if the caller already holds it."""


def fit(
    description: Description,
    callbacks: Sequence[Callback] = (),
    checkpointing: Checkpointing | None = None,
) -> FittedNetwork:
    """Train a network on encoded rows.

    Parameters
    ----------
    description : Description
    callbacks : list of callables
        Each is called with every event; returning True after an `EpochEnded` stops the training.
    checkpointing : Checkpointing, optional
        Where checkpoints are written, and whether training resumes from one.

    Returns
    -------
    FittedNetwork
        With early stopping, it has the weights of the epoch with the lowest validation loss;
        otherwise, those of the last epoch. For classes, the output layer is divided by the
        temperature if the options say so.

    Raises
    ------
    InvalidArgumentError
        If an option is invalid, such as a checkpoint with L-BFGS.
    TrainingDivergedError
        If the loss is not finite from the first epoch on.
    Interrupted
        On Ctrl-C, or a SystemExit raised by a signal handler; it has the result so far.
    """
    options, checkpointer, ranks = description.options, None, description.communicator
    if checkpointing is not None:
        if options.optimizer == "lbfgs":
            raise InvalidArgumentError(
                "checkpoint: the optimizer lbfgs cannot go on to the same bits; use another, such "
                "as adam"
            )
        checkpointer = open_checkpointer(
            checkpointing.path, checkpointing.every, checkpointing.resume, checkpointing.lock, ranks
        )
    history, network = History(), None
    notes: list[str] = []
    try:
        # Warnings become notes of the run. "always" records those that Python would show only once.
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                with same_outcome(ranks):
                    network = description.network()
                    plan = description.plan(network)
                description.check_same(plan)
                consumers: list[Callback] = [history, *callbacks]
                notes += _trained(description, plan, consumers, network, history, checkpointer)
            finally:
                if checkpointer is not None:
                    checkpointer.close()
        notes = [*(str(warning.message) for warning in caught), *notes]
        best = _best_epoch(options, history)
        temperature = description.calibrated(network)
        # `dict.fromkeys` drops repeated notes but keeps their order.
        return FittedNetwork(network, history, best, tuple(dict.fromkeys(notes)), temperature)
    except (KeyboardInterrupt, SystemExit) as interrupt:
        if network is None:
            raise  # there is no network to return
        fitted = FittedNetwork(network, history, _best_epoch(options, history))
        raise Interrupted(fitted, interrupt) from interrupt


class Interrupted(KeyboardInterrupt):
    """A training was interrupted; `fitted` is its result, with the best weights so far."""

    def __init__(self, fitted: FittedNetwork, interrupt: BaseException) -> None:
        super().__init__("interrupted")
        self.fitted = fitted
        self.interrupt = interrupt
        """The KeyboardInterrupt, or the SystemExit raised by a signal handler."""


def _trained(
    description: Description,
    plan: Plan,
    consumers: Sequence[Callback],
    network: Network,
    history: History,
    checkpointer: Checkpointer | None,
) -> list[str]:
    """Train by a plan; return notes on deviations from it."""
    state = State.of(plan)
    if checkpointer is not None:
        description.attach(checkpointer, plan, state, consumers)
    history.diagnostics = state.diagnostics
    try:
        fitted = network._conduct(plan, consumers, state, checkpointer)
    except TrainingDivergedError as error:
        # After at least one epoch there is a network to keep, so divergence is only a note.
        if state.epochs == 0:
            raise NothingLearnedError.of(error) from error
        return [f"training ended after {state.epochs} epochs: {error}"]
    return [fitted.shortfall] if fitted.shortfall else []


def _best_epoch(options: TrainingOptions, history: History) -> int | None:
    """Return the epoch whose weights are kept; None for the last epoch."""
    best, lowest = None, np.inf
    for epoch in history.epochs if options.early_stopping else ():
        # `<`, not `<=`: of equal losses, the first epoch is the best.
        if epoch.validation_loss is not None and epoch.validation_loss < lowest:
            best, lowest = epoch.epoch, epoch.validation_loss
    return best
