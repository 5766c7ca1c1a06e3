import inspect

import pytest

from chainrule import NetworkClassifier, NetworkRegressor
from chainrule.errors import InvalidArgumentError
from chainrule.runs.options import TrainingOptions, settings_of
from chainrule.runs.presets import (
    PRESETS,
    resolved,
)
from chainrule.settings.defaults import ENOUGH_TO_SET_ASIDE, default_batch_size, default_patience

ESTIMATORS = {"classification": NetworkClassifier, "regression": NetworkRegressor}

# Said in other words on the command line.
OTHERWISE = {
    "init": ("default", None),
    "class_weight": ("none", None),
    "max_grad_norm": (0.0, None),
}


@pytest.mark.parametrize("task", ESTIMATORS)
def test_the_standard_preset_is_what_the_estimators_do(task):
    parameters = inspect.signature(ESTIMATORS[task]).parameters
    # A loss, an optimizer and a schedule that need none of the other settings hide theirs.
    options = [
        resolved(TrainingOptions(), task, 450, 500),
        resolved(TrainingOptions(optimizer="adamw"), task, 450, 500),
        resolved(TrainingOptions(optimizer="sgd", schedule="invscaling"), task, 450, 500),
    ]
    losses = ["focal"] if task == "classification" else ["huber", "quantile"]
    options += [resolved(TrainingOptions(loss=loss), task, 450, 500) for loss in losses]
    asked = {"optimizer", "schedule", "loss"}
    seen = set()
    for one in settings_of("training"):
        name = one.metadata.get("parameter", one.name)
        if one.name in ("preset", "seed", "early_stopping", "batch_size", "dtype", "threads"):
            continue
        for place, chosen in enumerate(options):
            value = getattr(chosen, one.name)
            if value is None or name not in parameters or (one.name in asked and place):
                continue
            if one.name in OTHERWISE:
                ours, theirs = OTHERWISE[one.name]
                assert (value, parameters[name].default) == (ours, theirs)
            elif one.name == "dropout":
                assert value == (parameters[name].default,)
            else:
                assert value == parameters[name].default, one.name
            seen.add(one.name)
    assert {"layers", "l2", "momentum", "weight_decay", "beta_1", "power", "patience"} <= seen


@pytest.mark.parametrize("rows", [1, 31, 32, 500, 5000, 10**5, 10**7])
def test_batches_are_those_of_the_estimators(rows):
    assert default_batch_size(rows) == NetworkClassifier()._auto_batch_size(rows)


def test_small_tables_are_not_stopped_early_and_are_exact():
    few = resolved(TrainingOptions(), "regression", 100, ENOUGH_TO_SET_ASIDE - 1)
    enough = resolved(TrainingOptions(), "regression", 100, ENOUGH_TO_SET_ASIDE)
    assert (few.early_stopping, few.dtype) == (False, "float64")
    assert (enough.early_stopping, enough.dtype) == (True, "float32")


def test_patience_shrinks_with_many_rows():
    patience = [default_patience(rows) for rows in (10, 50_000, 200_000, 10**6, 10**9)]
    assert patience == [10, 10, 5, 3, 3]


@pytest.mark.parametrize("preset", PRESETS)
def test_what_is_set_stays_whatever_the_preset(preset):
    options = TrainingOptions(preset=preset, layers=(3,), epochs=7, patience=4, dropout=(0.5,))
    chosen = resolved(options, "regression", 1000, 1100)
    assert (chosen.layers, chosen.epochs, chosen.patience, chosen.dropout) == ((3,), 7, 4, (0.5,))


@pytest.mark.parametrize("preset", PRESETS)
def test_deciding_again_changes_nothing(preset):
    chosen = resolved(TrainingOptions(preset=preset), "classification", 1000, 1100)
    assert resolved(chosen, "classification", 1000, 1100) == chosen


def test_a_loss_of_the_other_task_is_refused():
    with pytest.raises(InvalidArgumentError, match="loss: expected squared_error"):
        resolved(TrainingOptions(loss="focal"), "regression", 100, 110)
