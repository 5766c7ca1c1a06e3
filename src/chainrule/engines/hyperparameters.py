"""Rules for the settings of optimizers and schedules: valid values and descriptions.

Each setting is a field of a frozen dataclass, with a default and, as metadata, a rule from this
module. Checks, documentation and the estimators' parameters are derived from these rules.
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, fields
from functools import cache
from textwrap import fill
from types import MappingProxyType
from typing import Any, TypeVar

from chainrule.arguments import hinting
from chainrule.checks import shown, whole_number
from chainrule.errors import InvalidArgumentError
from chainrule.limits import Number

_Kind = TypeVar("_Kind", bound=type)


def number(
    about: str, within: Number, *, parameter: str = "", optional: bool = False
) -> Mapping[str, Any]:
    """Return the rule for a setting that is a number.

    Parameters
    ----------
    about : str
        A one-sentence description.
    within : Number
        The interval of valid values.
    parameter : str, optional
        The name of the estimators' parameter, if it differs from the field name.
    optional : bool, default False
        Whether None is allowed and stands for a number derived from other settings.
    """

    def checked(name: str, value: Any) -> float | None:
        if optional and value is None:
            return None
        # A Python float, because a NumPy float64 would promote float32 arithmetic to float64.
        return within.checked(name, value)

    return _rule("float", about, checked, parameter, optional)


def whole(about: str, least: int, *, optional: bool = False) -> Mapping[str, Any]:
    """Return the rule for a setting that is a whole number of at least `least`."""

    def checked(name: str, value: Any) -> int | None:
        return None if optional and value is None else whole_number(name, value, least)

    return _rule("int", about, checked, optional=optional)


def flag(about: str) -> Mapping[str, Any]:
    """Return the rule for a boolean setting."""

    def checked(name: str, value: Any) -> bool:
        if not isinstance(value, bool):
            raise InvalidArgumentError(f"{name}: expected True or False; got {shown(value)}")
        return value

    return _rule("bool", about, checked)


def rule(kind: str, about: str, checked: Callable[[str, Any], Any]) -> Mapping[str, Any]:
    """Return the rule for any other setting, given its type text, description and check."""
    return _rule(kind, about, checked)


def _rule(
    kind: str,
    about: str,
    checked: Callable[[str, Any], Any],
    parameter: str = "",
    optional: bool = False,
) -> Mapping[str, Any]:
    kind += ", optional" if optional else ""
    return MappingProxyType(
        {"kind": kind, "about": about, "checked": checked, "parameter": parameter}
    )


def check(instance: Any) -> None:
    """Check each setting of a newly created frozen dataclass instance by its rule.

    Raises
    ------
    InvalidArgumentError
        If a setting is invalid; the message names it.
    """
    kind: Any = type(instance)
    for name, checked in _rules(kind):
        object.__setattr__(instance, name, checked(name, getattr(instance, name)))


@cache
def _rules(kind: type) -> tuple[tuple[str, Callable[[str, Any], Any]], ...]:
    """Return the fields that have a rule; fields of user-defined classes may have none."""
    return tuple(
        (each.name, each.metadata["checked"]) for each in fields(kind) if "checked" in each.metadata
    )


def parameter_of(setting: "Field[Any]") -> str:
    """Return the name of the estimators' parameter for a setting."""
    return str(setting.metadata["parameter"] or setting.name)


def documented(kind: _Kind) -> _Kind:
    """Insert a Parameters section into a class's docstring, before its examples."""
    text, examples, rest = inspect.cleandoc(kind.__doc__ or "").partition("Examples\n--------\n")
    in_order = sorted(fields(kind), key=lambda each: bool(each.kw_only))
    entries = "\n".join(_entry(each) for each in in_order)
    parts = [text.strip(), f"Parameters\n----------\n{entries}"]
    kind.__doc__ = "\n\n".join([*parts, examples + rest] if examples else parts) + "\n"
    return hinting(kind)


def _entry(setting: "Field[Any]") -> str:
    heading = f"{setting.name} : {setting.metadata['kind']}"
    if setting.default is not MISSING and setting.default is not None:
        heading += f", default {setting.default!r}"
    about = fill(
        setting.metadata["about"], 92, initial_indent="    ", subsequent_indent="    ",
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip
    return f"{heading}\n{about}"
