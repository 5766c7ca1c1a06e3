"""An activation as a user names it: "relu", "leaky_relu(slope=0.2)"."""

from collections.abc import Callable
from functools import partial
from typing import Any

from chainrule.equations.activations import ACTIVATIONS
from chainrule.equations.backpropagation import output_error, softmax_error
from chainrule.network.naming import canonical_name, parse_name


def parse_activation(text: str) -> tuple[str, dict[str, float]]:
    """Split an activation's text into its name and all its parameters.

    Parameters
    ----------
    text : str
        A name of `chainrule.equations.activations.ACTIVATIONS`, with parameters in brackets
        where it has any.

    Raises
    ------
    InvalidArgumentError
        If there is no such activation or parameter, or its value is not a finite number.

    Examples
    --------
    >>> parse_activation("leaky_relu(slope=0.2)")
    ('leaky_relu', {'slope': 0.2})
    """
    return parse_name(text, "activation", ACTIVATIONS, "leaky_relu(slope=0.2)")


def canonical_activation(text: str) -> str:
    """Return the one spelling of an activation: parameters named only where not the default."""
    return canonical_name(*parse_activation(text), ACTIVATIONS)


def bound_equations(text: str) -> tuple[Callable[[Any], Any], Callable[[Any], Any] | None]:
    """Return σ and σ′ with the activation's parameters filled in; σ′ is None for softmax."""
    name, parameters = parse_activation(text)
    equations = ACTIVATIONS[name]
    if not parameters:
        return equations.function, equations.derivative
    assert equations.derivative is not None
    return partial(equations.function, **parameters), partial(equations.derivative, **parameters)


def through_activation(text: str, Z: Any, A: Any) -> Callable[[Any], Any]:
    """Return the map ∂C/∂A ↦ δ through an activation: BP1, or BP1s for softmax."""
    _, derivative = bound_equations(text)
    if derivative is None:
        return partial(softmax_error, A=A)
    return partial(output_error, Z=Z, derivative=derivative)
