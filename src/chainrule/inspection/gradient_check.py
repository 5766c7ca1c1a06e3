"""Comparison of backpropagation with central differences, block by block, in float64."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from chainrule.engines.base import Engine, Floats, Problem
from chainrule.engines.passes import as_columns, cost_equations, forward_pass
from chainrule.errors import InvalidArgumentError
from chainrule.network.parameters import PlacedBlock, placed_blocks, views
from chainrule.network.random import Stream, generator

# The error of central differences is h²/6 · J‴ + ε|J|/h; h = ε^{1/3} balances the two terms.
_STEP = float(np.finfo(np.float64).eps) ** (1 / 3)

# With this h, both terms are near 4e-11 for J and J‴ near 1. A wrong formula gives errors that are
# far larger than even a thousand times that.
TOLERANCE = 1e-7

# Number of roundings between θ and a difference of losses. It allows for large J, whose ε|J|/h
# would otherwise look like a wrong gradient (targets of order 1e5 give J of order 1e10).
_ROUNDINGS = 10


class BlockCheck(NamedTuple):
    """The comparison of one block of parameters."""

    name: str
    """"W[1]"."""
    shape: tuple[int, ...]
    checked: int
    """Entries compared one by one, in addition to the derivative along a random direction."""
    left_out: int
    """Entries whose difference crosses a kink (ReLU at 0), where it says nothing."""
    largest_error: float
    """max |backprop − difference|, relative to the largest of 1, the entries of the block's
    gradient, and the resolution that rounding leaves to differences of J."""
    passed: bool
    compared: bool
    """Whether anything was compared: False if every difference crosses a kink."""


class EntryCheck(NamedTuple):
    """The comparison of one parameter's gradient."""

    gradient: float
    """∂J/∂θ by backpropagation."""
    difference: float
    """(J(θ + h) − J(θ − h))/2h."""
    plus: float
    """J(θ + h)."""
    minus: float
    """J(θ − h)."""
    kinked: bool
    """Whether a kink (ReLU at 0) lies between the two points, where the difference says nothing."""
    h: float
    loss: float
    """J(θ)."""
    bound: float
    """How far the two may differ: `TOLERANCE`, relative as in `BlockCheck.largest_error`."""
    agrees: bool | None
    """Whether they differ by no more than that; None if there is a kink."""


@dataclass(frozen=True, repr=False)
class GradientCheck:
    """The comparison of all blocks; it is true if all of them passed."""

    blocks: list[BlockCheck]
    engine: str

    @property
    def passed(self) -> bool:
        """Whether every block passed."""
        return all(block.passed for block in self.blocks)

    def __bool__(self) -> bool:
        return self.passed

    def __str__(self) -> str:
        lines = [
            f"Gradient check of the {self.engine} engine in float64 "
            f"(central differences, tolerance {TOLERANCE:g})",
            f"{'block':<8}{'shape':<14}{'compared':>9}{'left out':>9}{'largest error':>15}",
        ]
        for block in self.blocks:
            shape = " × ".join(map(str, block.shape))
            verdict = "ok" if block.passed else "WRONG"
            if block.passed and not block.compared:
                verdict = "not compared"
            lines.append(
                f"{block.name:<8}{shape:<14}{block.checked:>9}{block.left_out:>9}"
                f"{block.largest_error:>15.2e}  {verdict}"
            )
        return "\n".join(lines)

    def __repr__(self) -> str:
        return str(self)


def check_gradients(
    problem: Problem, engine: Engine, entries_per_block: int = 100, seed: int = 0
) -> GradientCheck:
    """Compare an engine's gradient with central differences of its own loss, in float64.

    Up to `entries_per_block` entries of each block are compared one by one, a random sample if
    there are more. In addition, the derivative along a random direction covers the whole block.
    """
    checked = _Checked(problem, engine)
    blocks = []
    for index, placed in enumerate(placed_blocks(checked.problem.spec)):
        if not placed.block.has_gradient:
            continue  # such as running statistics
        random = generator(seed, Stream.CHECK, index)
        size = placed.slice.stop - placed.slice.start
        chosen = np.sort(random.permutation(size)[:entries_per_block])
        directions = []
        for entry in chosen:
            direction = np.zeros(size)
            direction[entry] = 1.0
            directions.append(direction)
        whole = random.standard_normal(size)
        directions.append(whole / np.linalg.norm(whole))

        h = checked.step(placed)
        scale = checked.scale(placed, h)
        errors: list[float | None] = []
        for direction in directions:
            difference = checked.difference(placed, direction, h)
            if difference.kinked:
                errors.append(None)
                continue
            with np.errstate(invalid="ignore"):  # ∞ · 0 if the gradient is not finite
                backpropagated = float(checked.gradient[placed.slice] @ direction)
                error = abs(difference.value - backpropagated) / scale
            errors.append(error if np.isfinite(error) else np.inf)
        entries = errors[:-1]
        seen = [error for error in errors if error is not None]
        largest = max(seen, default=0.0)
        blocks.append(
            BlockCheck(
                placed.name,
                placed.block.shape,
                len(entries) - entries.count(None),
                entries.count(None),
                largest,
                largest <= TOLERANCE,
                bool(seen),
            )
        )
    return GradientCheck(blocks, engine.name)


def check_entry(problem: Problem, engine: Engine, index: int) -> EntryCheck:
    """Compare one entry of an engine's gradient with the central difference of its own loss.

    Parameters
    ----------
    problem : Problem
    engine : Engine
    index : int
        The parameter's index in the flat vector.

    Raises
    ------
    InvalidArgumentError
        If the parameter has no gradient, such as a running mean.
    """
    checked = _Checked(problem, engine)
    for placed in placed_blocks(checked.problem.spec):
        if placed.slice.start <= index < placed.slice.stop:
            break
    else:
        raise InvalidArgumentError(
            f"index: expected less than the network's {len(problem.parameters)} parameters; "
            f"got {index}"
        )
    if not placed.block.has_gradient:
        raise InvalidArgumentError(
            f"index: {placed.name} is updated from the examples and has no gradient; choose a "
            "weight or a bias"
        )
    direction = np.zeros(placed.slice.stop - placed.slice.start)
    direction[index - placed.slice.start] = 1.0
    h = checked.step(placed)
    difference = checked.difference(placed, direction, h)
    bound = TOLERANCE * checked.scale(placed, h)
    gradient = float(checked.gradient[index])
    agrees = None if difference.kinked else bool(abs(difference.value - gradient) <= bound)
    return EntryCheck(gradient, *difference, h, checked.J, bound, agrees)


class _Difference(NamedTuple):
    """The losses on both sides, and their difference over 2h."""

    value: float
    plus: float
    minus: float
    kinked: bool


class _Checked:
    """A problem in float64 with its loss and its gradient, and differences of the loss."""

    def __init__(self, problem: Problem, engine: Engine) -> None:
        self.problem, self._engine = problem.in_float64(), engine
        self.gradient = np.empty_like(self.problem.parameters)
        self.J = engine.loss_and_gradient(self.problem, self.gradient)
        # A step h in W[l] changes Z[l] by h · A[l−1], so large inputs need small steps.
        spec, X = self.problem.spec, self.problem.examples.X
        passes = forward_pass(spec, views(spec, self.problem.parameters), as_columns(X))
        inputs = [X, *(layer_pass.A for layer_pass in passes[:-1])]
        self._sizes_below = [float(np.abs(one).max()) for one in inputs]

    def step(self, placed: PlacedBlock) -> float:
        """Return h for the entries of a block."""
        h: float = _STEP * max(1.0, float(np.abs(self.problem.parameters[placed.slice]).max()))
        if placed.block.penalised:
            h /= max(1.0, self._sizes_below[placed.layer - 1])
        return h

    def scale(self, placed: PlacedBlock, h: float) -> float:
        """Return what an error is relative to; see `BlockCheck.largest_error`."""
        rounding = _ROUNDINGS * float(np.finfo(np.float64).eps) * abs(self.J) / h
        largest = float(np.abs(self.gradient[placed.slice]).max())
        return float(max(1.0, largest, rounding / TOLERANCE))

    def difference(self, placed: PlacedBlock, direction: Floats, h: float) -> _Difference:
        """Return (J(θ + hd) − J(θ − hd))/2h, and whether there is a kink between the points."""
        losses, sides = [], []
        for sign in (1, -1):
            theta = self.problem.parameters.copy()
            theta[placed.slice] += sign * h * direction
            moved = replace(self.problem, parameters=theta)
            losses.append(self._engine.loss(moved))
            sides.append(_sides_of_kinks(moved))
        kinked = any(bool((a != b).any()) for a, b in zip(*sides, strict=True))
        plus, minus = losses
        return _Difference(float((plus - minus) / (2 * h)), plus, minus, kinked)


def _sides_of_kinks(problem: Problem) -> Sequence[NDArray[np.bool_]]:
    """Return, for each kink of J, the side that θ is on."""
    spec, theta, examples = problem.spec, problem.parameters, problem.examples
    passes = forward_pass(spec, views(spec, theta), as_columns(examples.X))
    sides = []
    for sigma, layer_pass in zip(spec.activations, passes, strict=True):
        sides += sigma.sides(layer_pass.Z)
    side = cost_equations(spec).side
    if side is not None:
        sides.append(side(passes[-1].A, as_columns(examples.Y)))
    if problem.penalties.l1:
        sides.append(theta > 0)
    return sides
