"""The compiled core in native/: what native/module.cpp binds.

Arrays of one call are all of one type, float32 or float64; they are C-ordered, and those that are
written to are writable. What does not fit is a ValueError or a TypeError.
"""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias, TypedDict

import numpy as np
from numpy.typing import NDArray

_Floats: TypeAlias = NDArray[np.floating]
_Indices: TypeAlias = NDArray[np.int32]
_Numbers: TypeAlias = NDArray[np.float64]

_Chosen: TypeAlias = tuple[str, Mapping[str, float]]
"""An activation or a cost, by name, and its settings by theirs."""
_Block: TypeAlias = tuple[int, int, int, str, float]
"""Offset in the flat vector, rows, columns, group, factor of the learning rate."""
_Layer: TypeAlias = tuple[str, int, int, _Chosen, Mapping[str, Sequence[float]], Sequence[_Block]]
"""Kind, n[l−1], n[l], activation, settings, blocks."""
_Head: TypeAlias = tuple[int, _Chosen, _Chosen, float]
"""Units, activation, cost, weight of the cost."""
_Examples: TypeAlias = tuple[_Floats, _Floats | _Indices, _Floats | None]
"""X, Y as values or classes, weights."""
_Records: TypeAlias = tuple[_Numbers, _Numbers, _Numbers | None]
"""Of each step: cost, norm of the gradient, penalties."""
_Optimizer: TypeAlias = tuple[str, Mapping[str, float], int]
"""Name, settings, updates made before."""
_Objective: TypeAlias = tuple[float, float, bool, float]
"""l1, l2, whether they are divided by the batch's weight (P3), the longest gradient (G1)."""

class _CPUInfo(TypedDict):
    features: list[str]
    instruction_sets: list[str]
    usual: str
    cores: int
    mixed: bool

class Plan:
    """A network as the kernels see it."""

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
        mixed: bool = False,
        shares: _Numbers | None = None,
    ) -> int:
        """Take a step for each batch of `order`; return how many were finished.

        With the steps' shares of an average, WA1, and an optimizer that has none of its own, the
        last of the slots is that of the parameters.
        """

    def loss(
        self,
        parameters: _Floats,
        examples: _Examples,
        objective: _Objective,
        gradient: _Floats | None,
        threads: int,
        mixed: bool = False,
    ) -> float:
        """Return J plus penalties; write its gradient where one is wanted."""

    def forward(self, parameters: _Floats, X: _Floats, out: _Floats, threads: int) -> None:
        """Write the outputs for the rows of X to `out`."""

    def predict(self, parameters: _Floats, X: Any) -> _Floats | None:
        """Return the outputs for X; None where X is not an array as `forward` takes it."""

def names() -> dict[str, dict[str, tuple[str, ...]]]:
    """Return what there is in the core: list, name, names of its settings in their order."""

def cpu_info(words: Sequence[int] | None = None) -> _CPUInfo:
    """Return what this CPU has, the sets that CHAINRULE_ISA accepts, weakest first, and the cores.

    `words` are the CPUID and XCR0 words of another CPU, for tests.
    """

def instruction_set() -> str:
    """Return the instruction set that the kernels use."""

def use_instruction_set(name: str) -> None:
    """Choose the kernels' instruction set; ValueError if this CPU or build has not got it."""

def all_finite(array: _Floats) -> bool:
    """Return whether no element is NaN or infinite."""

def epoch_orders(key: int, first_epoch: int, orders: _Indices) -> None:
    """Fill each row with the order of the examples in one epoch."""

def shuffled_orders(generator: Any, before: _Indices, orders: _Indices) -> None:
    """Fill each row with the order before it, shuffled as by numpy.random.RandomState."""

def activation(chosen: _Chosen, A: _Floats, D: _Floats) -> None:
    """Turn Z into σ(Z) in A, and write σ′(Z) to D: whole vectors of 16, for tests."""
