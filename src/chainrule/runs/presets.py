"""Values for unset options, chosen by the preset, the task and the number of rows."""

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from chainrule.errors import InvalidArgumentError
from chainrule.runs.options import TrainingOptions
from chainrule.settings.defaults import (
    ENOUGH_TO_SET_ASIDE,
    default_batch_size,
    default_bins,
    default_dtype,
    default_epochs,
    default_l2,
    default_label_smoothing,
    default_patience,
)
from chainrule.settings.losses import CLASSIFICATION, REGRESSION
from chainrule.settings.rates import PLANNED_BY_DEFAULT
from chainrule.settings.rules import is_planned
from chainrule.settings.setting import ABSENT
from chainrule.settings.table import OPTIONS
from chainrule.suggestions import did_you_mean
from chainrule.tables.task import Task


def _standard(task: Task) -> dict[str, Any]:
    """Return the defaults of NetworkClassifier or NetworkRegressor, as command-line values."""
    return {row.name: row.run_default(task) for row in OPTIONS if row.mlp is not ABSENT}


def preset(name: str) -> dict[str, Any]:
    """Return the values that a preset sets."""
    options = {row.name: row.option for row in OPTIONS if row.option is not None}
    return {key: one.presets[name] for key, one in options.items() if name in one.presets}


def resolved(options: TrainingOptions, task: Task, n_train: int, n_rows: int) -> TrainingOptions:
    """Return the options with a value for every setting that applies.

    Parameters
    ----------
    options : TrainingOptions
    task : {"classification", "regression"}
    n_train : int
        Number of training rows.
    n_rows : int
        Number of training and validation rows.

    Raises
    ------
    InvalidArgumentError
        If the loss belongs to the other task.
    """
    losses: Mapping[str, Any] = CLASSIFICATION if task == "classification" else REGRESSION
    if options.loss is not None and options.loss not in losses:
        raise InvalidArgumentError(
            f"loss: expected {', '.join(losses)} for a {task}; got {options.loss!r}"
            f"{did_you_mean(options.loss, losses)}"
        )
    chosen = _standard(task) | {
        "schedule": PLANNED_BY_DEFAULT,
        "epochs": default_epochs(n_train),
        "bins": default_bins(n_train),
        "l2": default_l2(n_train, task == "classification"),
        "batch_size": min(default_batch_size(n_train), n_train),
        "early_stopping": n_rows >= ENOUGH_TO_SET_ASIDE and options.optimizer != "lbfgs",
        "dtype": default_dtype(n_rows),
    }
    chosen |= preset(options.preset)
    chosen |= {
        one.name: getattr(options, one.name)
        for one in fields(options)
        if getattr(options, one.name) is not None
    }
    if options.label_smoothing is None:
        suits = task == "classification" and chosen["loss"] == "log_loss"
        chosen["label_smoothing"] = default_label_smoothing(n_train) if suits else 0.0
    if options.patience is None:
        chosen["patience"] = None if is_planned(chosen["schedule"]) else default_patience(n_train)
    # Settings without effect are left out of run.toml.
    for row in OPTIONS:
        needs = row.needs
        if needs is None or chosen[needs.setting] in needs.values():
            continue
        if getattr(options, row.name) is None:
            chosen[row.name] = None
    return replace(options, **chosen)


def parameters_of(options: TrainingOptions, task: Task) -> dict[str, Any]:
    """Return the options as parameters of the estimators, under scikit-learn's names.

    An option that is None gets its default.
    """
    standard, given = _standard(task), {}
    for row in OPTIONS:
        if row.name in standard:
            value = getattr(options, row.name)
            given[row.parameter_name] = row.as_parameter(
                standard[row.name] if value is None else value
            )
    return given
