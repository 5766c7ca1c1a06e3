"""Parsing and formatting of function names with parameters: "relu", "huber(delta=2)"."""

import re
from collections.abc import Mapping
from typing import Protocol

from chainrule.errors import InvalidArgumentError
from chainrule.network.registry.values import Parameter
from chainrule.suggestions import did_you_mean

_FORM = re.compile(r"\s*(?P<name>\w+)\s*(?:\((?P<arguments>[^()]*)\))?\s*")


class HasParameters(Protocol):
    """The part of a registry row that name parsing needs."""

    @property
    def parameters(self) -> Mapping[str, Parameter]:
        """The parameters that a user can set, by name."""


def parse_name(
    text: object, argument: str, rows: Mapping[str, HasParameters]
) -> tuple[str, dict[str, float]]:
    """Split a text into a registry name and the values of all its parameters.

    Parameters
    ----------
    text : str
        A name, optionally followed by parameters in brackets.
    argument : str
        The name of the user's argument, for error messages.
    rows : mapping
        Registry rows by name.

    Raises
    ------
    InvalidArgumentError
        If the name or a parameter is unknown, or a parameter value is out of range.
    """
    match = _FORM.fullmatch(text) if isinstance(text, str) else None
    if match is None or match["name"] not in rows:
        given_name = str(text).partition("(")[0].strip() if isinstance(text, str) else text
        raise InvalidArgumentError(
            f"{argument}: expected one of {', '.join(rows)}, "
            f'perhaps with parameters as in "{example(rows)}"; got {text!r}'
            f"{did_you_mean(given_name, rows)}"
        )
    name = match["name"]
    limits = rows[name].parameters
    parameters = {key: limit.default for key, limit in limits.items()}
    given: set[str] = set()
    for part in filter(None, (part.strip() for part in (match["arguments"] or "").split(","))):
        key, _, value = (half.strip() for half in part.partition("="))
        if key not in parameters:
            raise InvalidArgumentError(
                f"{argument}: {name} takes {_listed(parameters)}; got {part!r}"
                f"{did_you_mean(key, parameters)}"
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
        if not limits[key].fits(parameters[key]):
            raise InvalidArgumentError(
                f"{argument}: {name}'s {key} must be {limits[key].expected}; "
                f"got {parameters[key]:g}"
            )
    return name, parameters


def canonical_name(
    name: str, parameters: Mapping[str, float], rows: Mapping[str, HasParameters]
) -> str:
    """Return the canonical spelling, which lists only parameters that differ from their default."""
    limits = rows[name].parameters
    changed = [
        f"{key}={value!r}" for key, value in parameters.items() if value != limits[key].default
    ]
    return f"{name}({', '.join(changed)})" if changed else name


def examples(rows: Mapping[str, HasParameters]) -> tuple[str, ...]:
    """Return, for each row with parameters, a text that sets all of them to example values."""
    return tuple(
        canonical_name(name, {key: limit.example for key, limit in row.parameters.items()}, rows)
        for name, row in rows.items()
        if row.parameters
    )


def example(rows: Mapping[str, HasParameters]) -> str:
    """Return the first text of `examples`, for an error message."""
    return examples(rows)[0]


def _listed(parameters: Mapping[str, float]) -> str:
    return ", ".join(f"{key}=<number>" for key in parameters) if parameters else "no parameters"
