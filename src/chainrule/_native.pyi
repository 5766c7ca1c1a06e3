"""The compiled core in native/: what native/module.cpp binds.

The floating-point arrays of one call must all have the same dtype, float32 or float64. Arrays must
be C-ordered, and output arrays writable. Invalid arguments raise ValueError or TypeError.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias, TypedDict

import numpy as np
from numpy.typing import NDArray

_Floats: TypeAlias = NDArray[np.floating]
_Indices: TypeAlias = NDArray[np.int32]
_Numbers: TypeAlias = NDArray[np.float64]

_Chosen: TypeAlias = tuple[str, Mapping[str, float]]
"""Name of an activation or a cost, and its settings by name."""
_Block: TypeAlias = tuple[int, int, int, str, float, int]
"""Offset in the flat vector, rows, columns, group, learning rate factor, number of hidden
matrices one above the other."""
_Layer: TypeAlias = tuple[str, int, int, _Chosen, Mapping[str, Sequence[float]], Sequence[_Block]]
"""Kind, n[l−1], n[l], activation, settings, blocks."""
_Head: TypeAlias = tuple[int, _Chosen, _Chosen, float]
"""Units, activation, cost, weight of the cost."""
_Examples: TypeAlias = tuple[_Floats, _Floats | _Indices, _Floats | None]
"""X, Y as values or class indices, weights."""
_Records: TypeAlias = tuple[_Numbers, _Numbers, _Numbers | None]
"""For each step: cost, gradient norm, penalties."""
_Optimizer: TypeAlias = tuple[str, Mapping[str, float], int]
"""Name, settings, number of previous updates."""
_Objective: TypeAlias = tuple[float, float, bool, float]
"""l1, l2, whether they are divided by the batch's weight (P3), maximum gradient norm (G1)."""
_Rule: TypeAlias = tuple[float, float, float, int, float]
"""Best loss so far, tolerance, patience, epochs without an improvement so far, divisor of costs."""
_Ranks: TypeAlias = tuple[int, int, int, _Floats, Callable[[], object]]
"""Rank, size, the number of examples of all ranks together if `order` has this rank's own only (or
0), the message (gradient, then cost), and a function that sums it over all ranks."""

class _CPUInfo(TypedDict):
    features: list[str]
    instruction_sets: list[str]
    usual: str
    cores: int
    precisions: list[str]

class Plan:
    """A network prepared for the kernels.

    `precision` is "full", "mixed" or "split"; where `cpu_info` does not list it, and in float64, it
    is "full". "mixed" is only for `train`, and for `loss` with a gradient.
    """

    def __init__(
        self,
        layers: Sequence[_Layer],
        heads: Sequence[_Head],
        fused: bool = True,
        threads: int = 1,
    ) -> None: ...
    def train(
        self,
        parameters: _Floats,
        slots: _Floats,
        examples: _Examples,
        order: _Indices,
        learning_rates: _Numbers,
        records: _Records,
        optimizer: _Optimizer,
        objective: _Objective,
        batch_size: int,
        key: int,
        threads: int,
        precision: str = "full",
        shares: _Numbers | None = None,
        rule: _Rule | None = None,
        ranks: _Ranks | None = None,
    ) -> int:
        """Take a step for each batch of `order`; return the number of finished steps.

        `rule` ends the run early: see `chainrule.engines.base.LossRule`.

        `ranks` divides each batch between processes: before the update, the function is called once
        a step, in the calling thread, and an exception that it raises ends the run before it.

        `shares` holds each step's c of an average, WA1. If the optimizer has no average of its own,
        the last row of `slots` is the average of the parameters.
        """

    def loss(
        self,
        parameters: _Floats,
        examples: _Examples,
        objective: _Objective,
        gradient: _Floats | None,
        threads: int,
        precision: str = "full",
    ) -> float:
        """Return J plus penalties; write the gradient to `gradient` unless it is None."""

    def forward(
        self,
        parameters: _Floats,
        X: _Floats,
        out: _Floats,
        threads: int,
        precision: str = "full",
    ) -> None:
        """Write the outputs for the rows of X to `out`."""

    def predict(self, parameters: _Floats, X: Any, precision: str = "full") -> _Floats | None:
        """Return the outputs for X; None if X is not an array that `forward` accepts."""

def names() -> dict[str, dict[str, tuple[str, ...]]]:
    """Return the supported names by category, each with its setting names in order."""

def cpu_info(words: Sequence[int] | None = None) -> _CPUInfo:
    """Return CPU features, core count, and CHAINRULE_ISA's instruction sets, weakest first.

    `words` are the CPUID and XCR0 words of another CPU, for tests.
    """

def instruction_set() -> str:
    """Return the instruction set that the kernels use."""

def use_instruction_set(name: str) -> None:
    """Set the kernels' instruction set; ValueError if this CPU or build does not support it."""

def all_finite(array: _Floats, threads: int = 1) -> bool:
    """Return whether all elements are finite; large arrays are shared by that many threads."""

def epoch_orders(key: int, first_epoch: int, orders: _Indices) -> None:
    """Fill each row with the order of the examples in one epoch."""

def shuffled_orders(generator: Any, before: _Indices, orders: _Indices) -> None:
    """Fill each row with a shuffle of the previous order, as by numpy.random.RandomState."""

def activation(chosen: _Chosen, A: _Floats, D: _Floats) -> None:
    """Replace Z in A by σ(Z) and write σ′(Z) to D, in whole vectors of 16; for tests."""
