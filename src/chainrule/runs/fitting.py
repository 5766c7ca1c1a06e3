"""Training a network on arrays by a run's options: what the Network… estimators do with theirs.

The estimators' own functions do it, on an object that has their parameters and is no scikit-learn
estimator: importing scikit-learn takes longer than training on a small table.
"""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.engines.base import Examples, Objective
from chainrule.errors import InvalidArgumentError
from chainrule.estimators.building import new_network
from chainrule.estimators.losses import Output, classification_output, regression_output
from chainrule.estimators.parameters import hidden_sizes
from chainrule.estimators.running import run, run_lbfgs
from chainrule.estimators.validation import HeldOut
from chainrule.files.locking import FileLock
from chainrule.model.checkpoints import DEFAULT_EVERY, open_checkpointer
from chainrule.model.network import Network
from chainrule.network.layers import Dense
from chainrule.runs.options import TrainingOptions
from chainrule.runs.presets import default_of
from chainrule.tables.target import TargetEncoder
from chainrule.training.checkpointing import Checkpointer
from chainrule.training.events import Callback, EpochEnded, Event, Resumed
from chainrule.training.examples import smoothed
from chainrule.training.history import History
from chainrule.training.metrics import METRICS, Metric, rmse

Floats = NDArray[np.floating]


@dataclass(frozen=True)
class Fitted:
    """What a training left."""

    network: Network
    history: History
    best_epoch: int | None
    """The epoch whose weights were kept; None: the last one's."""
    notes: tuple[str, ...] = ()
    """What went otherwise than asked for."""

    @property
    def best_loss(self) -> float:
        """The loss of the validation rows with the weights that were kept."""
        kept = [e for e in self.history.epochs if e.epoch == self.best_epoch]
        loss = (kept or self.history.epochs[-1:])[0].validation_loss
        return float("inf") if loss is None else loss


@dataclass(frozen=True)
class Checkpointing:
    """Where a training writes its checkpoints, how often, and whether it goes on from one."""

    path: Path
    every: int | str = DEFAULT_EVERY
    resume: bool = False
    lock: FileLock | None = None
    """That of the checkpoint, if it is held already."""


def fit(
    options: TrainingOptions,
    target: TargetEncoder,
    training: tuple[Floats, NDArray[Any]],
    validation: tuple[Floats, NDArray[Any]],
    *,
    embeddings: Sequence[tuple[int, int, int]] = (),
    callbacks: Sequence[Callback] = (),
    checkpointing: Checkpointing | None = None,
) -> Fitted:
    """Train a network on encoded rows.

    Parameters
    ----------
    options : TrainingOptions
        Resolved: every setting that matters has a value.
    target : TargetEncoder
    training, validation : (X, y)
        Inputs (rows, inputs) and targets (rows,): class indices, or values as the target encodes
        them.
    embeddings : list of (column, codes, dimension)
        Which inputs are codes to look numbers up by.
    callbacks : list of callables
        Each is called with every event; returning True after an `EpochEnded` stops.
    checkpointing : Checkpointing, optional
        Where checkpoints are written, and whether training goes on from one.

    Returns
    -------
    Fitted
        With the weights of the epoch with the lowest loss of the validation rows, if early
        stopping is on.

    Raises
    ------
    InvalidArgumentError
        If an option does not fit.
    TrainingDivergedError
        If the very first epochs leave no finite loss.
    Interrupted
        On Ctrl-C, or a SystemExit by a signal, with what the training has left.
    """
    this = _Fit(options, target)
    this.embeddings = list(embeddings)
    checkpointer = None
    if checkpointing is not None:
        if options.optimizer == "lbfgs":
            raise InvalidArgumentError(
                "checkpoint: the optimizer lbfgs cannot go on to the same bits; use another, such "
                "as adam"
            )
        checkpointer = open_checkpointer(
            checkpointing.path, checkpointing.every, checkpointing.resume, checkpointing.lock
        )
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            this.train(training, validation, callbacks, checkpointer)
        except (KeyboardInterrupt, SystemExit) as interrupt:
            if "network_" not in vars(this):
                raise  # nothing is left
            raise Interrupted(this.fitted(), interrupt) from interrupt
        finally:
            if checkpointer is not None:
                checkpointer.close()
    return this.fitted(tuple(dict.fromkeys(str(warning.message) for warning in caught)))


class Interrupted(KeyboardInterrupt):
    """A training was interrupted: `fitted` is what it left, with the best weights so far."""

    def __init__(self, fitted: Fitted, interrupt: BaseException) -> None:
        super().__init__("interrupted")
        self.fitted = fitted
        self.interrupt = interrupt
        """KeyboardInterrupt, or the SystemExit that a signal asked for."""


class _Fit:
    """An estimator in all but name: parameters, and what a training keeps up to date."""

    _adam_is_constant = False
    _prints_iterations = False
    _diagnoses = True  # warnings become notes
    _ends_when_interrupted = False
    _diagnoses = True
    _measures_training = False  # a quarter of the time would go into it
    initial_weights = None
    embeddings: Sequence[tuple[int, int, int]] = ()
    n_layers = n_units = None
    max_fun = 15000
    verbose = False
    network_: Network
    n_iter_ = t_ = 0

    def __init__(self, options: TrainingOptions, target: TargetEncoder) -> None:
        for one in fields(options):
            value = getattr(options, one.name)
            if value is None and one.name != "threads":
                value = default_of(one.name, target.task)
            setattr(self, one.metadata.get("parameter", one.name), value)
        self.options, self.target = options, target
        self.early_stopping: Any = "loss" if options.early_stopping else False
        self.init = None if options.init == "default" else options.init
        self.max_grad_norm = options.max_grad_norm or None
        rates = options.dropout or (0.0,)
        self.dropout: Any = rates[0] if len(rates) == 1 else list(rates)
        self.callbacks: list[Callback] = []
        self.history = History()
        self.best_epoch: int | None = None
        self._best_loss = np.inf
        self.random_state = options.seed
        self._random_state = np.random.RandomState(options.seed)

    def train(
        self,
        training: tuple[Floats, NDArray[Any]],
        validation: tuple[Floats, NDArray[Any]],
        callbacks: Sequence[Callback],
        checkpointer: Checkpointer | None,
    ) -> None:
        output = self._output()
        units = 1 if output.activation == "sigmoid" else self.target.n_outputs
        self.network_ = new_network(
            self,
            training[0].shape[1],
            hidden_sizes(self),
            Dense(units, output.activation),
            output.cost,
            self.options.dtype or "float32",
        )
        self._best_parameters = self.network_.parameters.copy()
        examples = self._weighted(self._examples(*training))
        held_out = HeldOut(self._weighted(self._examples(*validation)), *validation)
        if self.options.label_smoothing:
            targets = examples.targets(units)
            share = self.options.label_smoothing
            Y = smoothed(self.network_.spec, targets, share).astype(self.network_.spec.dtype)
            examples = examples._replace(Y=Y)
        self.callbacks = [self.history, self._keep_best, *callbacks]
        assert self.options.epochs is not None
        if self.options.optimizer == "lbfgs":
            run_lbfgs(self, examples, held_out, self.options.epochs)
        else:
            early = bool(self.options.early_stopping)
            run(
                self,
                examples,
                held_out,
                early,
                self.options.epochs,
                fresh=True,
                incremental=False,
                checkpointer=checkpointer,
            )

    def fitted(self, notes: tuple[str, ...] = ()) -> Fitted:
        """Return what the training has left."""
        return Fitted(self.network_, self.history, self.best_epoch, notes)

    def _output(self) -> Output:
        if self.target.task == "classification":
            return classification_output(self, len(self.target.classes) > 2)
        return regression_output(self, self.target.std)

    def _examples(self, X: Floats, y: NDArray[Any]) -> Examples:
        spec = self.network_.spec
        Y: Any
        if self.target.task == "classification" and spec.n_outputs > 1:
            Y = np.ascontiguousarray(y, np.int32)
        else:
            Y = np.ascontiguousarray(y, spec.dtype).reshape(-1, 1)
        return Examples(np.ascontiguousarray(X, spec.dtype), Y)

    def _weighted(self, examples: Examples) -> Examples:
        """Return examples in which each class weighs the same, if that was asked for."""
        if self.options.class_weight != "balanced" or self.target.task == "regression":
            return examples
        Y = examples.Y if examples.Y.ndim == 1 else examples.Y[:, 0]
        places = Y.astype(np.intp)
        counts = np.bincount(places, minlength=len(self.target.classes))
        shares = len(places) / (np.count_nonzero(counts) * np.maximum(counts, 1))
        return examples._replace(weights=shares[places].astype(examples.X.dtype))

    def _objective(self, examples: Examples) -> Objective:
        """Return the penalties: they count once for all examples, whatever the batches are."""
        total = examples.weight
        longest = float("inf") if self.max_grad_norm is None else float(self.max_grad_norm)
        l1, l2 = float(self.options.l1 or 0), float(self.options.l2 or 0)
        return Objective(l1 / total, l2 / total, max_grad_norm=longest)

    def _metrics(self) -> Mapping[str, Metric]:
        if self.target.task == "classification":
            return {"accuracy": METRICS["accuracy"]}
        target, unit = self.target, self.target.std
        if target.transform is not None:  # not linear: both go back before they are compared
            units = target.decode_values
            return {"rmse": lambda outputs, targets: rmse(units(outputs), units(targets))}
        return {"rmse": lambda outputs, targets: rmse(outputs, targets) * unit}

    def _noted(self) -> dict[str, Any]:
        """Return what `_note` wrote: nothing."""
        return {}

    def _note_again(self, memory: Mapping[str, Any]) -> None:
        """Take nothing back."""

    def _note(self, metrics: Mapping[str, float], validation: Mapping[str, float]) -> None:
        """Take no note: the history has the metrics."""

    def _keep_best(self, event: Event) -> None:
        """Take note of the epoch whose weights are kept."""
        if not self.options.early_stopping:
            return
        epochs: tuple[EpochEnded, ...] = ()
        if isinstance(event, Resumed):
            epochs = event.epochs
        elif isinstance(event, EpochEnded):
            epochs = (event,)
        for epoch in epochs:
            loss = epoch.validation_loss
            if loss is not None and loss < self._best_loss:
                self._best_loss, self.best_epoch = loss, epoch.epoch
