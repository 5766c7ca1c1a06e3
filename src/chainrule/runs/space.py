"""The search space: the settings that a search varies, and their ranges."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from chainrule.runs.options import TrainingOptions
from chainrule.runs.training import PreparedRun

if TYPE_CHECKING:
    from optuna.trial import Trial

WIDTHS = (32, 64, 128, 256, 512)
ACTIVATIONS = ("relu", "silu", "gelu", "mish")
BATCHES = (0.5, 1.0, 2.0, 4.0)
"""Factors of the batch size that a run without a search would use."""


_LEAST_L2 = 0.03
"""It has hardly an effect."""


def open_settings(asked: TrainingOptions) -> tuple[str, ...]:
    """Return the settings that a search varies and the user did not set."""
    names = ("layers", "activation", "learning_rate", "l2", "dropout", "batch_size")
    return tuple(name for name in names if getattr(asked, name) is None)


def first_draw(run: PreparedRun, varied: Sequence[str]) -> dict[str, Any]:
    """Return the first draw: the values of a run without a search, or the nearest ones."""
    training = run.config.training
    layers = training.layers or (128,)
    drawn: dict[str, dict[str, Any]] = {
        "layers": {
            "depth": min(len(layers), 4),
            "width": min(WIDTHS, key=lambda width: abs(width - layers[0])),
            "tapered": len(layers) > 1 and layers[-1] < layers[0],
        },
        "activation": {"activation": training.activation},
        "learning_rate": {"learning_rate": training.learning_rate},
        "l2": {"l2": max(_LEAST_L2, training.l2 or 0.0)},
        "dropout": {"dropout": (training.dropout or (0.0,))[0]},
        "batch_size": {"batch": 1.0},
    }
    return {key: value for name in varied for key, value in drawn[name].items()}


def drawn_settings(run: PreparedRun, trial: "Trial", varied: Sequence[str]) -> dict[str, Any]:
    """Return the settings of a trial."""
    drawn: dict[str, Any] = {}
    if "layers" in varied:
        depth, width = trial.suggest_int("depth", 1, 4), trial.suggest_categorical("width", WIDTHS)
        tapered = trial.suggest_categorical("tapered", (False, True))
        drawn["layers"] = tuple(max(8, width >> (l if tapered else 0)) for l in range(depth))  # noqa: E741
    if "activation" in varied:
        drawn["activation"] = trial.suggest_categorical("activation", ACTIVATIONS)
    if "learning_rate" in varied:
        drawn["learning_rate"] = trial.suggest_float("learning_rate", 3e-4, 1e-2, log=True)
    if "l2" in varied:
        drawn["l2"] = trial.suggest_float("l2", _LEAST_L2, 30.0, log=True)
    if "dropout" in varied:
        share = trial.suggest_float("dropout", 0.0, 0.5, step=0.05)
        drawn["dropout"] = (round(share, 2),)  # steps accumulate rounding errors
    if "batch_size" in varied:
        factor = trial.suggest_categorical("batch", BATCHES)
        rows = len(run.training.X)
        size = round((run.config.training.batch_size or 32) * factor)
        drawn["batch_size"] = max(1, min(size, rows))
    return drawn
