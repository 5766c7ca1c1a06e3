"""An activation as a user names it: "relu", "leaky_relu(slope=0.2)"."""

from collections.abc import Callable
from functools import partial
from typing import Any

from chainrule.equations._array import Array
from chainrule.equations.activations import ACTIVATIONS
from chainrule.equations.backpropagation import output_error, softmax_error
from chainrule.equations.heads import HeadPart, heads_activation, heads_activation_derivative
from chainrule.network.function_names import canonical_name, parse_name
from chainrule.network.heads import canonical_heads, is_heads, parse_heads


def parse_activation(text: str) -> tuple[str, dict[str, float]]:
    """Split an activation's text into its name and all its parameters.

    Parameters
    ----------
    text : str
        A name of `chainrule.equations.activations.ACTIVATIONS`, with parameters in brackets
        where it has any; or heads, as in `chainrule.network.heads`, whose name is "heads".

    Raises
    ------
    InvalidArgumentError
        If there is no such activation or parameter, or its value is not a finite number.

    Examples
    --------
    >>> parse_activation("leaky_relu(slope=0.2)")
    ('leaky_relu', {'slope': 0.2})
    """
    if is_heads(text):
        for head in parse_heads(text, "activation"):
            parse_name(head.name, "activation", ACTIVATIONS, "leaky_relu(slope=0.2)")
        return "heads", {}
    return parse_name(text, "activation", ACTIVATIONS, "leaky_relu(slope=0.2)")


def canonical_activation(text: str) -> str:
    """Return the one spelling of an activation: parameters named only where not the default."""
    if is_heads(text):
        return canonical_heads(text, "activation", canonical_activation)
    return canonical_name(*parse_activation(text), ACTIVATIONS)


def bound_equations(text: str) -> tuple[Callable[[Any], Any], Callable[[Any], Any] | None]:
    """Return σ and σ′ with the activation's parameters filled in.

    σ′ is None where δ is not ∂C/∂A ⊙ σ′(Z): for softmax and for heads, see `error_through`.
    """
    name, parameters = parse_activation(text)
    if name == "heads":
        parts = [
            HeadPart(head.units, bound_equations(head.name)[0])
            for head in parse_heads(text, "activation")
        ]
        return partial(heads_activation, heads=parts), None
    equations = ACTIVATIONS[name]
    if not parameters:
        return equations.function, equations.derivative
    assert equations.derivative is not None
    return partial(equations.function, **parameters), partial(equations.derivative, **parameters)


def is_kinked(text: str) -> bool:
    """Whether an activation's derivative jumps at 0."""
    if is_heads(text):
        return any(is_kinked(head.name) for head in parse_heads(text, "activation"))
    return ACTIVATIONS[parse_activation(text)[0]].kinked


def error_through(text: str, Z: Array, A: Array) -> Callable[[Array], Array]:
    """Return the map ∂C/∂A ↦ δ of an activation at Z: BP1, BP1s for softmax, or HD1's for heads."""
    _, derivative = bound_equations(text)
    if derivative is not None:
        return partial(output_error, Z=Z, derivative=derivative)
    if not is_heads(text):
        return partial(softmax_error, A=A)
    parts = [
        HeadPart(head.units, partial(_head_error, text=head.name))
        for head in parse_heads(text, "activation")
    ]
    return partial(heads_activation_derivative, Z=Z, A=A, heads=parts)


def _head_error(grad_A: Array, Z: Array, A: Array, text: str) -> Array:
    return error_through(text, Z, A)(grad_A)
