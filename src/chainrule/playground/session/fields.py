"""The fields of a page's messages, checked."""

from collections.abc import Mapping
from typing import Any

from chainrule.errors import InvalidArgumentError
from chainrule.playground.session.planes import Wish


def whole(message: Mapping[str, Any], name: str, least: int | None = None) -> int:
    """Return a whole number of a message.

    Raises
    ------
    InvalidArgumentError
        If it is none, or too small.
    """
    value = message.get(name)
    fits = isinstance(value, int) and not isinstance(value, bool)
    if not fits or (least is not None and value < least) or abs(value) > 2**53:  # type: ignore[operator,arg-type]
        bound = "" if least is None else f" of at least {least}"
        raise InvalidArgumentError(f"{name}: expected a whole number{bound}; got {value!r:.40}")
    return int(value)  # type: ignore[arg-type]


def wish_of(plane: object) -> Wish:
    """Return which plane a page asks for."""
    if plane is None:
        return None
    if isinstance(plane, Mapping):
        if plane.get("kind") == "pca":
            return "pca"
        x, y = plane.get("x"), plane.get("y")
        if plane.get("kind") == "pair" and isinstance(x, str) and isinstance(y, str):
            return (x, y)
    raise InvalidArgumentError(
        'plane: expected {"kind": "pair", "x": a column, "y": another} or {"kind": "pca"}; got '
        f"{plane!r:.60}"
    )


def detail_of(detail: object) -> tuple[int, int] | None:
    """Return the unit, as (layer, unit), whose large map a page asks for; None for none."""
    if detail is None:
        return None
    if isinstance(detail, Mapping):
        return whole(detail, "layer", 1), whole(detail, "unit", 0)
    raise InvalidArgumentError(f"detail: expected a layer and a unit, or none; got {detail!r:.60}")
