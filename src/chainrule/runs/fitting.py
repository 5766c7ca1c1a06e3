"""Training a network on arrays by a run's options: what the Network… estimators do with theirs.

scikit-learn is not imported: that takes longer than training on a small table.
"""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.engines import engine_for
from chainrule.engines.base import Examples, Objective, Problem
from chainrule.errors import InvalidArgumentError, NothingLearnedError, TrainingDivergedError
from chainrule.files.locking import FileLock
from chainrule.model.checkpoints import DEFAULT_EVERY, open_checkpointer
from chainrule.model.network import Network
from chainrule.network.layers import Dense
from chainrule.runs.options import TrainingOptions
from chainrule.runs.presets import default_of
from chainrule.settings.layers import hidden_sizes
from chainrule.settings.losses import classification_output, regression_output
from chainrule.settings.networks import new_network
from chainrule.settings.optimizers import optimizer_of
from chainrule.settings.rates import learning_rate_of
from chainrule.settings.rules import inverse_scaling, stopping_rule
from chainrule.tables.target import TargetEncoder
from chainrule.training.checkpointing import Checkpointer
from chainrule.training.class_weights import balanced_weights
from chainrule.training.events import Callback, EpochEnded
from chainrule.training.examples import packed, smoothed
from chainrule.training.fingerprint import in_words
from chainrule.training.fit import fit as train
from chainrule.training.history import History
from chainrule.training.memories import Remembers, memories_of
from chainrule.training.metrics import METRICS, Metric, rmse
from chainrule.training.orders import ShuffledOrders
from chainrule.training.plan import LBFGS, Plan, steps_per_epoch
from chainrule.training.state import State
from chainrule.training.stopping import Stopping, validation_loss

Floats = NDArray[np.floating]

# Evaluations of an iteration of L-BFGS, at most so many in all: scikit-learn's default.
_MOST_EVALUATIONS = 15000


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
    random = np.random.RandomState(options.seed)
    description = _Description(options, target, embeddings)
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
    history, network = History(), None
    notes: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            network = description.network(training[0].shape[1], random)
            plan = description.plan(network, training, validation, bool(callbacks), random)
            consumers: list[Callback] = [history, *callbacks]
            notes += _trained(description, plan, consumers, network, history, checkpointer)
        except (KeyboardInterrupt, SystemExit) as interrupt:
            if network is None:
                raise  # nothing is left
            fitted = Fitted(network, history, _best_epoch(options, history))
            raise Interrupted(fitted, interrupt) from interrupt
        finally:
            if checkpointer is not None:
                checkpointer.close()
    assert network is not None
    notes = [*(str(warning.message) for warning in caught), *notes]
    best = _best_epoch(options, history)
    return Fitted(network, history, best, tuple(dict.fromkeys(notes)))


class Interrupted(KeyboardInterrupt):
    """A training was interrupted: `fitted` is what it left, with the best weights so far."""

    def __init__(self, fitted: Fitted, interrupt: BaseException) -> None:
        super().__init__("interrupted")
        self.fitted = fitted
        self.interrupt = interrupt
        """KeyboardInterrupt, or the SystemExit that a signal asked for."""


def _trained(
    description: "_Description",
    plan: Plan,
    consumers: Sequence[Callback],
    network: Network,
    history: History,
    checkpointer: Checkpointer | None,
) -> list[str]:
    """Train by a plan; return what went otherwise than asked for."""
    state = State.of(plan)
    if checkpointer is not None:
        description.attach(checkpointer, plan, state, consumers)
    history.diagnostics = state.diagnostics
    try:
        fitted = train(plan, consumers, checkpointer, state)
    except TrainingDivergedError as error:
        if state.epochs == 0:
            raise NothingLearnedError(
                "Solver produced non-finite parameter weights. The input data may contain large "
                f"values and need to be preprocessed: {error}"
            ) from error
        return [f"training ended after {state.epochs} epochs: {error}"]
    finally:
        network.epochs_trained = state.epochs_before + state.epochs
    return [fitted.shortfall] if fitted.shortfall else []


def _best_epoch(options: TrainingOptions, history: History) -> int | None:
    """Return the epoch whose weights are kept."""
    best, lowest = None, np.inf
    for epoch in history.epochs if options.early_stopping else ():
        if epoch.validation_loss is not None and epoch.validation_loss < lowest:
            best, lowest = epoch.epoch, epoch.validation_loss
    return best


class _Description:
    """What a run's options say of its network and its training.

    Parameters
    ----------
    options : TrainingOptions
    target : TargetEncoder
    embeddings : list of (column, codes, dimension)
    """

    def __init__(
        self,
        options: TrainingOptions,
        target: TargetEncoder,
        embeddings: Sequence[tuple[int, int, int]],
    ) -> None:
        self._options, self._target = options, target
        rates = options.dropout or (0.0,)
        given: dict[str, Any] = {}
        for one in fields(options):
            value = getattr(options, one.name)
            if value is None and one.name != "threads":
                value = default_of(one.name, target.task)
            given[one.metadata.get("parameter", one.name)] = value
        self._given = given | {
            "n_layers": None,
            "n_units": None,
            "embeddings": list(embeddings),
            "init": None if options.init == "default" else options.init,
            "initial_weights": None,
            "dropout": rates[0] if len(rates) == 1 else list(rates),
        }

    def network(self, n_features: int, random: np.random.RandomState) -> Network:
        """Return the network, untrained."""
        given, target = self._given, self._target
        if target.task == "classification":
            output = classification_output(given, len(target.classes) > 2)
        else:
            output = regression_output(given, target.std)
        units = 1 if output.activation == "sigmoid" else target.n_outputs
        return new_network(
            given,
            n_features,
            hidden_sizes(given),
            Dense(units, output.activation),
            output.cost,
            self._options.dtype or "float32",
            random,
        )

    def plan(
        self,
        network: Network,
        training: tuple[Floats, NDArray[Any]],
        validation: tuple[Floats, NDArray[Any]],
        watched: bool,
        random: np.random.RandomState,
    ) -> Plan:
        """Return the plan of its training."""
        options, given, spec = self._options, self._given, network.spec
        examples = self._weighted(self._examples(network, *training))
        if options.label_smoothing:
            rows = examples.targets(spec.n_outputs)
            Y = smoothed(spec, rows, options.label_smoothing).astype(spec.dtype)
            examples = examples._replace(Y=Y)
        held_out = self._weighted(self._examples(network, *validation))
        m = len(examples.X)
        assert options.epochs is not None
        assert options.batch_size is not None
        common: dict[str, Any] = {
            "problem": Problem(
                spec, network.parameters, examples, self._objective(examples.weight)
            ),
            "epochs": options.epochs,
            "seed": network.seed,
        }
        engine, threads = options.engine or "auto", options.threads
        if options.optimizer == "lbfgs":
            solver = LBFGS(_MOST_EVALUATIONS, float(given["tol"]))
            return Plan(
                optimizer=solver,
                engine=engine_for(spec, engine, threads),
                batch_size=m,
                **common,
            )
        batch_size = min(options.batch_size, m)
        early = bool(options.early_stopping)
        rate = learning_rate_of(given, options.epochs, steps_per_epoch(m, batch_size))
        return Plan(
            optimizer=optimizer_of(given, rate),
            engine=engine_for(spec, engine, threads, options.precision or "full"),
            batch_size=batch_size,
            orders=ShuffledOrders(m, bool(given["shuffle"]), random),
            validation=held_out,
            metrics=self._metrics(),
            training_metrics=False,  # a quarter of the time would go into it
            stopping=stopping_rule(given, validation_loss if early else _objective, early),
            next_rate=inverse_scaling(given, lambda epochs: epochs * m),
            diagnosed=True,
            **common,
        )

    def attach(
        self,
        checkpointer: Checkpointer,
        plan: Plan,
        state: State,
        consumers: Sequence[Callback],
    ) -> None:
        """Bring the training to where the checkpoint was, if there is one."""
        given = self._given
        rules = ("solver", "learning_rate", "tol", "n_iter_no_change", "power_t")
        # Named as they were when a run was trained as an estimator: its checkpoints go on.
        more = {name: _text(given[name]) for name in rules}
        more["early_stopping"] = "loss" if self._options.early_stopping else "False"
        more |= {"random_state": in_words(self._options.seed), "estimator": "_Fit"}
        assert state.stopping is not None
        assert plan.orders is not None
        memories: dict[str, Remembers] = {
            "estimator": _Memory(state.stopping),
            "orders": plan.orders,
        }
        checkpointer.attach(plan, state, memories | memories_of(consumers), more)

    def _examples(self, network: Network, X: Floats, y: NDArray[Any]) -> Examples:
        classes = self._target.task == "classification" and network.spec.n_outputs > 1
        return packed(network.spec.dtype, X, y if classes else y.reshape(-1, 1))

    def _weighted(self, examples: Examples) -> Examples:
        """Return examples in which each class weighs the same, if that was asked for."""
        if self._options.class_weight != "balanced" or self._target.task == "regression":
            return examples
        Y = examples.Y if examples.Y.ndim == 1 else examples.Y[:, 0]
        weights = balanced_weights(Y.astype(np.intp), len(self._target.classes))
        return examples._replace(weights=weights.astype(examples.X.dtype))

    def _objective(self, total: float) -> Objective:
        """Return the penalties: they count once for all examples, whatever the batches are."""
        options = self._options
        l1, l2 = float(options.l1 or 0), float(options.l2 or 0)
        longest = float(options.max_grad_norm or "inf")
        return Objective(l1 / total, l2 / total, max_grad_norm=longest)

    def _metrics(self) -> Mapping[str, Metric]:
        if self._target.task == "classification":
            return {"accuracy": METRICS["accuracy"]}
        target, unit = self._target, self._target.std
        if target.transform is not None:  # not linear: both go back before they are compared
            units = target.decode_values
            return {"rmse": lambda outputs, targets: rmse(units(outputs), units(targets))}
        return {"rmse": lambda outputs, targets: rmse(outputs, targets) * unit}


def _objective(event: EpochEnded) -> float:
    return event.objective


def _text(value: Any) -> str:
    return value if isinstance(value, str) else in_words(value)


class _Memory:
    """The memory of early stopping, by today's names or by those of earlier checkpoints."""

    def __init__(self, stopping: Stopping) -> None:
        self._stopping = stopping

    def remember(self) -> Mapping[str, Any]:
        """Return the counters and the best weights."""
        return self._stopping.remember()

    def recall(self, memory: Mapping[str, Any]) -> None:
        """Take them back."""
        if "_no_improvement_count" in memory:
            best = memory["best_loss_"]
            memory = {
                "count": memory["_no_improvement_count"],
                "best": np.inf if best is None else best,
                "best_epoch": None,  # the history tells
                "best_parameters": memory.get("_best_parameters"),
            }
        self._stopping.recall(memory)
