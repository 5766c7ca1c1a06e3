"""What a page can choose from: data, inputs and settings, with what they mean."""

from collections.abc import Callable
from dataclasses import MISSING
from functools import cache
from typing import Any

import numpy as np

from chainrule.limits import Choice, Either, Limit
from chainrule.network.registry.activations import ACTIVATIONS
from chainrule.network.registry.initializers import INITIALIZERS
from chainrule.playground.data.samples import SAMPLES, sample_table
from chainrule.playground.data.toys import CLASSES, INPUTS, RADIUS, TOYS, toy_table
from chainrule.playground.session.state import ELSEWHERE, TABLE_SETTINGS, TOY_SETTINGS
from chainrule.runs.options import SECTIONS, TrainingOptions, settings_of
from chainrule.runs.presets import resolved
from chainrule.settings.losses import CLASSIFICATION, REGRESSION
from chainrule.settings.names import optimizers, schedules, solvers, with_names
from chainrule.settings.table import OPTIONS

_POINTS = 100


@cache
def catalog() -> dict[str, Any]:
    """Return the catalog, ready for JSON."""
    return {
        "toys": [_toy(name) for name in TOYS],
        "samples": [_sample(name) for name in SAMPLES],
        "inputs": [{"name": name, "title": title} for name, title in INPUTS.items()],
        "settings": _settings(),
        "toy_settings": dict(TOY_SETTINGS),
        "table_settings": dict(TABLE_SETTINGS),
        "activations": list(ACTIVATIONS),
        "optimizers": list(solvers()),
        "schedules": list(schedules()),
        "initialisers": ["default", "auto", *INITIALIZERS],
        "losses": {"classification": list(CLASSIFICATION), "regression": list(REGRESSION)},
        "parameter_optimizers": list(optimizers()),
    }


def _toy(name: str) -> dict[str, Any]:
    toy, table = TOYS[name], toy_table(name, rows=_POINTS)
    target = table[toy.target].to_list()
    if toy.task == "classification":
        target = [2 * CLASSES.index(one) - 1 for one in target]
    x, y = (table[column].to_numpy() / RADIUS for column in ("x1", "x2"))
    if toy.task == "regression":
        target = np.clip(target, -1, 1).tolist()
    return {
        "name": name,
        "title": toy.title,
        "about": toy.about,
        "task": toy.task,
        "classes": list(CLASSES) if toy.task == "classification" else None,
        "points": _points(x, y, target),
    }


def _sample(name: str) -> dict[str, Any]:
    """Return a sample with points in the plane of its two principal components."""
    sample, table = SAMPLES[name], sample_table(name)
    rows = np.linspace(0, table.height - 1, _POINTS).astype(int)
    numbers = table.select(sample.columns).to_numpy().astype(np.float64)
    numbers = (numbers - numbers.mean(axis=0)) / np.maximum(numbers.std(axis=0), 1e-12)
    _, _, directions = np.linalg.svd(numbers, full_matrices=False)
    x, y = (numbers[rows] @ direction for direction in directions[:2])
    x, y = x / np.abs(x).max(), y / np.abs(y).max()
    classes = sorted(set(table[sample.target].to_list()))
    target = [classes.index(one) for one in table[sample.target].gather(rows).to_list()]
    return {
        "name": name,
        "title": sample.title,
        "about": sample.about,
        "task": "classification",
        "classes": list(map(str, classes)),
        "points": _points(x, y, target),
    }


def _points(x: Any, y: Any, target: list[Any]) -> list[list[float]]:
    return [
        [round(float(a), 3), round(float(b), 3), round(float(value), 3)]
        for a, b, value in zip(x, y, target, strict=True)
    ]


def _settings() -> list[dict[str, Any]]:
    rows = {row.name: row for row in OPTIONS}
    usual = resolved(TrainingOptions(), "classification", 1_000, 1_200)
    found = []
    for section in SECTIONS:
        for one in settings_of(section):
            if one.name in ELSEWHERE:
                continue
            about: str | Callable[[], str] = one.metadata["about"]
            limit: Limit | None = one.metadata["limit"]
            default = one.default if one.default is not MISSING else None
            if section == "training":
                default = getattr(usual, one.name)
            needs = rows[one.name].needs if one.name in rows else None
            found.append(
                {
                    "name": one.name,
                    "section": section,
                    "about": with_names(about if isinstance(about, str) else about()),
                    "kind": one.metadata["kind"],
                    "choices": _choices(one.name, limit),
                    "limits": None if limit is None else limit.expected(quoted=False),
                    "default": list(default) if isinstance(default, tuple) else default,
                    "needs": None
                    if needs is None
                    else {"setting": needs.setting, "values": list(needs.values())},
                }
            )
    return found


def _choices(name: str, limit: Limit | None) -> list[str] | None:
    if name == "activation":
        return list(ACTIVATIONS)
    if name == "init":
        return ["default", "auto", *INITIALIZERS]
    if isinstance(limit, Either):
        limit = limit.first
    return list(limit.names()) if isinstance(limit, Choice) else None
