"""chainrule: dense neural networks from their equations.

Public names load when they are first used, so that ``import chainrule`` costs little more than
``import numpy``.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from chainrule.engines.optimizers import SGD, Adam, HeavyBall, Momentum, Nesterov, RMSprop
    from chainrule.errors import (
        ChainruleError,
        InvalidArgumentError,
        InvalidModelFileError,
        InvalidTableError,
        TrainingDivergedError,
    )
    from chainrule.estimators.classifier import MLPClassifier
    from chainrule.estimators.networks import NetworkClassifier, NetworkRegressor
    from chainrule.estimators.regressor import MLPRegressor
    from chainrule.model.loading import load
    from chainrule.model.network import Network
    from chainrule.model.table_model import TableModel
    from chainrule.network.layers import Dense
    from chainrule.network.spec import NetworkSpec
    from chainrule.training.consumers import CSVLog, Progress
    from chainrule.training.history import History

_HOMES = {
    "Adam": "chainrule.engines.optimizers",
    "CSVLog": "chainrule.training.consumers",
    "ChainruleError": "chainrule.errors",
    "Dense": "chainrule.network.layers",
    "HeavyBall": "chainrule.engines.optimizers",
    "History": "chainrule.training.history",
    "InvalidArgumentError": "chainrule.errors",
    "InvalidModelFileError": "chainrule.errors",
    "InvalidTableError": "chainrule.errors",
    "MLPClassifier": "chainrule.estimators.classifier",
    "MLPRegressor": "chainrule.estimators.regressor",
    "Momentum": "chainrule.engines.optimizers",
    "Nesterov": "chainrule.engines.optimizers",
    "Network": "chainrule.model.network",
    "NetworkClassifier": "chainrule.estimators.networks",
    "NetworkRegressor": "chainrule.estimators.networks",
    "NetworkSpec": "chainrule.network.spec",
    "Progress": "chainrule.training.consumers",
    "RMSprop": "chainrule.engines.optimizers",
    "SGD": "chainrule.engines.optimizers",
    "TableModel": "chainrule.model.table_model",
    "TrainingDivergedError": "chainrule.errors",
    "load": "chainrule.model.loading",
}

__version__ = "0.1.0"

__all__ = [
    "SGD",
    "Adam",
    "CSVLog",
    "ChainruleError",
    "Dense",
    "HeavyBall",
    "History",
    "InvalidArgumentError",
    "InvalidModelFileError",
    "InvalidTableError",
    "MLPClassifier",
    "MLPRegressor",
    "Momentum",
    "Nesterov",
    "Network",
    "NetworkClassifier",
    "NetworkRegressor",
    "NetworkSpec",
    "Progress",
    "RMSprop",
    "TableModel",
    "TrainingDivergedError",
    "load",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'chainrule' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
