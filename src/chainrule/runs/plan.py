"""Builds the network and its training plan from a run's options."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from chainrule.communication.communicator import Communicator
from chainrule.engines import engine_for
from chainrule.engines.base import Examples, Penalties, Problem
from chainrule.errors import InvalidArgumentError
from chainrule.model.network import Network
from chainrule.model.temperature import Temperature, calibrate
from chainrule.network.layers import Dense
from chainrule.runs.options import TrainingOptions
from chainrule.runs.presets import parameters_of
from chainrule.settings.layers import bins_of, hidden_sizes
from chainrule.settings.losses import classification_output, regression_output
from chainrule.settings.networks import new_network
from chainrule.settings.optimizers import optimizer_of
from chainrule.settings.rates import learning_rate_of
from chainrule.settings.rules import inverse_scaling, stopping_rule
from chainrule.tables.target import TargetEncoder
from chainrule.training.checkpointer import Checkpointer
from chainrule.training.class_weights import balanced_weights
from chainrule.training.events import Callback, EpochEnded
from chainrule.training.examples import packed, softened_examples
from chainrule.training.fingerprint import in_words
from chainrule.training.memories import Remembers, memories_of
from chainrule.training.metrics import METRICS, Metric, rmse
from chainrule.training.orders import ShuffledOrders
from chainrule.training.plan import LBFGS, Plan, steps_per_epoch
from chainrule.training.ranks import across, check_same_plans, of_all
from chainrule.training.state import State
from chainrule.training.stopping import Stopping, validation_loss
from chainrule.training.streaming import ExampleStream

Floats = NDArray[np.floating]

# The maximum number of objective evaluations in L-BFGS: scikit-learn's default.
_MOST_EVALUATIONS = 15000


class EncodedRows(NamedTuple):
    """Encoded rows of a table."""

    X: Floats
    """(rows, inputs)."""
    y: NDArray[Any]
    """(rows,): class indices, or encoded target values."""


Streamed: TypeAlias = Callable[[str, Callable[[Floats, NDArray[Any]], Examples]], ExampleStream]


class Description:
    """The network and training plan that a run's options describe.

    Parameters
    ----------
    options : TrainingOptions
        Resolved options: every setting that applies has a value.
    target : TargetEncoder
    training, validation : EncodedRows
    embeddings : list of (column, codes, dimension)
        The inputs that are category codes, embedded by a lookup.
    random : RandomState, optional
        By default one of the options' seed.
    streamed : callable, optional
        Given the dtype of the inputs, and a function that makes examples of inputs and targets,
        returns all training rows as a stream, of which `training` is a sample.
    communicator : Communicator, optional
        The ranks that share each batch; the batch size of the options is that of one rank.
    """

    def __init__(
        self,
        options: TrainingOptions,
        target: TargetEncoder,
        training: EncodedRows,
        validation: EncodedRows,
        embeddings: Sequence[tuple[int, int, int]] = (),
        random: np.random.RandomState | None = None,
        streamed: Streamed | None = None,
        communicator: Communicator | None = None,
    ) -> None:
        self.options, self._target, self._streamed = options, target, streamed
        self._training, self._validation = training, validation
        self.communicator = communicator
        self._random = np.random.RandomState(options.seed) if random is None else random
        self.given = parameters_of(options, target.task) | {
            "n_layers": None,
            "n_units": None,
            "embeddings": list(embeddings),
            "initial_weights": None,
        }
        """The options as parameters of the estimators, by scikit-learn's names."""

    def network(self) -> Network:
        """Return the network, untrained."""
        given, target = self.given, self._target
        if target.task == "classification":
            output = classification_output(given, len(target.classes) > 2)
        else:
            output = regression_output(given, target.std)
        units = 1 if output.activation == "sigmoid" else target.n_outputs
        return new_network(
            given,
            self._training.X.shape[1],
            hidden_sizes(given),
            Dense(units, output.activation),
            output.cost,
            self.options.dtype or "float32",
            self._random,
            bins=bins_of(given, self._training.X),
        )

    def plan(self, network: Network) -> Plan:
        """Return the training plan of a network."""
        options, given, spec = self.options, self.given, network.spec
        examples = self.softened(network, self._training)
        held_out = self.softened(network, self._validation)
        stream = self._stream(network)
        m = len(examples.X) if stream is None else stream.rows
        total = examples.weight if stream is None else float(m)
        assert options.epochs is not None
        assert options.batch_size is not None
        common: dict[str, Any] = {
            "problem": Problem(spec, network.parameters, examples, self._penalties(total)),
            "epochs": options.epochs,
            "seed": network.seed,
        }
        engine, threads = options.engine or "auto", options.threads
        if options.optimizer == "lbfgs":
            solver = LBFGS(_MOST_EVALUATIONS, float(given["tol"]))
            plan = Plan(
                optimizer=solver,
                engine=engine_for(spec, engine, threads),
                batch_size=m,
                **common,
            )
            return across(plan, self.communicator)
        batch_size = min(of_all(options.batch_size, self.communicator), m)
        early = bool(options.early_stopping)
        rate = learning_rate_of(given, options.epochs, steps_per_epoch(m, batch_size))
        plan = Plan(
            optimizer=optimizer_of(given, rate),
            engine=engine_for(spec, engine, threads, options.precision or "full"),
            batch_size=batch_size,
            max_grad_norm=float(options.max_grad_norm or "inf"),
            shuffle=bool(given["shuffle"]),
            orders=None if stream else ShuffledOrders(m, bool(given["shuffle"]), self._random),
            stream=stream,
            validation=held_out,
            metrics=self._metrics(),
            training_metrics=False,  # they would take a quarter of the time
            stopping=stopping_rule(
                given,
                validation_loss if early else _objective,
                early,
                epochs=options.epochs if early else None,
            ),
            next_rate=inverse_scaling(given, lambda epochs: epochs * m),
            diagnosed=True,
            **common,
        )
        return across(plan, self.communicator)

    def _stream(self, network: Network) -> ExampleStream | None:
        """Return the training rows as a stream of examples, or None if they are in memory."""
        if self._streamed is None:
            return None

        def pack(X: Floats, y: NDArray[Any]) -> Examples:
            return self.softened(network, EncodedRows(X, y))

        stream, options = self._streamed(network.spec.dtype, pack), self.options
        for name, value in (("optimizer", "lbfgs"), ("class_weight", "balanced")):
            if getattr(options, name) == value:
                raise InvalidArgumentError(
                    f"{name}: expected another value for a table that is read while training, "
                    f"since {value} needs all rows at once; got {value!r}"
                )
        return stream

    def calibrated(self, network: Network) -> Temperature | None:
        """Fold the temperature that the validation rows ask for into a trained network.

        Returns
        -------
        Temperature or None
            None if nothing was fitted: for values, and with ``calibrate="off"``.
        """
        options = self.options
        validation = self.examples(network, self._validation)
        engine = engine_for(network.spec, options.engine or "auto", options.threads)
        return calibrate(network, validation, engine, options.calibrate or "off")[0]

    def check_same(self, plan: Plan) -> None:
        """Raise on all ranks if they are to train different things; `plan` is this rank's.

        Raises
        ------
        RankError
            If they differ.
        """
        check_same_plans(plan, self._more())

    def attach(
        self,
        checkpointer: Checkpointer,
        plan: Plan,
        state: State,
        consumers: Sequence[Callback],
    ) -> None:
        """Attach the checkpointer, which restores the training from a checkpoint, if any."""
        assert state.stopping is not None
        memories: dict[str, Remembers] = {"estimator": _Memory(state.stopping)}
        if plan.orders is not None:
            memories["orders"] = plan.orders
        checkpointer.attach(plan, state, memories | memories_of(consumers), self._more())

    def _more(self) -> dict[str, str]:
        """Return the entries of a fingerprint that a plan does not have."""
        given = self.given
        rules = ("solver", "learning_rate", "tol", "n_iter_no_change", "power_t")
        # The names date from when a run trained an estimator; they keep its checkpoints resumable.
        more = {name: _text(given[name]) for name in rules}
        more["early_stopping"] = "loss" if self.options.early_stopping else "False"
        more |= {"random_state": in_words(self.options.seed), "estimator": "_Fit"}
        return more

    def softened(self, network: Network, rows: EncodedRows) -> Examples:
        """Return rows as examples with the targets of the loss: smoothed labels, if any."""
        share = self.options.label_smoothing or 0.0
        return softened_examples(network.spec, self.examples(network, rows), share)

    def examples(self, network: Network, rows: EncodedRows) -> Examples:
        """Return rows in the engines' format, with balanced class weights if requested."""
        y, classifies = rows.y, self._target.task == "classification"
        whole = classifies and network.spec.n_outputs > 1
        weights = None
        if classifies and self.options.class_weight == "balanced":
            weights = balanced_weights(y.astype(np.intp), len(self._target.classes))
        return packed(network.spec.dtype, rows.X, y if whole else y.reshape(-1, 1), weights)

    def _penalties(self, total: float) -> Penalties:
        """Return the penalties, divided by the total weight to be independent of the batch size."""
        options = self.options
        l1, l2 = float(options.l1 or 0), float(options.l2 or 0)
        return Penalties(l1 / total, l2 / total, per=total)

    def _metrics(self) -> Mapping[str, Metric]:
        if self._target.task == "classification":
            return {"accuracy": METRICS["accuracy"]}
        target, unit = self._target, self._target.std
        if target.transform is not None:  # not linear: decode both first
            units = target.decode_values
            return {"rmse": lambda outputs, targets: rmse(units(outputs), units(targets))}
        return {"rmse": lambda outputs, targets: rmse(outputs, targets) * unit}


def _objective(event: EpochEnded) -> float:
    return event.objective


def _text(value: Any) -> str:
    return value if isinstance(value, str) else in_words(value)


class _Memory:
    """The state of early stopping, under current names or those of earlier checkpoints."""

    def __init__(self, stopping: Stopping) -> None:
        self._stopping = stopping

    def remember(self) -> Mapping[str, Any]:
        """Return the counter and the best weights."""
        return self._stopping.remember()

    def recall(self, memory: Mapping[str, Any]) -> None:
        """Restore them."""
        if "_no_improvement_count" in memory:
            best = memory["best_loss_"]
            memory = {
                "count": memory["_no_improvement_count"],
                "best": np.inf if best is None else best,
                "best_epoch": None,  # the history has it
                "best_parameters": memory.get("_best_parameters"),
            }
        self._stopping.recall(memory)


@dataclass(frozen=True, eq=False)
class Describing:
    """The part of a run that describes its trainings, without its tables: what workers need.

    Parameters
    ----------
    options : TrainingOptions
    target : TargetEncoder
    training, validation : EncodedRows
    embeddings : tuple of (column, codes, dimension)
    streamed : callable, optional
        All training rows, if they are read while training; see `Description`.
    """

    options: TrainingOptions
    target: TargetEncoder
    training: EncodedRows
    validation: EncodedRows
    embeddings: tuple[tuple[int, int, int], ...]
    streamed: Streamed | None = None

    def __call__(
        self,
        options: TrainingOptions | None = None,
        training: EncodedRows | None = None,
        validation: EncodedRows | None = None,
        random: np.random.RandomState | None = None,
        communicator: Communicator | None = None,
    ) -> Description:
        """Return what describes a training; the arguments are by default those of the run."""
        return Description(
            self.options if options is None else options,
            self.target,
            self.training if training is None else training,
            self.validation if validation is None else validation,
            self.embeddings,
            random,
            self.streamed if training is None else None,
            communicator,
        )
