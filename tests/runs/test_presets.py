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


def test_presets_are_networks_and_trainings_of_three_sizes():
    chosen = [resolved(TrainingOptions(preset=one), "regression", 1000, 1100) for one in PRESETS]
    assert [one.layers for one in chosen] == [(64,), (128, 64), (256, 128)]
    assert [one.epochs for one in chosen] == [30, 200, 500]
    assert [one.patience for one in chosen] == [3, 10, 20]
    assert [one.learning_rate for one in chosen] == [0.005, 0.002, 0.001]
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
