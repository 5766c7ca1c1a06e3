"""The plane over which outputs and units are drawn: two columns, or two principal components."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from chainrule.engines.base import Floats
from chainrule.errors import InvalidArgumentError
from chainrule.pictures.projection import principal_components
from chainrule.playground.data import toys
from chainrule.playground.session.subject import Subject
from chainrule.suggestions import did_you_mean

Wish: TypeAlias = tuple[str, str] | Literal["pca"] | None

# A plane reaches from quantile to quantile of the rows, a little further: single values far away
# would leave no room for the others.
_FAR, _MARGIN = 0.005, 0.1

_ROWS_OF_COMPONENTS = 1_000


@dataclass(frozen=True)
class Axis:
    """An axis of a plane: its name and range."""

    name: str
    low: float
    high: float

    def ticks(self, size: int) -> NDArray[np.float64]:
        """Return the middles of `size` equal parts of the range."""
        return self.low + (np.arange(size) + 0.5) / size * (self.high - self.low)


@dataclass(frozen=True, eq=False)
class Plane:
    """A plane through the space of the inputs.

    Parameters
    ----------
    kind : {"pair", "pca"}
    subject : Subject
    x, y : Axis
    note : str
        What the other inputs are on it.
    """

    kind: str
    subject: Subject
    x: Axis
    y: Axis
    note: str
    names: tuple[str, str] = ("", "")
    """The columns of a pair."""
    base: Floats = field(default_factory=lambda: np.empty(0))
    """The inputs of the point from which the plane starts, (n[0],)."""
    directions: Floats = field(default_factory=lambda: np.empty(0))
    """The two directions of a plane of components, (2, n[0])."""
    _grids: dict[int, Floats] = field(default_factory=dict, repr=False)

    def grid(self, size: int) -> Floats:
        """Return the inputs at size × size points, (size², n[0]): the first row has the largest y.

        It is computed once for each size.
        """
        if size not in self._grids:
            x, y = np.meshgrid(self.x.ticks(size), self.y.ticks(size)[::-1])
            X = self.inputs_at(x.ravel(), y.ravel())
            self._grids[size] = np.ascontiguousarray(X, self.subject.spec.dtype)
        return self._grids[size]

    def inputs_at(self, x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[Any]:
        """Return the network's inputs at points of the plane, (points, n[0])."""
        subject = self.subject
        if self.kind == "pca":
            moved: NDArray[Any] = self.base + np.column_stack([x, y]) @ self.directions
            return moved
        if subject.is_toy:
            assert subject.encoder is not None
            return subject.encoder.encode(toys.inputs_at(x, y))
        X = np.tile(self.base, (len(x), 1))
        for name, values in zip(self.names, (x, y), strict=True):
            _write(subject, name, values, X)
        return X

    @cached_property
    def places(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The places (x, y) of all rows of the subject; NaN where a value is missing."""
        parts = [part for part in self.subject.parts if len(part)]
        if not parts:
            return np.empty(0), np.empty(0)
        if self.kind == "pca":
            X = np.concatenate([part.X for part in parts]).astype(np.float64)
            # A direction has the length 1, or 0 if there is no second component.
            x, y = ((X - self.base) @ direction for direction in self.directions)
            return x, y
        x, y = (
            np.concatenate([_values(self.subject, part, name) for part in parts])
            for name in self.names
        )
        return x, y

    def to_json(self) -> dict[str, Any]:
        """Return kind, axes and note for a page."""
        axes = {
            key: {"name": axis.name, "lo": axis.low, "hi": axis.high}
            for key, axis in (("x", self.x), ("y", self.y))
        }
        pair = {"columns": list(self.names)} if self.kind == "pair" else {}
        return {"kind": self.kind, **axes, **pair, "note": self.note}


def pair_columns(subject: Subject) -> tuple[str, ...]:
    """Return the columns that can span a plane: those of numbers."""
    if subject.is_toy:
        return ("x1", "x2")
    if subject.encoder is None:
        return subject.columns
    return tuple(one.name for one in subject.encoder.columns_ if one.kind == "numeric")


def plane_of(subject: Subject, wish: Wish = None) -> Plane:
    """Return the plane that a page wishes to see.

    Parameters
    ----------
    subject : Subject
    wish : two columns, "pca" or None
        None: the only two columns of numbers, or else the two principal components.

    Raises
    ------
    InvalidArgumentError
        If there is no such column of numbers.
    """
    columns = pair_columns(subject)
    if wish is None:
        only = len(set(subject.columns)) == 2 and len(columns) == 2
        wish = (columns[0], columns[1]) if subject.is_toy or only else "pca"
    if wish == "pca":
        return _components(subject)
    for name in wish:
        if name not in columns:
            raise InvalidArgumentError(
                f"plane: expected columns of numbers that are inputs; got {name!r:.60}"
                f"{did_you_mean(name, columns) if isinstance(name, str) else ''}"
            )
    first, second = wish
    if first == second:
        raise InvalidArgumentError(f"plane: expected two different columns; got {first!r} twice")
    base = typical_inputs(subject)
    others = set(subject.columns) - {first, second}
    note = ""
    if subject.is_toy:
        note = "The other inputs are computed from x₁ and x₂."
    elif others:
        note = (
            "Other columns are fixed: numbers at their mean, categories at the most frequent one."
        )
    x, y = (_axis(subject, name) for name in (first, second))
    return Plane("pair", subject, x, y, note, (first, second), base)


def typical_inputs(subject: Subject) -> Floats:
    """Return the inputs of a typical row: means of numbers, the most frequent other values."""
    rows = subject.training_rows()
    if subject.encoder is None:
        return np.asarray(rows.mean(axis=0, dtype=np.float64), subject.spec.dtype)
    typical, place = np.zeros(rows.shape[1], subject.spec.dtype), 0
    for column in subject.encoder.columns_:
        own = rows[:, place : place + column.width]
        if column.kind == "numeric":
            typical[place] = own[:, 0].mean(dtype=np.float64)  # none is missing: its flag is 0
        elif column.width:
            values, counts = np.unique(own, axis=0, return_counts=True)
            typical[place : place + column.width] = values[counts.argmax()]
        place += column.width
    return typical


def _components(subject: Subject) -> Plane:
    """Return the plane of the two principal components of the inputs, through their mean."""
    rows = subject.training_rows()[:: max(1, len(subject.training_rows()) // _ROWS_OF_COMPONENTS)]
    rows = rows.astype(np.float64)
    codes = list(subject.spec.layers[0].codes)
    base = rows.mean(axis=0)
    # A code stands for a category: between two codes there is nothing.
    base[codes] = typical_inputs(subject)[codes]
    centred = rows - base
    centred[:, codes] = 0
    components = principal_components(centred)
    x, y = (
        Axis(components.label(number), *_range(centred @ direction))
        for number, direction in enumerate(components.directions, 1)
    )
    note = "The plane of the first two principal components of the inputs, through their mean."
    if codes:
        note += " Embedded columns are fixed at their most frequent category."
    return Plane("pca", subject, x, y, note, base=base, directions=components.directions)


def _axis(subject: Subject, name: str) -> Axis:
    if subject.is_toy:
        return Axis(toys.INPUTS[name], -toys.RADIUS, toys.RADIUS)
    values = [_values(subject, part, name) for part in subject.parts if len(part)]
    if not values:
        if subject.encoder is None:
            typical = subject.training_rows()[:, subject.columns.index(name)]
            return Axis(name, *_range(typical.astype(np.float64)))
        (column,) = (one for one in subject.encoder.columns_ if one.name == name)
        center, scale = column.center, column.scale or 1.0  # type: ignore[attr-defined]
        return Axis(name, center - 3 * scale, center + 3 * scale)
    return Axis(name, *_range(np.concatenate(values)))


def _range(values: NDArray[np.float64]) -> tuple[float, float]:
    values = values[np.isfinite(values)]
    if not len(values):
        return -1.0, 1.0
    low, high = np.quantile(values, [_FAR, 1 - _FAR])
    margin = (high - low) * _MARGIN or max(1.0, abs(low)) / 2
    return float(low - margin), float(high + margin)


def _values(subject: Subject, part: Any, name: str) -> NDArray[np.float64]:
    """Return a column's values in the rows of a part."""
    if subject.is_toy:
        return part.table[name].to_numpy()  # type: ignore[no-any-return]
    if part.table is None or subject.encoder is None:
        return part.X[:, subject.columns.index(name)].astype(np.float64)  # type: ignore[no-any-return]
    (column,) = (one for one in subject.encoder.columns_ if one.name == name)
    values: NDArray[np.float64] = column.prepare(part.table[name]).to_numpy().astype(np.float64)
    return values


def _write(subject: Subject, name: str, values: NDArray[np.float64], X: NDArray[Any]) -> None:
    """Write the inputs of a column's values into X."""
    import polars as pl

    place = subject.columns.index(name)
    if subject.encoder is None:
        X[:, place] = values
        return
    (column,) = (one for one in subject.encoder.columns_ if one.name == name)
    out = np.zeros((len(values), column.width), np.float32)
    column.write(pl.Series(name, values), out)
    X[:, place : place + column.width] = out
