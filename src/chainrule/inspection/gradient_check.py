"""Comparison of backpropagation with central differences, block by block, in float64."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from chainrule.engines.base import Engine, Floats, Problem
from chainrule.engines.passes import as_columns, cost_equations, forward_pass
from chainrule.network.parameters import placed_blocks, views
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
    problem = problem.in_float64()
    spec, theta, examples = problem.spec, problem.parameters, problem.examples
    gradient = np.empty_like(theta)
    J = engine.loss_and_gradient(problem, gradient)
    # A step h in W[l] changes Z[l] by h · A[l−1], so large inputs need small steps.
    passes = forward_pass(spec, views(spec, theta), as_columns(examples.X))
    inputs = [examples.X, *(layer_pass.A for layer_pass in passes[:-1])]

    blocks = []
    for index, placed in enumerate(placed_blocks(spec)):
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

        size_below = float(np.abs(inputs[placed.layer - 1]).max())
        h = _STEP * max(1.0, float(np.abs(theta[placed.slice]).max()))
        if placed.block.penalised:
            h /= max(1.0, size_below)
        rounding = _ROUNDINGS * float(np.finfo(np.float64).eps) * abs(J) / h
        scale = max(1.0, float(np.abs(gradient[placed.slice]).max()), rounding / TOLERANCE)
        errors: list[float | None] = []
        for direction in directions:
            difference = _central_difference(problem, engine, placed.slice, direction, h)
            if difference is None:
                errors.append(None)
                continue
            with np.errstate(invalid="ignore"):  # ∞ · 0 if the gradient is not finite
                error = abs(difference - float(gradient[placed.slice] @ direction)) / scale
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


def _central_difference(
    problem: Problem, engine: Engine, block: slice, direction: Floats, h: float
) -> float | None:
    """Return (J(θ + hd) − J(θ − hd))/2h, or None if there is a kink between the two points."""
    losses, sides = [], []
    for sign in (1, -1):
        theta = problem.parameters.copy()
        theta[block] += sign * h * direction
        moved = replace(problem, parameters=theta)
        losses.append(engine.loss(moved))
        sides.append(_sides_of_kinks(moved))
    if any((a != b).any() for a, b in zip(*sides, strict=True)):
        return None
    return float((losses[0] - losses[1]) / (2 * h))


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
