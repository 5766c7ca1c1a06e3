import pytest

from chainrule import NetworkClassifier
from chainrule.errors import InvalidArgumentError
from chainrule.runs.options import TrainingOptions
from chainrule.runs.presets import resolved
from chainrule.settings.defaults import ENOUGH_TO_SET_ASIDE, default_batch_size, default_patience

PRESETS = ("fast", "standard", "thorough")


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


def test_a_schedule_over_the_whole_training_is_not_cut_short():
    def patience(**given):
        return resolved(TrainingOptions(**given), "regression", 1000, 1100).patience

    assert patience() is None
    assert patience(schedule="cosine") is None
    assert patience(schedule="adaptive") == patience(schedule="constant") == 10
    assert patience(schedule="cosine", patience=4) == 4


def test_large_tables_take_fewer_epochs_and_no_penalty():
    chosen = [
        resolved(TrainingOptions(), "regression", rows, rows) for rows in (400, 20_000, 10**6)
    ]
    assert [one.epochs for one in chosen] == [64, 64, 16]
    assert [one.bins for one in chosen] == [8, 16, 16]
    assert [round(one.l2, 6) for one in chosen] == [0.1, 0.000063, 0.0]
    assert resolved(TrainingOptions(), "classification", 400, 400).l2 == 10.0


def test_labels_are_smoothed_where_a_temperature_can_undo_it():
    def smoothing(task="classification", rows=3000, **given):
        return resolved(TrainingOptions(**given), task, rows, rows + 100).label_smoothing

    assert smoothing() == 0.1
    assert smoothing(rows=1500) == smoothing(loss="focal") == smoothing("regression") == 0.0
    assert smoothing(label_smoothing=0.3) == 0.3


def test_presets_are_networks_and_trainings_of_three_sizes():
    chosen = [resolved(TrainingOptions(preset=one), "regression", 1000, 1100) for one in PRESETS]
    assert [one.layers for one in chosen] == [(64, 64), (128,) * 3, (256,) * 3]
    assert [one.epochs for one in chosen] == [30, 64, 200]
    assert [one.patience for one in chosen] == [None] * 3
    assert [one.dropout for one in chosen] == [(0.0,), (0.0,), (0.1,)]


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
