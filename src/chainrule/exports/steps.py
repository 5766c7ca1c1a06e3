"""A network as a prediction runs it: sums, scales and activations, and nothing of its training.

Dropout is nothing; batch normalisation, whose statistics are constants here, is a factor and a
summand of each unit, or part of the weights below it where nothing stands between.
"""

from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from chainrule.errors import InvalidArgumentError
from chainrule.network.activation import Activation, ActivationHeads
from chainrule.network.layers import BatchNorm, Dense, Dropout, Scale
from chainrule.network.parameters import views
from chainrule.network.spec import NetworkSpec

Floats = NDArray[np.floating]


class Affine(NamedTuple):
    """z = W a + b."""

    W: Floats
    """(n[l], n[l−1])."""
    b: Floats
    """(n[l],)."""


class Scaled(NamedTuple):
    """z = scale ⊙ a + shift."""

    scale: Floats
    shift: Floats


class Part(NamedTuple):
    """Units ``begin`` … ``end − 1`` and the activation that they have."""

    begin: int
    end: int
    activation: Activation


class Activated(NamedTuple):
    """a = σ(z): one part, or one for each head."""

    parts: tuple[Part, ...]


Step: TypeAlias = Affine | Scaled | Activated


def steps_of(spec: NetworkSpec, parameters: Floats) -> tuple[Step, ...]:
    """Return what a prediction does, in order, in the network's own precision.

    Raises
    ------
    InvalidArgumentError
        If the network has a kind of layer that has no such form.
    """
    wide: list[Step] = []
    for layer, sigma, units, theta in zip(
        spec.layers,
        spec.activations,
        spec.sizes[1:],
        views(spec, parameters.astype(np.float64)),
        strict=True,
    ):
        if isinstance(layer, Dense):
            W, b = theta
            wide.append(Affine(W, b[:, 0]))
        elif isinstance(layer, BatchNorm):
            gamma, beta, mean, variance = (block[:, 0] for block in theta)
            scale = gamma / np.sqrt(variance + layer.epsilon)
            _add_scaled(wide, Scaled(scale, beta - mean * scale))
        elif isinstance(layer, Scale):
            _add_scaled(wide, Scaled(theta[0][:, 0], np.zeros(units)))
        elif isinstance(layer, Dropout):
            continue
        else:
            raise InvalidArgumentError(
                f"layers: {type(layer).__name__} cannot be exported; dense layers, batch "
                "normalisation, scales and dropout can"
            )
        parts = _parts(sigma, units)
        if any(part.activation.name != "identity" for part in parts):
            wide.append(Activated(parts))
    return tuple(
        step if isinstance(step, Activated) else type(step)(*(x.astype(spec.dtype) for x in step))
        for step in wide
    )


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
        {
            part.activation.name
            for step in steps
            if isinstance(step, Activated)
            for part in step.parts
        }
    )


def _parts(sigma: Activation | ActivationHeads, units: int) -> tuple[Part, ...]:
    parts: list[Part] = []
    for head in sigma.parts(units):
        begin = parts[-1].end if parts else 0
        parts.append(Part(begin, begin + head.units, head.function))
    return tuple(parts)
