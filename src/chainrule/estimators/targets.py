"""Targets of different kinds in one network: the kind of each, and its output units."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from chainrule.checks import shown
from chainrule.errors import InvalidArgumentError
from chainrule.estimators.array_types import Floats, Name
from chainrule.estimators.given import of_one_kind, values
from chainrule.estimators.labels import Labels
from chainrule.settings.given import Settings
from chainrule.settings.losses import (
    CLASSIFICATION,
    REGRESSION,
    Output,
    classification_output,
    lowest_target,
    regression_output,
)
from chainrule.suggestions import did_you_mean

KINDS = ("class", "value")

# A column of integers with more distinct values than this is a value target, not a class target.
_MOST_CLASSES = 20


class Target(NamedTuple):
    """One target: a column of y, and the units of its head."""

    name: Name
    labels: Labels | None
    """None for a value target."""
    loss: str
    weight: float
    units: slice

    @property
    def width(self) -> int:
        """Number of output units."""
        return int(self.units.stop - self.units.start)

    @property
    def keeps_unit(self) -> bool:
        """Whether it is not rescaled: classes have no unit, and counts have a fixed one."""
        return self.labels is not None or lowest_target(self.loss) > -np.inf

    def output(self, given: Settings, unit: float) -> Output:
        """Return the head's activation and cost; values are divided by `unit` internally."""
        own = {**given, "loss": self.loss}
        if self.labels is None:
            return regression_output(own, unit)
        return classification_output(own, self.labels.kind == "multiclass")

    def encoded(self, column: NDArray[Any], argument: str = "y") -> Floats:
        """Return a column of y as the targets of this head, (m, width)."""
        if self.labels is None:
            found = _as_values(column, self.name, argument).reshape(-1, 1)
            lowest = lowest_target(self.loss)
            if (found < lowest).any():
                raise InvalidArgumentError(
                    f"{argument}: the loss {self.loss!r} of target {self.name!r} expects values "
                    f"≥ {lowest:g}; got {found.min()} at row {int(found.argmin())}"
                )
            return found
        column = plain(column, self.name, argument)
        missing = np.unique(column[~np.isin(column, self.labels.classes)])
        if len(missing):
            raise InvalidArgumentError(
                f"{argument}: target {self.name!r} has the classes "
                f"{shown(self.labels.classes[:30].tolist())}; got {shown(missing[:30].tolist())} "
                f"too, first at row {int(np.argmax(np.isin(column, missing[:1])))}"
            )
        return self.labels.targets(column, "float64")


def targets_of(
    columns: NDArray[Any], names: list[Name], kinds: Any, losses: Any, weights: Any
) -> list[Target]:
    """Return a `Target` for each column of y.

    Parameters
    ----------
    columns : array (m, targets)
    names : list
    kinds : None, "class", "value", or a list or dict of these
        None: inferred from the column's contents.
    losses, weights : dict or None
        Non-default losses and weights, keyed by target name.

    Raises
    ------
    InvalidArgumentError
        If a kind, loss or weight is invalid.
    """
    losses, weights = _by_name("losses", losses, names), _by_name("target_weights", weights, names)
    targets: list[Target] = []
    begin = 0
    for column, name, kind in zip(each_column(columns), names, _kinds(kinds, names), strict=True):
        is_class = kind == "class"
        if kind is None:
            is_class = _looks_like_classes(plain(column, name))
        labels = Labels.among(np.unique(plain(column, name))) if is_class else None
        known = CLASSIFICATION if is_class else REGRESSION
        loss = losses.get(name, next(iter(known)))
        if not isinstance(loss, str) or loss not in known:
            raise InvalidArgumentError(
                f"losses: target {name!r} is a {'class' if is_class else 'value'}, whose loss is "
                f"one of {', '.join(map(repr, known))}; got {loss!r}"
                f"{did_you_mean(loss, known)}"
            )
        weight = weights.get(name, 1.0)
        number = isinstance(weight, int | float | np.number) and not isinstance(weight, bool)
        if not number or not 0 < weight < np.inf:
            raise InvalidArgumentError(
                f"target_weights: expected a finite number > 0 for {name!r}; got {weight!r}"
            )
        end = begin + (1 if labels is None else labels.n_outputs)
        targets.append(Target(name, labels, loss, float(weight), slice(begin, end)))
        begin = end
    return targets


def table_of(y: Any, kinds: Any) -> tuple[Any, list[Any] | None]:
    """Return the columns of y (only those in a dict of targets), and their names or None."""
    names = [*kinds] if isinstance(kinds, dict) else None
    if hasattr(y, "columns"):
        known = list(y.column_names if hasattr(y, "column_names") else y.columns)
        names = known if names is None else names
        missing = [name for name in names if name not in known]
        if missing:
            raise InvalidArgumentError(
                f"targets: y has the columns {known}; there is no {missing[0]!r}"
            )
        columns = [np.asarray(y[name]) for name in names]
        table = np.empty((len(columns[0]) if columns else 0, len(columns)), object)
        for place, column in enumerate(columns):
            table[:, place] = column
        return table, names
    return y, names


def each_column(table: NDArray[Any]) -> list[NDArray[Any]]:
    """Return the columns of a table, (m, n), as n arrays."""
    return [table[:, place] for place in range(table.shape[1])]


def plain(column: NDArray[Any], name: Name, argument: str = "y") -> NDArray[Any]:
    """Convert an object column, whose entries must have a common type, to an array of that type."""
    if column.dtype != object:
        return column
    found = of_one_kind(column, f"{argument}: target {name!r}")
    return np.array(found.tolist()) if found.dtype == object else found


def _looks_like_classes(column: NDArray[Any]) -> bool:
    if column.dtype.kind not in "fiu":
        return True
    whole = column.dtype.kind != "f" or bool((column == np.round(column)).all())
    return whole and len(np.unique(column)) <= _MOST_CLASSES


def _as_values(column: NDArray[Any], name: Name, argument: str) -> Floats:
    found = values(column, f"{argument}: target {name!r}, which is a value")
    return np.asarray(found, np.float64)


def _kinds(kinds: Any, names: list[Name]) -> list[str | None]:
    if kinds is None:
        return [None] * len(names)
    given = [kinds] * len(names) if isinstance(kinds, str) else kinds
    given = list(given.values()) if isinstance(given, dict) else given
    fits = isinstance(given, list | tuple) and len(given) == len(names)
    if not fits or any(not isinstance(kind, str) or kind not in KINDS for kind in given):
        raise InvalidArgumentError(
            f"targets: expected 'class' or 'value' for each of the {len(names)} columns of y, such "
            f"as {{'income': 'class', 'age': 'value'}}; got {kinds!r}"
        )
    return list(given)


def _by_name(argument: str, given: Any, names: list[Name]) -> dict[Any, Any]:
    if given is None:
        return {}
    unknown = [name for name in given if name not in names] if isinstance(given, dict) else [given]
    if unknown:
        raise InvalidArgumentError(
            f"{argument}: expected a dict with some of the targets {names}; got {given!r}"
        )
    return dict(given)
