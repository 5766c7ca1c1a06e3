"""The native engine: the compiled core in native/, the default."""

import os
from functools import cache, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.engines import extension
from chainrule.engines.base import Examples, Floats, Objective, StepRecords
from chainrule.engines.optimizers import Optimizer, OptimizerState
from chainrule.equations.activations.elu import SELU_ALPHA
from chainrule.network.activation import parse_activation
from chainrule.network.layers import Dense
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
_COSTS = ("mse", "binary_cross_entropy", "cross_entropy", "poisson")
_OPTIMIZERS = ("sgd", "momentum", "rmsprop", "adam", "heavy_ball", "nesterov")


class NativeEngine:
    """Executes steps in compiled code, with the same bits for any number of threads.

    Parameters
    ----------
    threads : int, optional
        At most this many; by default as many as there are cores, and fewer where a step is too
        short to share.
    """

    name = "native"

    def __init__(self, threads: int | None = None) -> None:
        self.threads = default_threads() if threads is None else threads

    def forward(self, spec: NetworkSpec, parameters: Floats, X: Floats, out: Floats) -> None:
        """Write the network's outputs for the rows of X to `out`."""
        _plan(spec).forward(parameters, X, out, self.threads)

    def loss(
        self, spec: NetworkSpec, parameters: Floats, examples: Examples, objective: Objective
    ) -> float:
        """Return J plus penalties over all examples."""
        own = objective.over(examples.weight)
        return float(_plan(spec).loss(parameters, *examples, own.l1, own.l2, None, self.threads))

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
        return float(
            _plan(spec).loss(parameters, *examples, own.l1, own.l2, gradient, self.threads)
        )

    def train(
        self,
        spec: NetworkSpec,
        parameters: Floats,
        optimizer: Optimizer,
        state: OptimizerState,
        examples: Examples,
        objective: Objective,
        order: NDArray[np.int64],
        batch_size: int,
        learning_rates: NDArray[np.float64],
        records: StepRecords,
    ) -> None:
        """Take one step for each batch of `order`."""
        if order.size == 0:
            return
        settings = optimizer.hyperparameters
        records.cost.fill(np.nan)
        try:
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
            )
        finally:
            # Also after Ctrl-C: the steps that were finished are those that left a record.
            state.t += int(np.count_nonzero(~np.isnan(records.cost)))


@lru_cache(maxsize=256)
def _plan(spec: NetworkSpec) -> Any:
    layers = []
    for layer, n_in in zip(spec.layers, spec.sizes[:-1], strict=True):
        assert isinstance(layer, Dense)
        name, parameters = parse_activation(layer.activation)
        parameter = SELU_ALPHA if name == "selu" else next(iter(parameters.values()), 0.0)
        layers.append((n_in, layer.units, _ACTIVATIONS.index(name), parameter))
    assert extension.native is not None
    return extension.native.Plan(layers, _COSTS.index(spec.cost), spec.fused)


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
        if text.isdecimal() and int(text) > 0:
            return min(int(text), cores)
    return cores
