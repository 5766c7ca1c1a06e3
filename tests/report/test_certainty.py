"""What the report says of temperature, intervals and sets."""

import re

import numpy as np
import polars as pl
import pytest

import chainrule as cr
from chainrule.model.temperature import Temperature


def table(rows=900):
    random = np.random.default_rng(0)
    x = random.normal(size=(rows, 3))
    return pl.DataFrame(
        {
            **{f"x{i}": x[:, i] for i in range(3)},
            "kind": np.where(x[:, 0] + random.normal(size=rows) > 0, "up", "down"),
            "price": 10 * x[:, 1] + random.normal(size=rows),
            "income": np.exp(3 * x[:, 1] + random.normal(0, 2, rows)),
        }
    )


ROWS = table()
SHARES = (0.3, 0.4, 0.3)


def report(target, tmp_path, rows=ROWS, **settings):
    """Return a run and the text of its report, without tags."""
    others = [name for name in ("kind", "price", "income") if name != target]
    settings = {"split": SHARES, "epochs": 12} | settings
    run = cr.train(rows.drop(others), target=target, **settings)
    run.report().save(tmp_path / "report.html")
    text = re.sub(r"<[^>]+>", " ", (tmp_path / "report.html").read_text(encoding="utf-8"))
    return run, " ".join(text.split())


def test_a_temperature_is_told_with_what_it_did_to_the_test_rows(tmp_path):
    run, text = report("kind", tmp_path, loss="focal", focal_gamma=4.0, calibrate="on")
    found = Temperature.from_details(run.model.details)
    assert found.value < 1
    assert f"A temperature of {found.value:.3f}, fitted to the validation rows, made" in text
    assert "more certain: calibration error" in text
    (after,) = re.findall(r"log loss [\d.]+ before and ([\d.]+) after", text)
    assert float(after) == pytest.approx(run.scores["test"]["log_loss"], abs=5e-4)


def test_a_temperature_that_does_not_pay_is_told_as_well(tmp_path):
    # Twelve validation rows say too little.
    _, text = report("kind", tmp_path, ROWS[:120], split=(0.7, 0.1, 0.2))
    assert "was not applied, because it does not clearly improve" in text


def test_nothing_is_told_of_a_temperature_that_was_not_fitted(tmp_path):
    assert "temperature" not in report("kind", tmp_path, calibrate="off")[1].partition("--")[0]


def test_the_size_of_sets_is_told_with_the_share_of_test_rows_that_they_hold(tmp_path):
    run, text = report("kind", tmp_path)
    rows, kinds = run.parts.test, run.parts.test["kind"].to_list()
    sets = run.predict(rows, interval=0.9)["prediction_set"].to_list()
    held = np.mean([one in several for one, several in zip(kinds, sets, strict=True)])
    assert "Prediction sets at 90% coverage, calibrated on 361 validation rows, have" in text
    assert f"contain the true class of {held:.1%} of the test rows" in text


@pytest.mark.parametrize(
    ("target", "words"), [("price", "are the prediction ±"), ("income", "have a median width of")]
)
def test_the_width_of_intervals_is_told_with_the_share_of_test_rows_that_they_hold(
    target, words, tmp_path
):
    run, text = report(target, tmp_path)
    found, true = run.predict(run.parts.test, interval=0.9), run.parts.test[target]
    held = ((found["lower"] <= true) & (true <= found["upper"])).mean()
    assert (
        f"Prediction intervals at 90% coverage, calibrated on 361 validation rows, {words}" in text
    )
    assert f"contain the true value of {held:.1%} of the test rows" in text


def test_too_few_validation_rows_for_an_interval_leave_the_sentence_out(tmp_path):
    _, text = report("price", tmp_path, ROWS[:40], split=(0.6, 0.2, 0.2))
    assert "Prediction intervals" not in text


@pytest.mark.parametrize(
    "details",
    [
        {},
        {"temperature": 1.0},
        {"temperature": {"value": 2.0}},
        {"temperature": dict.fromkeys(Temperature.__dataclass_fields__, 0.0)},
        {"temperature": dict.fromkeys(Temperature.__dataclass_fields__, "2")},
    ],
)
def test_details_of_another_kind_tell_no_temperature(details):
    assert Temperature.from_details(details) is None
