"""The native engine: the compiled core in native/, the default."""

import os
from collections.abc import Callable
from dataclasses import replace
from functools import cache, lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from chainrule.engines import extension
from chainrule.engines.base import Examples, Floats, Objective, StepRecords
from chainrule.engines.optimizers import Optimizer, OptimizerState
from chainrule.errors import InvalidArgumentError
from chainrule.network.activation import parse_activation
from chainrule.network.cost import CustomCost, parse_cost
from chainrule.network.heads import Head, heads_text, parse_heads
from chainrule.network.layers import Dense, Layer
from chainrule.network.parameters import placed_blocks
from chainrule.network.spec import NetworkSpec

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
        _plan(_without_own_cost(spec)).forward(parameters, X, out, self.threads)

    def loss(
        self, spec: NetworkSpec, parameters: Floats, examples: Examples, objective: Objective
    ) -> float:
        """Return J plus penalties over all examples."""
        own = _numbers(objective.over(examples.weight))
        return float(_plan(spec).loss(parameters, examples, own, None, self.threads))

    def loss_and_gradient(
        self,
        spec: NetworkSpec,
        parameters: Floats,
        examples: Examples,
        objective: Objective,
        gradient: Floats,
    ) -> float:
        """Write ∂(J + penalties)/∂θ to `gradient` and return J + penalties."""
        own = _numbers(objective.over(examples.weight))
        plan = _plan(spec)
        return float(plan.loss(parameters, examples, own, gradient, self.threads, self.mixed))

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
        records.cost.fill(np.nan)
        try:
            _plan(spec).train(
                parameters,
                state.slots,
                examples,
                order,
                learning_rates,
                records,
                (optimizer.name, optimizer.settings, state.t),
                _numbers(objective),
                batch_size,
                noise_key,
                self.threads,
                self.mixed,
            )
        finally:
            # Also after Ctrl-C: the steps that were finished are those that left a record.
            state.t += int(np.count_nonzero(~np.isnan(records.cost)))


def has_mixed() -> bool:
    """Whether the instruction set in use multiplies in bfloat16."""
    return extension.native is not None and bool(extension.native.cpu_info()["mixed"])


def quick_predictor(spec: NetworkSpec) -> Callable[[Floats, Any], Floats | None]:
    """Return the way to a prediction with the least around it: a function of (parameters, X).

    It gives None, and not an error, where X is anything but a finite C-ordered array of the
    network's type and width: the usual way then says what is wrong, or brings it into that form.
    """
    return _plan(_without_own_cost(spec)).predict


def lacking(spec: NetworkSpec) -> str:
    """Return what a network has that the compiled core has not, in words; "" for nothing."""
    if isinstance(spec.cost, CustomCost):
        return f"{spec.cost.name}, a cost of your own"
    return _lacking(spec)


@lru_cache(maxsize=256)
def _lacking(spec: NetworkSpec) -> str:
    for what, names in _needed(spec).items():
        for name in sorted(names - _known()[what]):
            return f"{name}, one of the {what}"
    return ""


# What follows travels to the core as the tuples of _native.pyi.


class _Chosen(NamedTuple):
    """An activation or a cost, and its parameters by name."""

    name: str
    settings: dict[str, float]


class _BlockPlace(NamedTuple):
    """A block of parameters, where it is in the flat vector, and what it is for."""

    offset: int
    rows: int
    columns: int
    group: str
    learning_rate_factor: float


class _LayerPlan(NamedTuple):
    """All that the core is told of a layer."""

    kind: str
    n_in: int
    n_out: int
    activation: _Chosen
    settings: dict[str, list[float]]
    blocks: list[_BlockPlace]


class _HeadPlan(NamedTuple):
    """All that the core is told of an output head; a whole output layer is one."""

    units: int
    activation: _Chosen
    cost: _Chosen
    weight: float


_NO_ACTIVATION = _Chosen("identity", {})


@cache
def _known() -> dict[str, frozenset[str]]:
    """Return the names in each of the core's lists."""
    assert extension.native is not None
    return {what: frozenset(names) for what, names in extension.native.names().items()}


def _needed(spec: NetworkSpec) -> dict[str, set[str]]:
    """Return the names that a network needs in each of the core's lists."""
    heads = _heads(spec)
    return {
        "layers": {layer.kind for layer in spec.layers},
        "activations": {_activation(layer).name for layer in spec.layers[:-1]}
        | {head.activation.name for head in heads},
        "costs": {head.cost.name for head in heads},
    }


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
def _plan(spec: NetworkSpec) -> "extension.Plan":
    if lack := lacking(spec):
        raise InvalidArgumentError(
            f'engine: the compiled core cannot run {lack}; use engine="reference" (engine="auto" '
            "chooses it)"
        )
    blocks: list[list[_BlockPlace]] = [[] for _ in spec.layers]
    for placed in placed_blocks(spec):
        block = placed.block
        rows, columns = block.shape
        place = _BlockPlace(
            placed.slice.start, rows, columns, block.group, block.learning_rate_factor
        )
        blocks[placed.layer - 1].append(place)
    layers = [
        _LayerPlan(layer.kind, n_in, n_out, _activation(layer), _settings(layer), own)
        for layer, n_in, n_out, own in zip(
            spec.layers, spec.sizes[:-1], spec.sizes[1:], blocks, strict=True
        )
    ]
    # The output layer's activation is that of its heads.
    layers[-1] = layers[-1]._replace(activation=_NO_ACTIVATION)
    assert extension.native is not None
    return extension.native.Plan(layers, _heads(spec), spec.fused, -default_threads())


def _activation(layer: Layer) -> _Chosen:
    """Return a layer's own activation; identity where it has none, or heads have theirs."""
    name, parameters = parse_activation(getattr(layer, "activation", "identity"))
    return _NO_ACTIVATION if name == "heads" else _Chosen(name, parameters)


def _settings(layer: Layer) -> dict[str, list[float]]:
    """Return a layer's settings, each as a list of numbers."""
    return {
        name: [float(value)] if isinstance(value, float | int) else list(value)
        for name, value in layer.settings.items()
    }


def _heads(spec: NetworkSpec) -> list[_HeadPlan]:
    """Return the heads of the output layer: one where it is whole."""
    output = spec.layers[-1]
    assert isinstance(output, Dense)
    assert isinstance(spec.cost, str)
    if spec.output_activation != "heads":
        cost = _Chosen(*parse_cost(spec.cost))
        return [_HeadPlan(spec.n_outputs, _activation(output), cost, 1.0)]
    pairs = zip(
        parse_heads(output.activation, "activation"), parse_heads(spec.cost, "cost"), strict=True
    )
    return [
        _HeadPlan(
            head.units,
            _Chosen(*parse_activation(head.name)),
            _Chosen(*parse_cost(cost.name)),
            cost.weight,
        )
        for head, cost in pairs
    ]


def _numbers(objective: Objective) -> tuple[float, float, bool, float]:
    return (objective.l1, objective.l2, objective.shared, objective.max_grad_norm)


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
