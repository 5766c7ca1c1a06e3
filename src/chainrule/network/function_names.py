"""A function of the package as a user names it: "relu", "huber(delta=2)"."""

import re
from collections.abc import Mapping
from typing import Protocol

from chainrule.errors import InvalidArgumentError

_FORM = re.compile(r"\s*(?P<name>\w+)\s*(?:\((?P<arguments>[^()]*)\))?\s*")


class HasParameters(Protocol):
    """What the tables of named functions hold."""

    @property
    def parameters(self) -> Mapping[str, float]:
        """The parameters that a user may set, with their defaults."""


def parse_name(
    text: object, argument: str, table: Mapping[str, HasParameters], example: str
) -> tuple[str, dict[str, float]]:
    """Split a text into a name of `table` and all parameters of what it names.

    Parameters
    ----------
    text : str
        A name, with parameters in brackets where it has any.
    argument : str
        What the user calls it.
    table : mapping
    example : str
        A text with parameters, for the error's message.

    Raises
    ------
    InvalidArgumentError
        If there is no such name or parameter, or its value is not a finite number.
    """
    match = _FORM.fullmatch(text) if isinstance(text, str) else None
    if match is None or match["name"] not in table:
        raise InvalidArgumentError(
            f"{argument}: expected one of {', '.join(table)}, "
            f'perhaps with parameters as in "{example}"; got {text!r}'
        )
    name = match["name"]
    parameters = dict(table[name].parameters)
    given: set[str] = set()
    for part in filter(None, (part.strip() for part in (match["arguments"] or "").split(","))):
        key, _, value = (half.strip() for half in part.partition("="))
        if key not in parameters:
            raise InvalidArgumentError(
                f"{argument}: {name} takes {_listed(parameters)}; got {part!r}"
            )
        if key in given:
            raise InvalidArgumentError(f"{argument}: {name}'s {key} is given twice in {text!r}")
        given.add(key)
        try:
            parameters[key] = float(value)
        except ValueError:
            parameters[key] = float("nan")
        if not abs(parameters[key]) < float("inf"):
            raise InvalidArgumentError(
                f"{argument}: {name}'s {key} must be a finite number; got {value!r}"
            )
    return name, parameters


def canonical_name(
    name: str, parameters: Mapping[str, float], table: Mapping[str, HasParameters]
) -> str:
    """Return the one spelling: parameters named only where not the default."""
    defaults = table[name].parameters
    changed = [f"{key}={value!r}" for key, value in parameters.items() if value != defaults[key]]
    return f"{name}({', '.join(changed)})" if changed else name


def _listed(parameters: Mapping[str, float]) -> str:
    return ", ".join(f"{key}=<number>" for key in parameters) if parameters else "no parameters"
