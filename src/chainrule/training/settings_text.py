"""The settings of a training as plain values, for experiment trackers."""

import math
from dataclasses import fields
from typing import Any

from chainrule.engines.schedule import Schedule
from chainrule.printable import printable
from chainrule.training.plan import LBFGS, Plan


def settings_of(plan: Plan) -> dict[str, Any]:
    """Return the settings of a training by name: numbers, texts, true and false, None."""
    problem = plan.problem
    spec, penalties = problem.spec, problem.penalties
    layers = [
        f"{layer.kind} {units}" for layer, units in zip(spec.layers, spec.sizes[1:], strict=True)
    ]
    bound = plan.max_grad_norm
    patience = math.inf if plan.stopping is None else plan.stopping.patience
    return {
        "network": ", ".join([f"inputs {spec.n_features}", *layers]),
        "cost": printable(spec.cost),
        "dtype": spec.dtype,
        **_optimizer(plan),
        "epochs": plan.epochs,
        "batch_size": plan.batch_size,
        "seed": plan.seed,
        "shuffle": plan.shuffle,
        "l1": penalties.l1,
        "l2": penalties.l2,
        "max_grad_norm": bound if math.isfinite(bound) else None,
        "patience": patience if math.isfinite(patience) else None,
        "examples": plan.n_examples,
        "validation_examples": 0 if plan.validation is None else len(plan.validation.X),
        "engine": plan.engine.name,
    }


def _optimizer(plan: Plan) -> dict[str, Any]:
    optimizer = plan.optimizer
    if isinstance(optimizer, LBFGS):
        return {"optimizer": "lbfgs"}
    settings: dict[str, Any] = {"optimizer": optimizer.name}
    for one in fields(optimizer):
        value = getattr(optimizer, one.name)
        if one.name == "learning_rate" and not isinstance(value, int | float):
            is_schedule = isinstance(value, Schedule)
            value = repr(value) if is_schedule else "a function of the step"
        settings[one.name] = value
    return settings
