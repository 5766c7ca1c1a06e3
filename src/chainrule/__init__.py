"""chainrule: dense neural networks from their equations.

Public names load when they are first used, so that ``import chainrule`` costs little more than
``import numpy``.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from chainrule.engines.optimizers import (
        SGD,
        Adam,
        AdamW,
        HeavyBall,
        Lion,
        Momentum,
        NAdam,
        Nesterov,
        RMSprop,
    )
    from chainrule.engines.schedules import (
        CosineDecay,
        ExponentialDecay,
        OneCycle,
        TimeDecay,
        Warmup,
    )
    from chainrule.errors import (
        ChainruleError,
        CheckpointInUseError,
        CheckpointWriteError,
        FileWriteError,
        InvalidArgumentError,
        InvalidCheckpointError,
        InvalidModelFileError,
        InvalidTableError,
        TrainingDiagnosisWarning,
        TrainingDivergedError,
    )
    from chainrule.estimators.classifier import MLPClassifier
    from chainrule.estimators.conversion import from_sklearn
    from chainrule.estimators.mixed_network import NetworkMixed
    from chainrule.estimators.networks import NetworkClassifier, NetworkRegressor
    from chainrule.estimators.regressor import MLPRegressor
    from chainrule.exports.export_file import export
    from chainrule.model.loader import load
    from chainrule.model.network import Network
    from chainrule.model.table_model import TableModel
    from chainrule.network.cost import CustomCost
    from chainrule.network.layers import BatchNorm, CategoryEmbedding, Dense, Dropout, Scale
    from chainrule.network.spec import NetworkSpec
    from chainrule.training.consumers import CSVLog, Progress
    from chainrule.training.history import History
    from chainrule.training.signals import stop_at_checkpoint

_HOMES = {
    "Adam": "chainrule.engines.optimizers",
    "AdamW": "chainrule.engines.optimizers",
    "BatchNorm": "chainrule.network.layers",
    "CSVLog": "chainrule.training.consumers",
    "CategoryEmbedding": "chainrule.network.layers",
    "ChainruleError": "chainrule.errors",
    "CheckpointInUseError": "chainrule.errors",
    "CheckpointWriteError": "chainrule.errors",
    "CosineDecay": "chainrule.engines.schedules",
    "CustomCost": "chainrule.network.cost",
    "Dense": "chainrule.network.layers",
    "Dropout": "chainrule.network.layers",
    "ExponentialDecay": "chainrule.engines.schedules",
    "FileWriteError": "chainrule.errors",
    "HeavyBall": "chainrule.engines.optimizers",
    "History": "chainrule.training.history",
    "InvalidArgumentError": "chainrule.errors",
    "InvalidCheckpointError": "chainrule.errors",
    "InvalidModelFileError": "chainrule.errors",
    "InvalidTableError": "chainrule.errors",
    "Lion": "chainrule.engines.optimizers",
    "MLPClassifier": "chainrule.estimators.classifier",
    "MLPRegressor": "chainrule.estimators.regressor",
    "Momentum": "chainrule.engines.optimizers",
    "NAdam": "chainrule.engines.optimizers",
    "Nesterov": "chainrule.engines.optimizers",
    "Network": "chainrule.model.network",
    "NetworkClassifier": "chainrule.estimators.networks",
    "NetworkMixed": "chainrule.estimators.mixed_network",
    "NetworkRegressor": "chainrule.estimators.networks",
    "NetworkSpec": "chainrule.network.spec",
    "OneCycle": "chainrule.engines.schedules",
    "Progress": "chainrule.training.consumers",
    "RMSprop": "chainrule.engines.optimizers",
    "Scale": "chainrule.network.layers",
    "SGD": "chainrule.engines.optimizers",
    "TableModel": "chainrule.model.table_model",
    "TimeDecay": "chainrule.engines.schedules",
    "TrainingDiagnosisWarning": "chainrule.errors",
    "TrainingDivergedError": "chainrule.errors",
    "Warmup": "chainrule.engines.schedules",
    "export": "chainrule.exports.export_file",
    "from_sklearn": "chainrule.estimators.conversion",
    "load": "chainrule.model.loader",
    "stop_at_checkpoint": "chainrule.training.signals",
}

__version__ = "0.1.0"

__all__ = [
    "SGD",
    "Adam",
    "AdamW",
    "BatchNorm",
    "CSVLog",
    "CategoryEmbedding",
    "ChainruleError",
    "CheckpointInUseError",
    "CheckpointWriteError",
    "CosineDecay",
    "CustomCost",
    "Dense",
    "Dropout",
    "ExponentialDecay",
    "FileWriteError",
    "HeavyBall",
    "History",
    "InvalidArgumentError",
    "InvalidCheckpointError",
    "InvalidModelFileError",
    "InvalidTableError",
    "Lion",
    "MLPClassifier",
    "MLPRegressor",
    "Momentum",
    "NAdam",
    "Nesterov",
    "Network",
    "NetworkClassifier",
    "NetworkMixed",
    "NetworkRegressor",
    "NetworkSpec",
    "OneCycle",
    "Progress",
    "RMSprop",
    "Scale",
    "TableModel",
    "TimeDecay",
    "TrainingDiagnosisWarning",
    "TrainingDivergedError",
    "Warmup",
    "export",
    "from_sklearn",
    "load",
    "stop_at_checkpoint",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'chainrule' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
