"""The output of a network that is explained, as a function of the inputs, with its gradient."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from chainrule.engines.base import Floats
from chainrule.engines.passes import as_columns, forward_pass
from chainrule.network.parameters import views
from chainrule.network.spec import NetworkSpec


class Undoing(Protocol):
    """The inverse of a nonlinear transformation of the target."""

    def undone(self, t: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the predictions in the target's units."""

    def slope(self, t: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return their derivative with respect to t."""


@dataclass(frozen=True)
class Output:
    """f = c·A[L] + c₀, or TT3 of it, as a function of the inputs, in float64.

    Attributes
    ----------
    spec : NetworkSpec
    theta : list of lists of arrays
        The parameters, layer by layer.
    direction : array (n[L], 1)
        c.
    offset : float
        c₀.
    undoing : Undoing, optional
        If given, its ``undone`` of c·A[L] + c₀ is f.
    """

    spec: NetworkSpec
    theta: Sequence[Sequence[Floats]]
    direction: NDArray[np.float64]
    offset: float = 0.0
    undoing: Undoing | None = None

    @classmethod
    def of(
        cls,
        spec: NetworkSpec,
        parameters: Floats,
        direction: Floats,
        offset: float = 0.0,
        undoing: Undoing | None = None,
    ) -> "Output":
        """Return the output c·A[L] + c₀ of a network with these parameters; c is (n[L],)."""
        spec = replace(spec, dtype="float64")
        theta = views(spec, parameters.astype(np.float64))
        return cls(spec, theta, direction.astype(np.float64).reshape(-1, 1), offset, undoing)

    def values(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return f of each example, (m,); X is (n[0], m)."""
        found = self._linear(forward_pass(self.spec, self.theta, X)[-1].A)
        return found if self.undoing is None else self.undoing.undone(found)

    def gradient(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return ∂f/∂X for each example, (n[0], m), by BP1 and BP2 down to A[0]."""
        spec, theta = self.spec, self.theta
        passes = forward_pass(spec, theta, X)
        grad_A = self.direction + np.zeros_like(passes[-1].A)
        if self.undoing is not None:
            grad_A = grad_A * self.undoing.slope(self._linear(passes[-1].A))
        delta = spec.layers[-1].through_activation(passes[-1])(grad_A)
        for index in reversed(range(1, len(spec.layers))):
            through = spec.layers[index - 1].through_activation(passes[index - 1])
            delta = spec.layers[index].error_below(theta[index], passes[index], delta, through)
        # The inputs have no activation: the last step is without σ′.
        at_inputs = spec.layers[0].error_below(theta[0], passes[0], delta, lambda grad: grad)
        return np.asarray(at_inputs)

    def _linear(self, A: Floats) -> NDArray[np.float64]:
        return np.asarray((self.direction * A).sum(axis=0) + self.offset)


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
