"""The native engine: the compiled core in native/, the default."""

import os
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.engines import extension
from chainrule.engines.base import Examples, Floats, Objective, StepRecords
from chainrule.engines.optimizers import Optimizer, OptimizerState
from chainrule.equations.activations.elu import SELU_ALPHA
from chainrule.errors import InvalidArgumentError
from chainrule.network.activation import parse_activation
from chainrule.network.cost import CustomCost, parse_cost
from chainrule.network.heads import Head, heads_text, parse_heads
from chainrule.network.layers import BatchNorm, CategoryEmbedding, Dense, Dropout
from chainrule.network.spec import NetworkSpec

# The order of the enumerations in native/plan.hpp.
_ACTIVATIONS = (
    "identity",
    "sigmoid",
    "tanh",
    "relu",
    "leaky_relu",
    "elu",
    "selu",
    "gelu",
    "silu",
    "mish",
    "softplus",
    "exponential",
    "softmax",
)
_LAYERS = ("dense", "dropout", "batch_norm", "category_embedding")
_COSTS = (
    "mse",
    "binary_cross_entropy",
    "cross_entropy",
    "absolute_error",
    "huber",
    "quantile",
    "log_cosh",
    "binary_focal",
    "focal",
    "poisson",
)
_OPTIMIZERS = (
    "sgd",
    "momentum",
    "rmsprop",
    "adam",
    "heavy_ball",
    "nesterov",
    "adamw",
    "nadam",
    "lion",
)


# More change no bit of a result, only wait for each other, and systems run out of them.
_MOST_THREADS = max(64, os.cpu_count() or 1)


class NativeEngine:
    """Executes steps in compiled code, with the same bits for any number of threads.

    Parameters
    ----------
    threads : int, optional
        So many, 64 at most or as many as there are cores; by default as many as there are cores,
        and one where a step is too short to share.
    mixed : bool, default False
        Whether gradients and steps of float32 networks multiply in bfloat16 (see `has_mixed`).
        Sums, parameters and the optimizer stay float32; so do losses and outputs for themselves.
    """

    name = "native"

    def __init__(self, threads: int | None = None, mixed: bool = False) -> None:
        # To the core, a negative number is the most that it may choose.
        self.threads = -default_threads() if threads is None else min(threads, _MOST_THREADS)
        self.mixed = mixed

    def forward(self, spec: NetworkSpec, parameters: Floats, X: Floats, out: Floats) -> None:
        """Write the network's outputs for the rows of X to `out`."""
        with _held(parameters, X, out):
            _plan(_without_own_cost(spec)).forward(parameters, X, out, self.threads)

    def loss(
        self, spec: NetworkSpec, parameters: Floats, examples: Examples, objective: Objective
    ) -> float:
        """Return J plus penalties over all examples."""
        own = objective.over(examples.weight)
        with _held(parameters, *examples):
            return float(
                _plan(spec).loss(parameters, *examples, own.l1, own.l2, None, self.threads)
            )

    def loss_and_gradient(
        self,
        spec: NetworkSpec,
        parameters: Floats,
        examples: Examples,
        objective: Objective,
        gradient: Floats,
    ) -> float:
        """Write ∂(J + penalties)/∂θ to `gradient` and return J + penalties."""
        own = objective.over(examples.weight)
        with _held(parameters, gradient, *examples):
            return float(
                _plan(spec).loss(
                    parameters, *examples, own.l1, own.l2, gradient, self.threads, self.mixed
                )
            )

    def train(
        self,
        spec: NetworkSpec,
        parameters: Floats,
        optimizer: Optimizer,
        state: OptimizerState,
        examples: Examples,
        objective: Objective,
        order: NDArray[np.int32],
        batch_size: int,
        learning_rates: NDArray[np.float64],
        records: StepRecords,
        noise_key: int = 0,
    ) -> None:
        """Take one step for each batch of `order`."""
        if order.size == 0:
            return
        settings = optimizer.hyperparameters
        records.cost.fill(np.nan)
        try:
            with _held(parameters, state.slots, *examples, order, learning_rates, *records):
                _plan(spec).train(
                    parameters,
                    state.slots,
                    _OPTIMIZERS.index(optimizer.name),
                    settings.get("beta_1", settings.get("beta", 0.0)),
                    settings.get("beta_2", 0.0),
                    settings.get("epsilon", 0.0),
                    state.t,
                    *examples,
                    order,
                    batch_size,
                    learning_rates,
                    objective.l1,
                    objective.l2,
                    getattr(optimizer, "plain_epsilon", False),
                    objective.shared,
                    records.cost,
                    records.gradient_norm,
                    records.penalty,
                    self.threads,
                    settings.get("weight_decay", 0.0),
                    objective.max_grad_norm if objective.clips else 0.0,
                    noise_key,
                    self.mixed,
                )
        finally:
            # Also after Ctrl-C: the steps that were finished are those that left a record.
            state.t += int(np.count_nonzero(~np.isnan(records.cost)))


@contextmanager
def _held(*arrays: NDArray[Any] | None) -> Iterator[None]:
    """Keep arrays where they are while the core works on them, and say what it found changed.

    NumPy gives no array other memory (`resize` in another thread, whatever its refcheck) that has a
    weak reference; a view's memory is that of its base. What was checked when a training began may
    have been changed by then; the core checks it again.
    """
    held = []
    for array in arrays:
        owner: Any = array
        while isinstance(owner, np.ndarray):
            held.append(weakref.ref(owner))
            owner = owner.base
    try:
        yield
    except ValueError as error:
        if not str(error).startswith("chainrule._native: "):
            raise
        what = str(error).removeprefix("chainrule._native: ")
        raise InvalidArgumentError(
            f"the arrays given were changed while they were in use: {what}; give copies of arrays "
            "that another thread writes to"
        ) from error
    except TypeError as error:
        if "incompatible function arguments" not in str(error):
            raise
        raise InvalidArgumentError(
            "the arrays given were changed while they were in use: their shape or type is another; "
            "give copies of arrays that another thread writes to"
        ) from error
    finally:
        held.clear()


def has_mixed() -> bool:
    """Whether the instruction set in use multiplies in bfloat16."""
    return extension.native is not None and bool(extension.native.cpu_info()["mixed"])


def quick_predictor(spec: NetworkSpec) -> Callable[[Floats, Any], Floats | None]:
    """Return the way to a prediction with the least around it: a function of (parameters, X).

    It gives None, and not an error, where X is anything but a finite C-ordered array of the
    network's type and width: the usual way then says what is wrong, or brings it into that form.
    """
    predict: Callable[[Floats, Any], Floats | None] = _plan(_without_own_cost(spec)).predict
    return predict


def _without_own_cost(spec: NetworkSpec) -> NetworkSpec:
    # A cost has no part in outputs, so that of a user, which the core does not know, may go.
    if not isinstance(spec.cost, CustomCost):
        return spec
    if spec.output_activation != "heads":
        return replace(spec, cost="mse")
    output = spec.layers[-1]
    assert isinstance(output, Dense)
    heads = [Head(head.units, "mse") for head in parse_heads(output.activation, "activation")]
    return replace(spec, cost=heads_text(heads))


@lru_cache(maxsize=256)
def _plan(spec: NetworkSpec) -> Any:
    layers = []
    for layer, n_in, n_out in zip(spec.layers, spec.sizes[:-1], spec.sizes[1:], strict=True):
        activation, parameter = _activation(getattr(layer, "activation", "identity"))
        settings = [parameter]
        if isinstance(layer, Dropout):
            settings = [layer.rate]
        elif isinstance(layer, BatchNorm):
            settings = [parameter, layer.momentum, layer.epsilon]
        elif isinstance(layer, CategoryEmbedding):
            settings = [float(number) for column in layer.columns for number in column]
        layers.append((_LAYERS.index(layer.kind), n_in, n_out, activation, settings))
    if isinstance(spec.cost, CustomCost):
        raise InvalidArgumentError(
            f"engine: the compiled core cannot run {spec.cost.name}, a cost of your own; "
            'use engine="reference" (engine="auto" chooses it)'
        )
    cost, parameter = _cost(spec.cost)
    assert extension.native is not None
    return extension.native.Plan(
        layers, cost, spec.fused, parameter, -default_threads(), _heads(spec)
    )


def _activation(text: str) -> tuple[int, float]:
    """Return an activation's place and its parameter; heads have theirs elsewhere."""
    name, parameters = parse_activation(text)
    if name == "heads":
        return _ACTIVATIONS.index("identity"), 0.0
    parameter = SELU_ALPHA if name == "selu" else next(iter(parameters.values()), 0.0)
    return _ACTIVATIONS.index(name), parameter


def _cost(text: str) -> tuple[int, float]:
    """Return a cost's place and its parameter; heads have theirs elsewhere."""
    name, parameters = parse_cost(text)
    if name == "heads":
        return _COSTS.index("mse"), 0.0
    return _COSTS.index(name), next(iter(parameters.values()), 0.0)


def _heads(spec: NetworkSpec) -> list[tuple[int, int, float, int, float, float]]:
    """Return the heads of the output layer as the core takes them; none where it is whole."""
    if spec.output_activation != "heads":
        return []
    output = spec.layers[-1]
    assert isinstance(output, Dense)
    assert isinstance(spec.cost, str)
    pairs = zip(
        parse_heads(output.activation, "activation"), parse_heads(spec.cost, "cost"), strict=True
    )
    return [
        (head.units, *_activation(head.name), *_cost(cost.name), cost.weight)
        for head, cost in pairs
    ]


@cache
def default_threads() -> int:
    """Return the number of threads to use at most: CHAINRULE_THREADS, OMP_NUM_THREADS or cores.

    Process pools (joblib's, for one) set OMP_NUM_THREADS in their workers, so that all together
    use each core once.
    """
    assert extension.native is not None
    cores = int(extension.native.cpu_info()["cores"])
    for variable in ("CHAINRULE_THREADS", "OMP_NUM_THREADS"):
        text = os.environ.get(variable, "")
        # Python refuses to read thousands of digits.
        if text.isdecimal() and text.strip("0"):
            return cores if len(text) > 9 else min(int(text), cores)
    return cores
