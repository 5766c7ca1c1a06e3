"""A network reduced to its prediction: affine layers, scales, embeddings and activations.

Dropout is omitted. Batch normalisation, whose statistics are constants in a prediction, becomes a
scale and a shift of each unit, folded into the preceding affine layer if it follows one directly.
"""

from collections.abc import Iterator
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from chainrule.errors import InvalidArgumentError
from chainrule.network.activation import Activation, ActivationHeads
from chainrule.network.layers.operations import (
    Activated,
    Affine,
    Binned,
    Dropped,
    GroupedAffine,
    Multiplied,
    Normalized,
    Operation,
    Periodic,
)
from chainrule.network.parameters import views
from chainrule.network.spec import NetworkSpec

Floats = NDArray[np.floating]


class Scaled(NamedTuple):
    """z = scale ⊙ a + shift."""

    scale: Floats
    shift: Floats


class HeadActivation(NamedTuple):
    """The activation of the units ``begin`` … ``end − 1``."""

    begin: int
    end: int
    activation: Activation


class Activations(NamedTuple):
    """a = z + α (σ(z) − z): one σ for all units, or one for each head."""

    heads: tuple[HeadActivation, ...]
    strength: Floats | None = None
    """α of each unit; None if all are 1, so that a = σ(z)."""


Stage: TypeAlias = Affine | GroupedAffine | Scaled | Binned | Periodic | Activations


def stages_of(spec: NetworkSpec, parameters: Floats) -> tuple[Stage, ...]:
    """Return the stages of a prediction, in order, in the network's own precision.

    Raises
    ------
    InvalidArgumentError
        If the network has a layer that cannot be expressed as stages.
    """
    wide: list[Stage] = []
    for layer, units, theta in zip(
        spec.layers, spec.sizes[1:], views(spec, parameters.astype(np.float64)), strict=True
    ):
        operations = layer.operations(theta)
        if operations is None:
            raise InvalidArgumentError(
                f"layers: {type(layer).__name__} cannot be exported; dense layers, batch "
                "normalisation, scales, bins, periodic embeddings and dropout can"
            )
        for operation in operations:
            _add(wide, operation, units)
    return tuple(_rounded(stage, spec.dtype) for stage in wide)


def _rounded(stage: Stage, dtype: str) -> Stage:
    """Return a stage with its numbers rounded to a precision."""
    if isinstance(stage, Activations):
        return stage._replace(
            strength=None if stage.strength is None else stage.strength.astype(dtype)
        )
    if isinstance(stage, Binned | Periodic):
        columns, *numbers = stage
        return type(stage)(columns, *(array.astype(dtype) for array in numbers))
    return type(stage)(*(numbers.astype(dtype) for numbers in stage))


def _add(wide: list[Stage], operation: Operation, units: int) -> None:
    """Append the stage of an operation, if it has one in a prediction."""
    match operation:
        case Affine() | GroupedAffine() | Binned() | Periodic():
            wide.append(operation)
        case Normalized(gamma, beta, mean, variance, epsilon):
            scale = gamma / np.sqrt(variance + epsilon)
            _add_scaled(wide, Scaled(scale, beta - mean * scale))
        case Multiplied(factors):
            _add_scaled(wide, Scaled(factors, np.zeros(units)))
        case Dropped():
            pass
        case Activated(sigma, strength):
            heads = _head_activations(sigma, units)
            if any(head.activation.name != "identity" for head in heads):
                wide.append(Activations(heads, strength))


def _add_scaled(wide: list[Stage], stage: Scaled) -> None:
    """Append a scale, or fold it into a directly preceding affine layer."""
    last = wide[-1] if wide else None
    if isinstance(last, Affine):
        wide[-1] = Affine(stage.scale[:, None] * last.W, stage.scale * last.b + stage.shift)
    elif isinstance(last, GroupedAffine):
        scale = stage.scale.reshape(*last.W.shape[:2], 1)
        wide[-1] = GroupedAffine(scale * last.W, stage.scale * last.b + stage.shift)
    else:
        wide.append(stage)


def stage_units(stages: tuple[Stage, ...], n_features: int) -> Iterator[tuple[Stage, int]]:
    """Return each stage with the number of its units, n[l]."""
    units = n_features
    for stage in stages:
        if isinstance(stage, Affine | GroupedAffine):
            units = len(stage.b)
        elif isinstance(stage, Binned):
            units += len(stage.columns)
        elif isinstance(stage, Periodic):
            units += stage.d.size
        yield stage, units


def activation_names(stages: tuple[Stage, ...]) -> list[str]:
    """Return the sorted names of the activations, without duplicates."""
    return sorted(
        {
            head.activation.name
            for stage in stages
            if isinstance(stage, Activations)
            for head in stage.heads
        }
    )


def _head_activations(
    sigma: Activation | ActivationHeads, units: int
) -> tuple[HeadActivation, ...]:
    heads: list[HeadActivation] = []
    for head in sigma.parts(units):
        begin = heads[-1].end if heads else 0
        heads.append(HeadActivation(begin, begin + head.units, head.function))
    return tuple(heads)
