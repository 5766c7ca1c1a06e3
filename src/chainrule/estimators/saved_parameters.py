"""The parameters of an estimator as plain data, and back."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from numpy.typing import NDArray

from chainrule.engines.schedules import (
    CosineDecay,
    ExponentialDecay,
    FlatCosine,
    LogCosine,
    OneCycle,
    TimeDecay,
    Warmup,
)
from chainrule.files.plain_data import Arrays, from_plain, to_plain

_SCHEDULES: Mapping[str, type] = {
    kind.__name__: kind
    for kind in (TimeDecay, ExponentialDecay, CosineDecay, FlatCosine, LogCosine, OneCycle, Warmup)
}


def parameter_to_plain(value: Any, name: str, arrays: Arrays) -> Any:
    """Return the value of a parameter as plain data.

    Raises
    ------
    NotPlainError
        If it is a function, or another object that is more than data.
    """
    if is_dataclass(value) and _SCHEDULES.get(type(value).__name__) is type(value):
        given = [
            [one.name, parameter_to_plain(getattr(value, one.name), f"{name}.{one.name}", arrays)]
            for one in fields(value)
        ]
        return {"schedule": [type(value).__name__, given]}
    return to_plain(value, name, arrays)


def parameter_from_plain(plain: Any, arrays: Mapping[str, NDArray[Any]]) -> Any:
    """Return the value that `parameter_to_plain` was given.

    Raises
    ------
    ValueError, KeyError, TypeError
        If it is none.
    """
    if isinstance(plain, dict) and plain.keys() == {"schedule"}:
        name, given = plain["schedule"]
        return _SCHEDULES[name](**{field: parameter_from_plain(v, arrays) for field, v in given})
    return from_plain(plain, arrays)
