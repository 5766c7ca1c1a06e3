"""The package's optimizers by the names of their settings."""

from collections.abc import Callable, Mapping
from dataclasses import fields
from types import MappingProxyType
from typing import Any

import numpy as np

from chainrule.engines.optimizers import (
    OPTIMIZERS,
    Adam,
    HeavyBall,
    LearningRate,
    Nesterov,
    Optimizer,
)
from chainrule.settings.given import Settings


def _below_one(momentum: float) -> float:
    # scikit-learn allows a momentum of 1, which no velocity survives; this is the next number.
    return min(float(momentum), float(np.nextafter(1.0, 0.0)))


def _sgd(given: Settings, rate: LearningRate) -> Optimizer:
    kind = Nesterov if given["nesterovs_momentum"] else HeavyBall
    return kind(rate, _below_one(given["momentum"]))


def _adam(given: Settings, rate: LearningRate) -> Optimizer:
    return Adam(
        rate,
        given["beta_1"],
        given["beta_2"],
        given["epsilon"],
        plain_epsilon=True,
    )


# Where scikit-learn's name means something of its own.
_OWN: Mapping[str, Callable[[Settings, LearningRate], Optimizer]] = MappingProxyType(
    {"sgd": _sgd, "adam": _adam}
)

# An optimizer's setting: the estimator's parameter, where their names differ.
_PARAMETERS = MappingProxyType({"beta": "momentum"})


def parameters_of(name: str) -> set[str]:
    """Return the estimators' parameters that an optimizer of this name looks at."""
    own = {"nesterovs_momentum", "momentum"} if name == "sgd" else set()
    names = {_PARAMETERS.get(field.name, field.name) for field in fields(OPTIMIZERS[name])}
    return (names | own) - {"learning_rate"}


def optimizer_of(given: Settings, rate: LearningRate) -> Optimizer:
    """Return the optimizer that the setting `solver` and those of its own describe.

    Every optimizer of the package goes by its name, with those of its settings that are
    given.
    """
    if given["solver"] in _OWN:
        return _OWN[given["solver"]](given, rate)
    kind = OPTIMIZERS[given["solver"]]
    settings: dict[str, Any] = {"learning_rate": rate}
    for field in fields(kind):
        parameter = _PARAMETERS.get(field.name, field.name)
        if field.name != "learning_rate" and parameter in given:
            settings[field.name] = given[parameter]
    if "beta" in settings:
        settings["beta"] = _below_one(settings["beta"])
    return kind(**settings)
