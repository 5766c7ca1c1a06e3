"""An activation as a user names it: "relu", "leaky_relu(slope=0.2)"."""

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from chainrule.equations.activations import ACTIVATIONS
from chainrule.errors import InvalidArgumentError

_FORM = re.compile(r"\s*(?P<name>\w+)\s*(?:\((?P<arguments>[^()]*)\))?\s*")


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
    match = _FORM.fullmatch(text) if isinstance(text, str) else None
    if match is None or match["name"] not in ACTIVATIONS:
        raise InvalidArgumentError(
            f"activation: expected one of {', '.join(ACTIVATIONS)}, "
            f'perhaps with parameters as in "leaky_relu(slope=0.2)"; got {text!r}'
        )
    name = match["name"]
    parameters = dict(ACTIVATIONS[name].parameters)
    given: set[str] = set()
    for argument in filter(None, (part.strip() for part in (match["arguments"] or "").split(","))):
        key, _, value = (part.strip() for part in argument.partition("="))
        if key not in parameters:
            raise InvalidArgumentError(
                f"activation: {name} takes {_listed(parameters)}; got {argument!r}"
            )
        if key in given:
            raise InvalidArgumentError(f"activation: {name}'s {key} is given twice in {text!r}")
        given.add(key)
        try:
            parameters[key] = float(value)
        except ValueError:
            parameters[key] = float("nan")
        if not abs(parameters[key]) < float("inf"):
            raise InvalidArgumentError(
                f"activation: {name}'s {key} must be a finite number; got {value!r}"
            )
    return name, parameters


def canonical_activation(text: str) -> str:
    """Return the one spelling of an activation: parameters named only where not the default."""
    name, parameters = parse_activation(text)
    defaults = ACTIVATIONS[name].parameters
    changed = [f"{key}={value!r}" for key, value in parameters.items() if value != defaults[key]]
    return f"{name}({', '.join(changed)})" if changed else name


def bound_equations(text: str) -> tuple[Callable[[Any], Any], Callable[[Any], Any] | None]:
    """Return σ and σ′ with the activation's parameters filled in; σ′ is None for softmax."""
    name, parameters = parse_activation(text)
    equations = ACTIVATIONS[name]
    if not parameters:
        return equations.function, equations.derivative
    assert equations.derivative is not None
    return partial(equations.function, **parameters), partial(equations.derivative, **parameters)


def _listed(parameters: Mapping[str, float]) -> str:
    return ", ".join(f"{key}=<number>" for key in parameters) if parameters else "no parameters"
