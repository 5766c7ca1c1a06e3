"""A network as a prediction runs it: sums, scales and activations, and nothing of its training.

Dropout is nothing; batch normalisation, whose statistics are constants here, is a factor and a
summand of each unit, or part of the weights below it where nothing stands between.
"""

from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from chainrule.errors import InvalidArgumentError
from chainrule.network.activation import Activation, ActivationHeads
from chainrule.network.layers.operations import (
    Activated,
    Affine,
    Dropped,
    Multiplied,
    Normalized,
    Operation,
)
from chainrule.network.parameters import views
from chainrule.network.spec import NetworkSpec

Floats = NDArray[np.floating]


class Scaled(NamedTuple):
    """z = scale ⊙ a + shift."""

    scale: Floats
    shift: Floats


class Part(NamedTuple):
    """Units ``begin`` … ``end − 1`` and the activation that they have."""

    begin: int
    end: int
    activation: Activation


class Parts(NamedTuple):
    """a = z + α (σ(z) − z): one part, or one for each head."""

    parts: tuple[Part, ...]
    strength: Floats | None = None
    """α of each unit; None: all 1, a = σ(z)."""


Step: TypeAlias = Affine | Scaled | Parts


def steps_of(spec: NetworkSpec, parameters: Floats) -> tuple[Step, ...]:
    """Return what a prediction does, in order, in the network's own precision.

    Raises
    ------
    InvalidArgumentError
        If the network has a kind of layer that has no such form.
    """
    wide: list[Step] = []
    for layer, units, theta in zip(
        spec.layers, spec.sizes[1:], views(spec, parameters.astype(np.float64)), strict=True
    ):
        operations = layer.operations(theta)
        if operations is None:
            raise InvalidArgumentError(
                f"layers: {type(layer).__name__} cannot be exported; dense layers, batch "
                "normalisation, scales and dropout can"
            )
        for operation in operations:
            _add(wide, operation, units)
    return tuple(_rounded(step, spec.dtype) for step in wide)


def _rounded(step: Step, dtype: str) -> Step:
    """Return a step with its numbers in a precision."""
    if isinstance(step, Parts):
        return step._replace(
            strength=None if step.strength is None else step.strength.astype(dtype)
        )
    return type(step)(*(numbers.astype(dtype) for numbers in step))


def _add(wide: list[Step], operation: Operation, units: int) -> None:
    """Add what an operation is in a prediction."""
    match operation:
        case Affine():
            wide.append(operation)
        case Normalized(gamma, beta, mean, variance, epsilon):
            scale = gamma / np.sqrt(variance + epsilon)
            _add_scaled(wide, Scaled(scale, beta - mean * scale))
        case Multiplied(factors):
            _add_scaled(wide, Scaled(factors, np.zeros(units)))
        case Dropped():
            pass
        case Activated(sigma, strength):
            parts = _parts(sigma, units)
            if any(part.activation.name != "identity" for part in parts):
                wide.append(Parts(parts, strength))


def _add_scaled(wide: list[Step], step: Scaled) -> None:
    """Add a scale to the steps: as part of the weights below it where nothing stands between."""
    last = wide[-1] if wide else None
    if isinstance(last, Affine):
        wide[-1] = Affine(step.scale[:, None] * last.W, step.scale * last.b + step.shift)
    else:
        wide.append(step)


def activation_names(steps: tuple[Step, ...]) -> list[str]:
    """Return the names of the activations that occur, each once, sorted."""
    return sorted(
        {part.activation.name for step in steps if isinstance(step, Parts) for part in step.parts}
    )


def _parts(sigma: Activation | ActivationHeads, units: int) -> tuple[Part, ...]:
    parts: list[Part] = []
    for head in sigma.parts(units):
        begin = parts[-1].end if parts else 0
        parts.append(Part(begin, begin + head.units, head.function))
    return tuple(parts)
