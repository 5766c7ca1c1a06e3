"""Settings of optimizers and schedules: what one may be and what it means, as its field says it.

A field of a frozen dataclass has its default and, as metadata, one of the rules of this module: the
check, the documentation and the estimators' parameters are made from them.
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, fields
from functools import cache
from textwrap import fill
from types import MappingProxyType
from typing import Any, TypeVar

from chainrule.checks import shown, whole_number
from chainrule.errors import InvalidArgumentError
from chainrule.limits import Number

_Kind = TypeVar("_Kind", bound=type)


def number(
    about: str, within: Number, *, parameter: str = "", optional: bool = False
) -> Mapping[str, Any]:
    """Return the rule of a setting that is a number.

    Parameters
    ----------
    about : str
        What it means, in a sentence.
    within : Number
    parameter : str, optional
        The estimators' name of it, where that is another.
    optional : bool, default False
        Whether None stands for a number that follows from others.
    """

    def checked(name: str, value: Any) -> float | None:
        if optional and value is None:
            return None
        # As a float: a float64 of NumPy would turn float32 arithmetic into float64.
        return within.checked(name, value)

    return _rule("float", about, checked, parameter, optional)


def whole(about: str, least: int, *, optional: bool = False) -> Mapping[str, Any]:
    """Return the rule of a setting that is a whole number of at least `least`."""

    def checked(name: str, value: Any) -> int | None:
        return None if optional and value is None else whole_number(name, value, least)

    return _rule("int", about, checked, optional=optional)


def flag(about: str) -> Mapping[str, Any]:
    """Return the rule of a setting that is true or false."""

    def checked(name: str, value: Any) -> bool:
        if not isinstance(value, bool):
            raise InvalidArgumentError(f"{name}: expected True or False; got {shown(value)}")
        return value

    return _rule("bool", about, checked)


def rule(kind: str, about: str, checked: Callable[[str, Any], Any]) -> Mapping[str, Any]:
    """Return the rule of another setting: its kind and its meaning in words, and its check."""
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
    """Check the settings of a frozen dataclass that was just made, each by its rule.

    Raises
    ------
    InvalidArgumentError
        If one cannot be; the message names it.
    """
    kind: Any = type(instance)
    for name, checked in _rules(kind):
        object.__setattr__(instance, name, checked(name, getattr(instance, name)))


@cache
def _rules(kind: type) -> tuple[tuple[str, Callable[[str, Any], Any]], ...]:
    """Return the fields of a class that have a rule; those of a user's own class may have none."""
    return tuple(
        (each.name, each.metadata["checked"]) for each in fields(kind) if "checked" in each.metadata
    )


def parameter_of(setting: "Field[Any]") -> str:
    """Return the estimators' name of a setting."""
    return str(setting.metadata["parameter"] or setting.name)


def documented(kind: _Kind) -> _Kind:
    """Complete a class's docstring with its settings, before its examples."""
    text, examples, rest = inspect.cleandoc(kind.__doc__ or "").partition("Examples\n--------\n")
    in_order = sorted(fields(kind), key=lambda each: bool(each.kw_only))
    entries = "\n".join(_entry(each) for each in in_order)
    parts = [text.strip(), f"Parameters\n----------\n{entries}"]
    kind.__doc__ = "\n\n".join([*parts, examples + rest] if examples else parts) + "\n"
    return kind


def _entry(setting: "Field[Any]") -> str:
    heading = f"{setting.name} : {setting.metadata['kind']}"
    if setting.default is not MISSING and setting.default is not None:
        heading += f", default {setting.default!r}"
    about = fill(
        setting.metadata["about"], 92, initial_indent="    ", subsequent_indent="    ",
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip
    return f"{heading}\n{about}"
