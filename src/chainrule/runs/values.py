"""Values of settings: read from the text of an option or from run.toml, and checked."""

import math
from collections.abc import Mapping
from dataclasses import Field
from typing import Any

from chainrule.errors import InvalidArgumentError

_EXPECTED = {
    "text": "text",
    "whole": "a whole number",
    "number": "a number",
    "flag": "true or false",
    "texts": "a list of texts",
    "wholes": "a list of whole numbers",
    "numbers": "a number or a list of numbers",
}


def from_text(setting: "Field[Any]", text: str) -> Any:
    """Return the value that the text of an option stands for.

    Raises
    ------
    InvalidArgumentError
        If it stands for none.
    """
    kind = setting.metadata["kind"]
    if kind == "wholes":
        return _sizes(_option(setting), text)
    try:
        numbers = tuple(float(part) for part in text.split(","))
    except ValueError as error:
        raise InvalidArgumentError(
            f"{_option(setting)}: expected numbers with commas between them; got {text!r}"
        ) from error
    return numbers


def _sizes(name: str, text: str) -> tuple[int, ...]:
    parts = [part.strip() for part in text.split(",")]
    if parts in (["none"], ["0"]):
        return ()
    if not all(part.isdecimal() and part.isascii() and 0 < int(part) < 10**7 for part in parts):
        raise InvalidArgumentError(
            f"{name}: expected whole numbers above 0 such as 128,64, or none; got {text!r}"
        )
    return tuple(map(int, parts))


def from_toml(setting: "Field[Any]", value: Any, where: str) -> Any:
    """Return the value that an entry of run.toml stands for.

    Raises
    ------
    InvalidArgumentError
        If it is not of the setting's kind.
    """
    kind = setting.metadata["kind"]
    if kind in ("texts", "wholes", "numbers"):
        one = kind.removesuffix("s")
        parts = value if isinstance(value, list) else [value]
        if all(_is(one, part) for part in parts):
            return tuple(float(part) if one == "number" else part for part in parts)
    elif _is(kind, value):
        return float(value) if kind == "number" else value
    raise InvalidArgumentError(
        f"{where}: {setting.name}: expected {_EXPECTED[kind]}; got {_shown(value)}"
    )


def _is(kind: str, value: Any) -> bool:
    if kind == "flag":
        return isinstance(value, bool)
    if kind == "text":
        return isinstance(value, str)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    if isinstance(value, int):
        # TOML's whole numbers are as long as one likes; floats, and counts of anything, are not.
        return abs(value) < 2**1000
    return kind == "number" and not math.isnan(value)


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:59]}…"


def check(setting: "Field[Any]", value: Any) -> None:
    """Raise unless a value that was set can be used.

    Raises
    ------
    InvalidArgumentError
        If it cannot; the message names the option.
    """
    choices = setting.metadata.get("choices")
    if choices is not None and value not in choices:
        import difflib

        near = difflib.get_close_matches(str(value), choices, n=1)
        hint = f" (did you mean {near[0]}?)" if near else ""
        listed = f"{', '.join(choices[:-1])} or {choices[-1]}"
        raise InvalidArgumentError(f"{setting.name}: expected {listed}; got {value!r}{hint}")


def check_training(values: Mapping[str, Any], settings: "Mapping[str, Field[Any]]") -> None:
    """Raise unless the values of a network's and its training's settings can be used.

    What they may be is what the estimators' parameters may be.

    Raises
    ------
    InvalidArgumentError
        If one cannot; the message names the option.
    """
    from chainrule.checks import number_below_one
    from chainrule.engines import engine_named
    from chainrule.network.activation import activation_of
    from chainrule.network.layers.dense import check_init
    from chainrule.settings.checks import CHECKS

    for name, value in values.items():
        if value is None:
            continue
        setting = settings[name]
        rule = CHECKS.get(setting.metadata.get("parameter", name))
        if rule is not None and name not in ("class_weight", "early_stopping", "max_grad_norm"):
            fits, expected = rule
            infinite = isinstance(value, float) and math.isinf(value)
            if not fits(value) or infinite:
                raise InvalidArgumentError(f"{name}: expected {_plain(expected)}; got {value!r}")
    for size in values.get("layers") or ():
        if not 0 < size < 10**7:
            raise InvalidArgumentError(
                f"layers: expected whole numbers above 0, below ten million; got {size}"
            )
    for share in values.get("dropout") or ():
        number_below_one("dropout", share)
    bound = values.get("max_grad_norm")
    if bound is not None and not 0 <= bound < math.inf:
        raise InvalidArgumentError(f"max_grad_norm: expected a finite number ≥ 0; got {bound!r}")
    if values.get("activation") is not None:
        activation_of(values["activation"])
    if values.get("init") not in (None, "default"):
        check_init(values["init"])
    if values.get("engine") is not None:
        engine_named(values["engine"])


def _plain(expected: str) -> str:
    """Return what is expected without the words that are for Python alone."""
    return expected.partition(", a schedule such as")[0].replace("'", "").removesuffix(" or None")


def _option(setting: "Field[Any]") -> str:
    return "--" + setting.name.replace("_", "-")
