"""What is not set: chosen by the preset, the task and the number of rows."""

from collections.abc import Mapping
from dataclasses import fields, replace
from types import MappingProxyType
from typing import Any

from chainrule.errors import InvalidArgumentError
from chainrule.runs.options import TrainingOptions
from chainrule.settings.defaults import (
    ENOUGH_TO_SET_ASIDE,
    default_batch_size,
    default_dtype,
    default_patience,
)
from chainrule.settings.losses import CLASSIFICATION, REGRESSION
from chainrule.tables.task import Task

# What NetworkClassifier and NetworkRegressor do; a test holds the two together.
_STANDARD: Mapping[str, Any] = MappingProxyType(
    {
        "layers": (128, 64),
        "optimizer": "adam",
        "learning_rate": 0.002,
        "schedule": "adaptive",
        "epochs": 200,
        "tolerance": 1e-4,
        "l1": 0.0,
        "dropout": (0.0,),
        "batch_norm": False,
        "label_smoothing": 0.0,
        "class_weight": "none",
        "max_grad_norm": 0.0,
        "momentum": 0.9,
        "nesterov": True,
        "beta_1": 0.9,
        "beta_2": 0.999,
        "epsilon": 1e-8,
        "power": 0.5,
        "weight_decay": 0.01,
        "focal_gamma": 2.0,
        "huber_delta": 1.0,
        "quantile": 0.5,
        "init": "default",
        "shuffle": True,
        "precision": "full",
        "engine": "auto",
    }
)

_OF_TASK: Mapping[Task, Mapping[str, Any]] = MappingProxyType(
    {
        "classification": {"activation": "silu", "loss": "log_loss", "l2": 3.0},
        "regression": {"activation": "relu", "loss": "squared_error", "l2": 0.5},
    }
)

PRESETS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "fast": {"layers": (64,), "epochs": 30, "patience": 3, "learning_rate": 0.005},
        "standard": {},
        "thorough": {
            "layers": (256, 128),
            "epochs": 500,
            "patience": 20,
            "learning_rate": 0.001,
            "dropout": (0.1,),
        },
    }
)

# Settings that only some losses and optimizers look at: left out of run.toml where none does.
_NEEDED_BY: Mapping[str, tuple[str, tuple[str, ...]]] = MappingProxyType(
    {
        "focal_gamma": ("loss", ("focal",)),
        "huber_delta": ("loss", ("huber",)),
        "quantile": ("loss", ("quantile",)),
        "momentum": ("optimizer", ("sgd", "momentum", "heavy_ball", "nesterov", "rmsprop")),
        "nesterov": ("optimizer", ("sgd",)),
        "beta_1": ("optimizer", ("adam", "adamw", "nadam", "lion")),
        "beta_2": ("optimizer", ("adam", "adamw", "nadam", "lion")),
        "epsilon": ("optimizer", ("adam", "adamw", "nadam", "rmsprop")),
        "weight_decay": ("optimizer", ("adamw", "lion")),
        "power": ("schedule", ("invscaling",)),
    }
)


def resolved(options: TrainingOptions, task: Task, n_train: int, n_rows: int) -> TrainingOptions:
    """Return the options with every setting that matters decided.

    Parameters
    ----------
    options : TrainingOptions
    task : {"classification", "regression"}
    n_train : int
        Rows to train on.
    n_rows : int
        Rows to train and validate on.

    Raises
    ------
    InvalidArgumentError
        If the loss is one of the other task.
    """
    losses: Mapping[str, Any] = CLASSIFICATION if task == "classification" else REGRESSION
    if options.loss is not None and options.loss not in losses:
        raise InvalidArgumentError(
            f"loss: expected {', '.join(losses)} for a {task}; got {options.loss!r}"
        )
    chosen = {
        **_STANDARD,
        **_OF_TASK[task],
        "patience": default_patience(n_train),
        **PRESETS[options.preset],
        "batch_size": min(default_batch_size(n_train), n_train),
        "early_stopping": n_rows >= ENOUGH_TO_SET_ASIDE and options.optimizer != "lbfgs",
        "dtype": default_dtype(n_rows),
    }
    chosen |= {
        one.name: getattr(options, one.name)
        for one in fields(options)
        if getattr(options, one.name) is not None
    }
    for name, (decider, values) in _NEEDED_BY.items():
        if chosen[decider] not in values and getattr(options, name) is None:
            chosen[name] = None
    return replace(options, **chosen)


def default_of(name: str, task: Task) -> Any:
    """Return what a setting is where nothing needs it."""
    return {**_STANDARD, **_OF_TASK[task]}[name]
