from types import SimpleNamespace

import numpy as np
import pytest

from chainrule.assessment.bootstrap import Interval
from chainrule.assessment.judgement import Judgement
from chainrule.assessment.measures import CLASS_MEASURES, VALUE_MEASURES
from chainrule.assessment.verdict import verdict
from chainrule.tables.target import TargetEncoder

CLASSES = TargetEncoder("classification", "ripe", ("no", "yes"))
VALUES = TargetEncoder("regression", "price", (), 5.0, 2.0)

ABOVE, AROUND, BELOW = Interval(0.2, 0.1, 0.3), Interval(0.0, -0.1, 0.1), Interval(-0.2, -0.3, -0.1)


def judged(target, constant, linear, constant_loss=AROUND):
    """A judgement with these differences to the baselines, as they would be of accuracy or RMSE."""
    key = "accuracy" if target.classes else "rmse"
    plain = {key: Interval(0.7, 0.6, 0.8)}
    return Judgement(
        table=SimpleNamespace(height=100),
        numbers=np.arange(100),
        true=np.zeros(100),
        answers=np.zeros((100, 2)),
        baselines={"constant": np.array([[0.4, 0.6]])},
        measures=CLASS_MEASURES if target.classes else VALUE_MEASURES,
        scores={"network": plain, "constant": plain, "linear": plain},
        differences={
            "constant": {key: constant, "log_loss": constant_loss},
            "linear": {key: linear},
        },
        resamples=100,
        linear_rows=100,
    )


@pytest.mark.parametrize(
    ("constant", "linear", "loss", "level"),
    [
        (ABOVE, ABOVE, BELOW, "good"),
        (ABOVE, AROUND, BELOW, "good"),
        (ABOVE, BELOW, BELOW, "beaten"),
        (AROUND, AROUND, BELOW, "partial"),
        (BELOW, BELOW, BELOW, "partial"),
        (AROUND, AROUND, AROUND, "useless"),
        (BELOW, AROUND, ABOVE, "useless"),
    ],
)
def test_the_verdict_on_classes(constant, linear, loss, level):
    found = verdict(SimpleNamespace(target=CLASSES), judged(CLASSES, constant, linear, loss))
    assert found.level == level
    assert ("useless" in found.sentence) == (level == "useless")
    assert "always predicting “yes”" in found.sentence


@pytest.mark.parametrize(
    ("constant", "linear", "level"),
    [
        (BELOW, BELOW, "good"),
        (BELOW, ABOVE, "beaten"),
        (AROUND, ABOVE, "useless"),
        (ABOVE, AROUND, "useless"),
    ],
)
def test_the_verdict_on_values_knows_that_less_error_is_better(constant, linear, level):
    found = verdict(SimpleNamespace(target=VALUES), judged(VALUES, constant, linear))
    assert found.level == level
    assert ("useless" in found.sentence) == (level == "useless")


def test_the_amount_is_told_with_its_interval_whichever_way_is_up():
    found = verdict(SimpleNamespace(target=CLASSES), judged(CLASSES, ABOVE, AROUND))
    assert "by 20.0 percentage points (95% interval 10.0 to 30.0)" in found.sentence
    found = verdict(SimpleNamespace(target=VALUES), judged(VALUES, BELOW, AROUND))
    assert "by 0.200 (95% interval 0.100 to 0.300)" in found.sentence


def test_the_linear_model_is_told_about():
    for linear, words in ((ABOVE, "It beats"), (AROUND, "inconclusive"), (BELOW, "simpler model")):
        found = verdict(SimpleNamespace(target=CLASSES), judged(CLASSES, ABOVE, linear))
        assert words in found.beside_linear
        assert "logistic regression" in found.beside_linear
