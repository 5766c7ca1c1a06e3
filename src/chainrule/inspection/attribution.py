"""Attribution of an output to the inputs: gradient × input (AT1), integrated gradients (AT3)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from chainrule.engines.base import Floats
from chainrule.engines.passes import as_columns, forward_pass
from chainrule.equations.attribution import (
    gradient_times_input,
    integrated_gradients,
    way_from_reference,
)
from chainrule.network.parameters import views
from chainrule.network.spec import NetworkSpec

# The path is divided into this many pieces, each integrated by a 4-point Gauss-Legendre rule. The
# rule is very accurate for smooth functions, and a kink of a ReLU only affects one piece.
_PIECES = 64


class Undoing(Protocol):
    """The inverse of a nonlinear transformation of the target."""

    def undone(self, t: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the predictions in the target's units."""

    def slope(self, t: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return their derivative with respect to t."""


@dataclass(frozen=True)
class Attribution:
    """The inputs' shares in the difference of f = c·A[L] + c₀, or TT3 of it, from its reference.

    Attributes
    ----------
    value, reference_value : float
        f of the example and of the reference.
    gradient_times_input, integrated_gradients : array (n[0],)
        The share of each input. The integrated gradients add up to the difference of the two
        values, except for `unexplained`.
    """

    value: float
    reference_value: float
    gradient_times_input: NDArray[np.float64]
    integrated_gradients: NDArray[np.float64]

    @property
    def unexplained(self) -> float:
        """The error of the numerical integration: difference of the values minus the sum."""
        return self.value - self.reference_value - float(self.integrated_gradients.sum())


def attribute(
    spec: NetworkSpec,
    parameters: Floats,
    x: Floats,
    reference: Floats,
    direction: Floats,
    offset: float = 0.0,
    undoing: Undoing | None = None,
) -> Attribution:
    """Attribute one output, or a weighted sum of outputs, to the inputs, in float64.

    Parameters
    ----------
    spec : NetworkSpec
    parameters : array (number of parameters,)
    x, reference : array (n[0],)
        The example, and the reference that it is compared with.
    direction : array (n[L],)
        c of f = c·A[L] + c₀.
    offset : float
        c₀.
    undoing : Undoing, optional
        If given, its ``undone`` of c·A[L] + c₀ is explained.
    """
    spec = replace(spec, dtype="float64")
    theta = views(spec, parameters.astype(np.float64))
    X, start = (array.astype(np.float64).reshape(-1, 1) for array in (x, reference))
    c = direction.astype(np.float64).reshape(-1, 1)
    nodes, weights = np.polynomial.legendre.leggauss(4)
    t = ((np.arange(_PIECES)[:, None] + (nodes + 1) / 2) / _PIECES).ravel()
    shares = np.tile(weights / 2, _PIECES) / _PIECES

    ends = np.hstack([X, start])

    def answers(inputs: Floats) -> NDArray[np.float64]:
        outputs = forward_pass(spec, theta, inputs)[-1].A
        return np.asarray((c * outputs).sum(axis=0) + offset)

    def steepness(inputs: Floats) -> Floats:
        """Return ∂f/∂A[L], by the chain rule with the slope of `undoing`."""
        return c if undoing is None else c * undoing.slope(answers(inputs))

    found = answers(ends)
    value, reference_value = found if undoing is None else undoing.undone(found)
    way = way_from_reference(X, start, t)
    grad_way = input_gradient(spec, theta, way, steepness(way))
    at_x = input_gradient(spec, theta, X, steepness(X))
    return Attribution(
        float(value),
        float(reference_value),
        gradient_times_input(X, start, at_x).ravel(),
        integrated_gradients(X, start, grad_way, shares).ravel(),
    )


def behind_lookup(
    spec: NetworkSpec, parameters: Floats, X: Floats
) -> tuple[NetworkSpec, Floats, Floats]:
    """Return a network without its embedding layer, and the rows that this layer puts out.

    Category codes are discrete: there is no path from one to another, and no gradient. The embedded
    values have both. A network without such a layer is returned unchanged.

    Parameters
    ----------
    spec : NetworkSpec
    parameters : array (number of parameters,)
    X : array (m, n[0])
    """
    first = spec.layers[0]
    if not first.codes:
        return spec, parameters, X
    theta = views(spec, parameters)[0]
    rows = as_columns(first.forward(theta, as_columns(X)).A)
    rest = replace(spec, n_features=rows.shape[1], layers=spec.layers[1:])
    return rest, parameters[sum(block.size for block in theta) :], rows


def input_gradient(
    spec: NetworkSpec, theta: Sequence[Sequence[Floats]], X: Floats, grad_A: Floats
) -> Floats:
    """Return ∂f/∂X for each example, (n[0], m), by BP1 and BP2 down to A[0].

    Parameters
    ----------
    spec : NetworkSpec
    theta : list of lists of arrays
        The parameters, layer by layer.
    X : array (n[0], m)
    grad_A : array (n[L], 1) or (n[L], m)
        ∂f/∂A[L].
    """
    passes = forward_pass(spec, theta, X)
    delta = spec.layers[-1].through_activation(passes[-1])(grad_A + np.zeros_like(passes[-1].A))
    for index in reversed(range(1, len(spec.layers))):
        through = spec.layers[index - 1].through_activation(passes[index - 1])
        delta = spec.layers[index].error_below(theta[index], passes[index], delta, through)
    # The inputs have no activation: the last step is without σ′.
    at_inputs = spec.layers[0].error_below(theta[0], passes[0], delta, lambda grad: grad)
    return np.asarray(at_inputs)
