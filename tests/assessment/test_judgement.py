from functools import cache

import numpy as np
import polars as pl
import pytest

from chainrule.assessment import trees
from chainrule.assessment.bootstrap import Interval
from chainrule.assessment.judgement import BASELINES, judge, judge_parts
from chainrule.assessment.measures import ACCURACY, AREA, BALANCED, LOG_LOSS, RMSE
from chainrule.assessment.predictions import outputs_of
from chainrule.assessment.proportions import paired_difference, proportion
from chainrule.assessment.trees import TreeAnswers
from tests.assessment.models import binary, many_classes, pure_noise, values


@cache
def usual_judgement(given):
    """The judgement of the test rows of what `given` returns; to read only."""
    model, parts, _ = given()
    return judge(model, parts["train"], parts["test"])


@pytest.mark.parametrize("given", [binary, values, many_classes])
def test_scores_are_those_of_evaluate(given):
    model, parts, _ = given()
    judged = usual_judgement(given)
    expected = model.evaluate(parts["test"])
    for key in ("accuracy", "f1", "roc_auc", "rmse", "mae", "r2"):
        if key in expected:
            assert judged.scores["network"][key].value == pytest.approx(expected[key], rel=1e-5)


@pytest.mark.parametrize("given", [binary, values, many_classes, pure_noise])
def test_every_interval_holds_its_score_and_differences_are_of_the_scores(given):
    judged = usual_judgement(given)
    for baseline in BASELINES:
        for measure in judged.measures:
            ours = judged.scores["network"][measure.key].value
            theirs = judged.scores[baseline][measure.key].value
            difference = judged.differences[baseline][measure.key]
            assert difference.value == pytest.approx(ours - theirs)
            assert difference.low <= difference.high


def test_a_network_that_learned_is_better_than_the_constant_answer():
    judged = usual_judgement(values)
    assert judged.gain("constant", RMSE).is_above_zero
    assert judged.gain("linear", RMSE).is_above_zero  # the price bends with the area
    assert usual_judgement(binary).gain("constant", ACCURACY).is_above_zero


def test_a_network_for_noise_is_not():
    judged = usual_judgement(pure_noise)
    assert not judged.gain("constant", ACCURACY).is_above_zero
    assert not judged.gain("constant", LOG_LOSS).is_above_zero


def test_a_paired_difference_is_narrower_than_one_of_independent_draws():
    judged = usual_judgement(binary)
    ours, theirs = (judged.scores[name]["accuracy"] for name in ("network", "linear"))
    paired = judged.differences["linear"]["accuracy"]
    independent = np.hypot(ours.high - ours.low, theirs.high - theirs.low)
    assert paired.high - paired.low < independent


def test_a_gain_is_positive_where_the_network_is_better_whichever_way_is_up():
    judged = usual_judgement(binary)
    loss = judged.differences["constant"]["log_loss"]
    assert loss.is_below_zero
    gain = judged.gain("constant", LOG_LOSS)
    assert gain == (-loss.value, -loss.high, -loss.low)


def test_of_many_rows_some_are_drawn_and_their_numbers_kept():
    model, parts, _ = binary()
    judged = judge(model, parts["train"], parts["test"], most_rows=40)
    assert judged.table.height == len(judged.numbers) == len(judged.true) == 40
    assert judged.table.equals(parts["test"][judged.numbers])
    assert (np.diff(judged.numbers) > 0).all()


def test_the_same_seed_judges_the_same():
    model, parts, _ = binary()
    first, again = (judge(model, parts["train"], parts["test"], seed=5) for _ in range(2))
    assert first.scores == again.scores


@pytest.mark.parametrize("rows", [1, 2])
def test_hardly_any_rows_can_be_judged(rows):
    for given in (binary, values):
        model, parts, _ = given()
        judged = judge(model, parts["train"], parts["test"][:rows])
        assert judged.table.height == rows


def test_rows_of_one_class_have_no_area():
    model, parts, _ = binary()
    rows = parts["test"].filter(pl.col("ripe") == "yes")
    judged = judge(model, parts["train"], rows)
    assert np.isnan(judged.scores["network"]["roc_auc"].value)


def test_a_run_is_judged_on_its_test_rows_and_without_them_on_its_validation_rows():
    model, parts, _ = binary()
    judged = judge_parts(model, parts)
    assert judged.part == "test"
    assert judged.table.equals(parts["test"])
    judged = judge_parts(model, parts | {"test": parts["test"][:0]})
    assert judged.part == "validation"
    assert judged.table.equals(parts["validation"])


@pytest.mark.parametrize("given", [binary, many_classes])
def test_accuracies_have_wilsons_intervals_and_their_differences_tangos(given):
    judged = usual_judgement(given)
    right = {"network": np.argmax(judged.answers, axis=1) == judged.true}
    for name in judged.compared:
        right[name] = np.argmax(judged.baselines[name], axis=1) == judged.true
        both = paired_difference(
            (right["network"] & ~right[name]).sum(),
            (right[name] & ~right["network"]).sum(),
            judged.table.height,
        )
        assert judged.differences[name]["accuracy"] == pytest.approx(both)
    for name, rows in right.items():
        expected = proportion(rows.sum(), judged.table.height)
        assert judged.scores[name]["accuracy"] == pytest.approx(expected)


@pytest.mark.parametrize("given", [binary, many_classes])
def test_a_network_that_is_right_in_every_row_has_intervals_with_a_width(given):
    model, parts, _ = given()
    right = np.argmax(outputs_of(model, model.encoder.encode(parts["test"])), axis=1)
    names = [model.target.classes[index] for index in right]
    rows = parts["test"].with_columns(pl.Series(model.target.name, names))
    judged = judge(model, parts["train"], rows)
    for key in ("accuracy", "balanced_accuracy", "f1"):
        value, low, high = judged.scores["network"][key]
        assert value == high == 1
        assert 0.5 < low < 0.99
    for key in ("roc_auc", "log_loss", "brier"):
        value, low, high = judged.scores["network"][key]
        assert low < value <= high
    for baseline in judged.compared:
        for found in judged.differences[baseline].values():
            assert found.low < found.high


def test_a_constant_prediction_has_a_balanced_accuracy_and_an_area_without_doubt():
    constant = usual_judgement(binary).scores["constant"]
    assert constant[BALANCED.key] == Interval(0.5, 0.5, 0.5)
    assert constant[AREA.key] == Interval(0.5, 0.5, 0.5)
    assert constant[ACCURACY.key].low < constant[ACCURACY.key].high


def test_a_baseline_that_predicts_the_same_is_the_same_in_every_measure(monkeypatch):
    model, parts, _ = values()
    monkeypatch.setattr(TreeAnswers, "predict", lambda self, X: outputs_of(model, X))
    judged = judge(model, parts["train"], parts["test"])
    assert {judged.outcome("trees", one) for one in judged.measures} == {"same"}
    assert judged.outcome("constant", RMSE) == "better"


def test_one_row_has_no_interval_of_its_errors():
    model, parts, _ = values()
    judged = judge(model, parts["train"], parts["test"][:1])
    assert np.isnan(judged.scores["network"]["rmse"].low)
    assert judged.outcome("constant", RMSE) == "inconclusive"


def test_without_trees_the_other_baselines_are_compared(monkeypatch):
    monkeypatch.setattr(trees, "_MOST_TREES", 1)
    model, parts, _ = binary()
    judged = judge(model, parts["train"], parts["test"])
    assert judged.compared == ("constant", "linear")
    assert judged.fitted_rows == {"linear": 200, "trees": 0}
    assert set(judged.scores) == {"network", "constant", "linear"}
