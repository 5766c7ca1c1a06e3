import re
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule.assessment.bootstrap import Interval
from chainrule.assessment.judgement import BASELINES, Judgement
from chainrule.assessment.measures import CLASS_MEASURES, VALUE_MEASURES
from chainrule.assessment.verdict import baseline_name, standing, verdict
from chainrule.tables.target import TargetEncoder

CLASSES = SimpleNamespace(target=TargetEncoder("classification", "ripe", ("no", "yes")))
VALUES = SimpleNamespace(target=TargetEncoder("regression", "price", (), 5.0, 2.0))

# Gains of the network: how much better it is, whichever way a measure counts.
GAINS = {
    "better": Interval(0.2, 0.1, 0.3),
    "worse": Interval(-0.2, -0.3, -0.1),
    "inconclusive": Interval(0.0, -0.1, 0.1),
    "same": Interval(0.0, 0.0, 0.0),
}
BETTER, WORSE, UNCLEAR = "better", "worse", "inconclusive"


def judged(model, outcomes, rows=(100, 100)):
    """A judgement with these outcomes, {baseline: {measure's key: outcome}}; others are unclear."""
    measures = CLASS_MEASURES if model is CLASSES else VALUE_MEASURES
    differences = {}
    for baseline, of_measures in outcomes.items():
        differences[baseline] = {}
        for one in measures:
            value, low, high = GAINS[of_measures.get(one.key, UNCLEAR)]
            sign = 1 if one.greater_is_better else -1
            ends = sorted((sign * low, sign * high))
            differences[baseline][one.key] = Interval(sign * value, *ends)
    score = {one.key: Interval(0.7, 0.6, 0.8) for one in measures}
    return Judgement(
        table=SimpleNamespace(height=100),
        numbers=np.arange(100),
        true=np.zeros(100),
        answers=np.zeros((100, 2)),
        baselines={name: np.array([[0.4, 0.6]]) for name in outcomes},
        measures=measures,
        scores={"network": score, **dict.fromkeys(outcomes, score)},
        differences=differences,
        resamples=100,
        fitted_rows={"linear": rows[0], "trees": rows[1]},
        training_rows=100,
    )


def of_classes(accuracy, log_loss, others=None, **more):
    both = {"accuracy": accuracy, "log_loss": log_loss}
    return {"constant": both | more, "linear": others or {}, "trees": {}}


@pytest.mark.parametrize(
    ("outcomes", "level"),
    [
        (of_classes(BETTER, BETTER), "good"),
        (of_classes(BETTER, UNCLEAR), "good"),
        (of_classes(BETTER, WORSE), "partial"),
        (of_classes(UNCLEAR, BETTER), "partial"),
        (of_classes(WORSE, BETTER), "partial"),
        (of_classes(WORSE, WORSE, roc_auc=BETTER), "partial"),
        (of_classes(UNCLEAR, UNCLEAR), "useless"),
        (of_classes(UNCLEAR, UNCLEAR, f1=BETTER), "useless"),
        (of_classes(WORSE, UNCLEAR), "useless"),
        (of_classes(BETTER, BETTER, {"accuracy": WORSE}), "beaten"),
        (of_classes(BETTER, BETTER, {"log_loss": WORSE}), "beaten"),
        (of_classes(BETTER, BETTER, {"log_loss": WORSE, "accuracy": BETTER}), "good"),
        (of_classes(BETTER, BETTER, {"log_loss": BETTER}), "good"),
        (of_classes(BETTER, BETTER, {"roc_auc": WORSE}), "good"),
    ],
)
def test_the_level_of_a_classifier(outcomes, level):
    found = verdict(CLASSES, judged(CLASSES, outcomes))
    assert found.level == level
    assert ("useless" in found.sentence) == (level == "useless")
    assert "always predicting “yes”" in found.sentence


@pytest.mark.parametrize(
    ("constant", "trees", "level"),
    [(BETTER, BETTER, "good"), (BETTER, WORSE, "beaten"), (UNCLEAR, UNCLEAR, "useless")],
)
def test_the_level_of_values(constant, trees, level):
    outcomes = {"constant": {"rmse": constant}, "linear": {}, "trees": {"rmse": trees}}
    found = verdict(VALUES, judged(VALUES, outcomes))
    assert found.level == level
    assert ("boosted trees" in found.badge) == (level == "beaten")


def test_a_worse_log_loss_is_told_where_the_accuracy_is_inconclusive():
    found = verdict(CLASSES, judged(CLASSES, of_classes(BETTER, BETTER, {"log_loss": WORSE})))
    linear, trees = found.comparisons
    assert "the network is worse in log loss, by 0.200 (95% interval 0.100 to 0.300)" in linear
    assert "the difference in accuracy is inconclusive" in linear
    assert "Use that simpler model" in linear
    assert "the difference in accuracy and log loss is inconclusive" in trees
    assert found.badge == "Better than guessing, worse than a linear model"
    assert found.summary == (
        "On these rows, the network is better than always predicting “yes” in accuracy and log "
        "loss; it is worse than the linear model in log loss (accuracy: inconclusive); it cannot "
        "be distinguished from boosted trees."
    )


def test_amounts_are_told_with_their_intervals_whichever_way_is_up():
    found = verdict(CLASSES, judged(CLASSES, of_classes(BETTER, BETTER)))
    assert "by 20.0 percentage points (95% interval 10.0 to 30.0)" in found.sentence
    assert "correctly in 70.0% of cases (95% interval 60.0% to 80.0%)" in found.sentence
    found = verdict(VALUES, judged(VALUES, {"constant": {"rmse": WORSE}}))
    assert "worse than always predicting the mean (0.700) by 0.200" in found.sentence


def test_the_same_predictions_are_called_the_same():
    same = {one.key: "same" for one in CLASS_MEASURES}
    found = verdict(CLASSES, judged(CLASSES, of_classes(BETTER, BETTER, same)))
    assert "the same predictions in every row" in found.comparisons[0]
    assert "it predicts the same as the linear model" in found.summary


def test_a_baseline_fitted_to_a_sample_says_so():
    found = verdict(CLASSES, judged(CLASSES, of_classes(BETTER, BETTER), rows=(100, 60)))
    assert "fitted" not in found.comparisons[0]
    assert "fitted to 60 of 100 training rows" in found.comparisons[1]


OUTCOMES = st.sampled_from([BETTER, WORSE, UNCLEAR])


@st.composite
def drawn_judgements(draw):
    model = draw(st.sampled_from([CLASSES, VALUES]))
    measures = CLASS_MEASURES if model is CLASSES else VALUE_MEASURES
    outcomes = {}
    for baseline in ("constant", "linear", *(["trees"] if draw(st.booleans()) else [])):
        same = baseline != "constant" and draw(st.integers(0, 5)) == 0
        outcomes[baseline] = {one.key: "same" if same else draw(OUTCOMES) for one in measures}
    return model, judged(model, outcomes), outcomes


def said(text, measures):
    """Each measure that a text calls better, worse or inconclusive, and the word."""
    names = {one.name.lower(): one.key for one in measures}
    pattern = r"(better|worse)(?: than [^;:()]*?)? in ([^;:.()]*)|in ([^;:.()]*) is (inconclusive)"
    for word, listed, other, unclear in re.findall(pattern, text.replace("R²", "r²")):
        for name in re.split(r", | and ", (listed or other).split(", by")[0].split(" but ")[0]):
            if name.strip().lower() in names:
                yield names[name.strip().lower()], word or unclear


@given(drawn_judgements())
def test_no_sentence_contradicts_the_table(drawn):
    model, found, outcomes = drawn
    told = verdict(model, found)
    sentences = dict(zip(outcomes, (told.sentence, *told.comparisons), strict=True))
    for baseline, text in sentences.items():
        for key, word in said(text, found.measures):
            assert outcomes[baseline][key] == word, (baseline, text)
        # Whatever a primary measure shows is said, and the opposite in any other measure.
        stands = standing(found, baseline)
        mentioned = dict(said(text, found.measures))
        if baseline != "constant" and stands != "same":
            for one in found.measures:
                word = outcomes[baseline][one.key]
                primary = one.key in ("accuracy", "log_loss", "rmse")
                if primary or (word in (BETTER, WORSE) and word != stands):
                    assert mentioned[one.key] == word, (one, text)
    first, *rest = told.summary.removesuffix(".").split("; it ")
    for part in (first, *rest):
        about = [name for name in outcomes if _name(model, found, name) in part]
        assert about
        for key, word in said(part, found.measures):
            assert all(outcomes[name][key] == word for name in about), part
    named = [name for name in outcomes if _name(model, found, name) in told.summary]
    assert named == list(outcomes)
    beaten = [name for name in outcomes if name != "constant" and standing(found, name) == WORSE]
    if told.level == "good":
        assert not beaten
    if told.level == "beaten":
        assert beaten
    if told.level == "useless":
        assert BETTER not in {one for key, one in outcomes["constant"].items() if key != "f1"}


def _name(model, found, baseline):
    return "the linear model" if baseline == "linear" else baseline_name(model, found, baseline)


def test_outcomes_are_read_off_the_intervals_that_tables_show():
    found = judged(CLASSES, of_classes(BETTER, WORSE))
    for baseline in BASELINES:
        for one in found.measures:
            gain, outcome = found.gain(baseline, one), found.outcome(baseline, one)
            assert (outcome == "better") == (gain.low > 0)
            assert (outcome == "worse") == (gain.high < 0)
