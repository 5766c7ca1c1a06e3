"""Losses by scikit-learn's and the package's names, or as a user's pair of functions."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from chainrule.errors import InvalidArgumentError
from chainrule.network.cost import Cost, CustomCost
from chainrule.network.registry.activations import ACTIVATIONS
from chainrule.network.registry.costs import COSTS, CostRow
from chainrule.settings.given import Settings
from chainrule.suggestions import did_you_mean

Rows = Mapping[str, Mapping[str, str]]
"""Maps the name of a loss to a mapping from output activation to cost."""


class Output(NamedTuple):
    """The activation of the output layer and the cost of its outputs."""

    name: str
    """scikit-learn's name of the activation."""
    activation: str
    cost: str | CustomCost


def _of_task(task: str) -> Rows:
    found: dict[str, dict[str, str]] = {}
    for name, row in COSTS.items():
        if row.loss is not None and row.loss.task == task:
            found.setdefault(row.loss.name, {})[row.loss.output] = name
    return MappingProxyType(found)


REGRESSION = _of_task("regression")
CLASSIFICATION = _of_task("classification")


def _rows_of(loss: Any, losses: Rows) -> list[CostRow]:
    """Return the table rows of a loss's costs; an empty list for a custom loss or None."""
    named = losses.get(loss, {}) if isinstance(loss, str) else {}
    return [COSTS[name] for name in named.values()]


def lowest_target(loss: Any) -> float:
    """Return the smallest target for which a regressor's loss is defined; −∞ if there is none.

    Targets with a lower bound have a fixed unit and are not standardised.
    """
    return max((row.targets.low for row in _rows_of(loss, REGRESSION)), default=-np.inf)


def is_in_target_units(loss: Any) -> bool:
    """Whether a regressor's loss has a parameter in the target's units."""
    return any(
        one.in_target_units for row in _rows_of(loss, REGRESSION) for one in row.parameters.values()
    )


def losses_with(setting: str) -> tuple[str, ...]:
    """Return the losses that use the estimator parameter `setting`."""
    return tuple(
        dict.fromkeys(
            row.loss.name
            for row in COSTS.values()
            if row.loss and any(one.setting == setting for one in row.parameters.values())
        )
    )


def estimating(answer: str) -> tuple[str, ...]:
    """Return the losses whose best prediction is `answer`: a mean, a median or a quantile."""
    return tuple(
        row.loss.name for row in COSTS.values() if row.loss and row.loss.estimates == answer
    )


def listed(rows: Rows) -> str:
    """Return the names of losses, with short explanations where there are any, as a text list."""
    texts = []
    for name in rows:
        meanings = [
            row.loss.meaning for row in _rows_of(name, rows) if row.loss and row.loss.meaning
        ]
        texts.append(" ".join([repr(name), *(f"({word})" for word in meanings)]))
    return " or ".join([", ".join(texts[:-1]), texts[-1]])


def named(loss: Any, names: Rows) -> str | CustomCost:
    """Return the name of a loss, or a custom loss as a `CustomCost`.

    Raises
    ------
    InvalidArgumentError
        If `loss` is neither in `names`, nor a `CustomCost`, nor a pair of functions.
    """
    if isinstance(loss, str) and loss in names:
        return loss
    if isinstance(loss, CustomCost):
        return loss
    if isinstance(loss, list | tuple) and len(loss) == 2 and all(map(callable, loss)):
        return CustomCost(*loss)
    hint = did_you_mean(loss, names)
    if isinstance(loss, str) and names is CLASSIFICATION and loss in REGRESSION:
        hint = "; for values use NetworkRegressor or MLPRegressor"
    elif isinstance(loss, str) and names is REGRESSION and loss in CLASSIFICATION:
        hint = "; for classes use NetworkClassifier or MLPClassifier"
    raise InvalidArgumentError(
        f"loss: expected {', '.join(map(repr, names))}, a CustomCost or a pair of functions "
        f"(cost, gradient) of (outputs, targets); got {loss!r}{hint}"
    )


def regression_output(given: Settings, unit: float) -> Output:
    """Return the output of a regressor whose targets are divided by `unit` internally."""
    loss = named(given["loss"], REGRESSION)
    if isinstance(loss, CustomCost):
        return _output("identity", loss)
    ((activation, cost),) = REGRESSION[loss].items()
    return _output(activation, str(_with_settings(cost, given, unit)))


def classification_output(given: Settings, multiclass: bool) -> Output:
    """Return the output of a classifier: softmax over the classes, or a sigmoid per output."""
    loss = named(given["loss"], CLASSIFICATION)
    activation = "softmax" if multiclass else "sigmoid"
    if isinstance(loss, CustomCost):
        return _output(activation, loss)
    return _output(activation, str(_with_settings(CLASSIFICATION[loss][activation], given, 1.0)))


def _output(activation: str, cost: str | CustomCost) -> Output:
    return Output(ACTIVATIONS[activation].scikit_learn_output, activation, cost)


def _with_settings(name: str, given: Settings, unit: float) -> Cost:
    """Return a cost with its parameters taken from the settings."""
    parameters = []
    for key, parameter in COSTS[name].parameters.items():
        value = float(given[parameter.setting]) if parameter.setting else parameter.default
        if parameter.in_target_units:
            value = _in_units(value, unit)
        parameters.append((key, value))
    return Cost(name, tuple(parameters))


def _in_units(value: float, unit: float) -> float:
    """Return `value` / `unit`, clipped to the range of positive normal floats."""
    with np.errstate(over="ignore", under="ignore"):
        value = float(np.float64(value) / unit)
    return float(np.clip(value, np.finfo(float).tiny, np.finfo(float).max))
