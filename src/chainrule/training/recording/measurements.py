"""What a recording says of a layer after an epoch: its activations and its gradient, in short."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from chainrule.engines.base import Examples, Floats
from chainrule.engines.passes import as_columns, backward_pass, forward_pass
from chainrule.network.parameters import views
from chainrule.network.spec import NetworkSpec


class LayerMeasurements(NamedTuple):
    """The activations and the gradient of a layer, over some training examples."""

    layer: int
    """l, counted from 1 over all layers of the network."""
    activations: Floats
    """(examples, n[l]): what the next layer with weights is given, or the outputs."""
    gradient_norm: float
    """‖∂J/∂W[l]‖, the Euclidean norm, without penalties."""

    @property
    def mean(self) -> float:
        """The mean of the activations."""
        return float(np.mean(self.activations, dtype=np.float64))

    @property
    def deviation(self) -> float:
        """The standard deviation of the activations."""
        return float(np.std(self.activations, dtype=np.float64))

    @property
    def zeros(self) -> float:
        """The share of activations that are 0, as those of ReLU often are."""
        return float(np.mean(self.activations == 0))


def measurements(
    spec: NetworkSpec, parameters: Floats, examples: Examples
) -> list[LayerMeasurements]:
    """Return the measurements of each layer with weights, by the equations, without dropout."""
    X, targets = as_columns(examples.X), as_columns(examples.targets(spec.n_outputs))
    theta = views(spec, parameters)
    with np.errstate(all="ignore"):  # a network that diverges is drawn as well
        passes = forward_pass(spec, theta, X)
        gradients = backward_pass(spec, theta, X, targets, passes, examples.weights).gradients
    found = []
    for first, last in groups(spec):
        W = gradients[first][_weights_of(spec, first)]
        norm = float(np.sqrt(np.sum(np.square(W, dtype=np.float64))))
        found.append(LayerMeasurements(first + 1, as_columns(passes[last].A), norm))
    return found


def activations(spec: NetworkSpec, parameters: Floats, examples: Examples) -> list[Floats]:
    """Return the activations that `measurements` returns, without the gradient."""
    with np.errstate(all="ignore"):
        passes = forward_pass(spec, views(spec, parameters), as_columns(examples.X))
    return [as_columns(passes[last].A) for _, last in groups(spec)]


def groups(spec: NetworkSpec) -> list[tuple[int, int]]:
    """Return the indices of each layer with weights, and of the last layer before the next one.

    Batch normalisation, dropout and activations of their own belong to the layer that they follow.
    """
    starts = [index for index, layer in enumerate(spec.layers) if layer.has_weights]
    ends = [*(start - 1 for start in starts[1:]), len(spec.layers) - 1]
    return list(zip(starts, ends, strict=True))


def _weights_of(spec: NetworkSpec, index: int) -> int:
    names = [block.name for block in spec.blocks()[index]]
    return names.index("W")


def counted(
    values: NDArray[np.floating], low: float, high: float, bins: int
) -> NDArray[np.float64]:
    """Return the shares of the values in equal bins from `low` to `high`; ends take what is beyond.

    Values that are not finite are left out.
    """
    finite = values[np.isfinite(values)].astype(np.float64)
    clipped = np.clip(finite, low, high)
    counts, _ = np.histogram(clipped, bins, (low, high))
    return np.asarray(counts / max(1, finite.size), np.float64)
