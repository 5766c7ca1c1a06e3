"""Temperatures and calibration scores of runs."""

import numpy as np
import polars as pl
import pytest

import chainrule as cr
from chainrule.model.conformal import Conformal
from chainrule.model.temperature import tempered
from chainrule.runs.config import RunConfig
from chainrule.runs.run_fit import Checkpointing
from chainrule.runs.training import PreparedRun


def table(rows=1200, seed=0):
    random = np.random.default_rng(seed)
    x = random.normal(size=(rows, 6))
    score = x[:, 0] + x[:, 1] ** 2 - 1
    return pl.DataFrame(
        {
            **{f"x{i}": x[:, i] for i in range(6)},
            "kind": np.where(score + random.normal(size=rows) > 0, "up", "down"),
            "price": 100 + 10 * score + random.normal(size=rows),
            "income": np.exp(3 * score + random.normal(0, 2, rows)),
        }
    )


ROWS = table()
HASTY = {
    "epochs": 40,
    "layers": (64,),
    "bins": 0,
    "early_stopping": False,
    "l2": 0.0,
    "split": (0.3, 0.5, 0.2),
}
"""Settings that make a network too certain, with many validation rows."""


def prepared(target, **settings):
    others = [name for name in ("kind", "price", "income") if name != target]
    return PreparedRun.prepare(RunConfig.of({"target": target, **settings}), ROWS.drop(others))


def test_a_run_that_is_too_certain_gets_a_temperature_that_its_details_tell():
    run = prepared("kind", **HASTY).fit()
    told = run.model.details["temperature"]
    assert told["value"] == told["fitted"] > 1.2
    assert told["gain"] > told["error"] > 0
    assert told["rows"] == run.scores["validation"]["rows"]
    plain = prepared("kind", calibrate="off", **HASTY).fit()
    assert "temperature" not in plain.model.details
    expected = tempered(plain.model.network, told["value"])
    np.testing.assert_array_equal(run.model.network.parameters, expected.parameters)
    # The log loss that is told is that of the validation rows, before and after.
    assert told["before"] == pytest.approx(plain.scores["validation"]["log_loss"], rel=1e-4)
    assert told["after"] == pytest.approx(run.scores["validation"]["log_loss"], rel=1e-4)
    assert run.scores["test"]["log_loss"] < plain.scores["test"]["log_loss"]
    assert run.scores["test"]["accuracy"] == plain.scores["test"]["accuracy"]


def test_a_temperature_that_does_not_pay_is_told_and_not_applied():
    run = prepared("kind", epochs=15).fit()
    told = run.model.details["temperature"]
    assert told["value"] == 1.0 != told["fitted"]
    assert not told["gain"] > told["error"]
    assert told["before"] == told["after"]
    asked = prepared("kind", epochs=15, calibrate="on").fit()
    assert asked.model.details["temperature"]["value"] == told["fitted"]


def test_values_have_no_temperature():
    assert "temperature" not in prepared("price", epochs=1, calibrate="on").fit().model.details


def test_an_interrupted_and_resumed_run_has_the_bits_of_an_uninterrupted_one(tmp_path):
    run = prepared("kind", **HASTY)

    class StopError(Exception):
        pass

    def stop(event):
        if getattr(event, "epoch", 0) == 17:
            raise StopError

    with pytest.raises(StopError):
        run.train([stop], Checkpointing(tmp_path / "c", every=5))
    resumed = run.train([], Checkpointing(tmp_path / "c", every=5, resume=True))
    whole = run.train()
    assert whole.temperature == resumed.temperature
    assert whole.temperature.applied
    np.testing.assert_array_equal(whole.network.parameters, resumed.network.parameters)
    one, other = (run.model_of(each).conformal for each in (whole, resumed))
    np.testing.assert_array_equal(one.scores, other.scores)


def test_a_run_has_the_bits_of_one_with_another_number_of_threads():
    found = [prepared("kind", threads=threads, **HASTY).train() for threads in (1, 3)]
    assert found[0].temperature == found[1].temperature
    np.testing.assert_array_equal(*(each.network.parameters for each in found))


@pytest.mark.parametrize("target", ["kind", "price", "income"])
def test_scores_are_those_of_the_validation_rows(target):
    run = prepared(target, epochs=8)
    model = run.fit().model
    rows = run.parts.validation
    assert model.conformal.rows == rows.height
    expected = Conformal.of(model.scores_of(*model.truth(rows)))
    np.testing.assert_allclose(model.conformal.scores, expected.scores, rtol=1e-12)
    if target == "price":
        errors = (rows["price"] - model.predict(rows)["prediction"]).abs().sort()
        np.testing.assert_allclose(model.conformal.scores[:, 0], errors.to_numpy(), rtol=1e-6)
    if target == "income":
        assert model.target.transform is not None


@pytest.mark.parametrize("target", ["kind", "price", "income"])
@pytest.mark.parametrize("coverage", [0.8, 0.9])
def test_new_rows_are_covered_as_often_as_was_asked_for(target, coverage):
    # Most rows validate and test, so that chance decides little.
    model = prepared(target, epochs=15, split=(0.3, 0.4, 0.3)).fit().model
    new = table(4000, seed=1)
    found, true = model.predict(new, interval=coverage), new[target].to_list()
    if target == "kind":
        sets = found["prediction_set"].to_list()
        held = np.array([one in several for one, several in zip(true, sets, strict=True)])
    else:
        true = np.array(true)
        held = (found["lower"].to_numpy() <= true) & (true <= found["upper"].to_numpy())
    deviation = np.sqrt(coverage * (1 - coverage) * (1 / 480 + 1 / 4000))
    assert abs(held.mean() - coverage) < 4 * deviation


def test_the_interval_of_a_long_tailed_target_is_wider_where_values_are_larger():
    model = prepared("income", epochs=15).fit().model
    found = model.predict(ROWS, interval=0.9)
    width = (found["upper"] - found["lower"]).to_numpy()
    order = np.argsort(found["prediction"].to_numpy())
    assert width[order[-200:]].mean() > 10 * width[order[:200]].mean()
    assert (found["lower"].to_numpy() > 0).all()


def test_a_run_of_few_rows_says_what_coverage_they_suffice_for():
    run = PreparedRun.prepare(RunConfig.of({"target": "price", "epochs": 2}), ROWS[:60])
    model = run.fit().model
    rows = model.conformal.rows
    with pytest.raises(cr.InvalidArgumentError, match=f"the model has {rows}, enough for up to"):
        model.predict(ROWS, interval=0.95)
    assert model.predict(ROWS, interval=0.8).columns == ["prediction", "lower", "upper"]
