"""The thirteen activations, each beside its derivative, and the table that names them.

To add one: a file with the function and its derivative, and a line in `ACTIVATIONS`.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from chainrule.equations._array import Array
from chainrule.equations.activations.elu import elu, elu_derivative, selu, selu_derivative
from chainrule.equations.activations.exponential import exponential, exponential_derivative
from chainrule.equations.activations.gelu import gelu, gelu_derivative
from chainrule.equations.activations.identity import identity, identity_derivative
from chainrule.equations.activations.mish import mish, mish_derivative
from chainrule.equations.activations.relu import (
    leaky_relu,
    leaky_relu_derivative,
    relu,
    relu_derivative,
)
from chainrule.equations.activations.sigmoid import sigmoid, sigmoid_derivative
from chainrule.equations.activations.silu import silu, silu_derivative
from chainrule.equations.activations.softmax import softmax
from chainrule.equations.activations.softplus import softplus, softplus_derivative
from chainrule.equations.activations.tanh import tanh, tanh_derivative


class ActivationEquations(NamedTuple):
    """σ, σ′ and the parameters that a user may set, with their defaults."""

    function: Callable[..., Array]
    derivative: Callable[..., Array] | None
    """None for softmax, whose derivative is a Jacobian: `backpropagation.softmax_error`."""
    parameters: Mapping[str, float] = MappingProxyType({})
    kinked: bool = False
    """Whether σ′ jumps at z = 0, where central differences mean nothing."""


ACTIVATIONS: Mapping[str, ActivationEquations] = MappingProxyType(
    {
        "identity": ActivationEquations(identity, identity_derivative),
        "sigmoid": ActivationEquations(sigmoid, sigmoid_derivative),
        "tanh": ActivationEquations(tanh, tanh_derivative),
        "relu": ActivationEquations(relu, relu_derivative, kinked=True),
        "leaky_relu": ActivationEquations(
            leaky_relu, leaky_relu_derivative, MappingProxyType({"slope": 0.01}), kinked=True
        ),
        "elu": ActivationEquations(
            elu, elu_derivative, MappingProxyType({"alpha": 1.0}), kinked=True
        ),
        "selu": ActivationEquations(selu, selu_derivative, kinked=True),
        "gelu": ActivationEquations(gelu, gelu_derivative),
        "silu": ActivationEquations(silu, silu_derivative),
        "mish": ActivationEquations(mish, mish_derivative),
        "softplus": ActivationEquations(softplus, softplus_derivative),
        "exponential": ActivationEquations(exponential, exponential_derivative),
        "softmax": ActivationEquations(softmax, None),
    }
)

__all__ = ["ACTIVATIONS", "ActivationEquations"]
