"""Temperatures, intervals and sets of estimators, from the validation examples of `fit`."""

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.datasets import make_classification, make_friedman1, make_multilabel_classification
from sklearn.metrics import log_loss

import chainrule as cr
from chainrule.errors import InvalidArgumentError
from chainrule.model.temperature import tempered

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, VALUES = make_friedman1(2400, noise=1.0, random_state=0)
CLASSES = (VALUES + np.random.default_rng(0).normal(0, 3, 2400) > 14).astype(int)
THIRD = np.digitize(VALUES, [12, 16])
TRAIN, OWN, NEW = slice(0, 400), slice(400, 1400), slice(1400, 2400)


def overfitted(kind=cr.NetworkClassifier, y=CLASSES, **settings):
    """Return a classifier that was trained until it is too certain, with its validation data."""
    settings = {
        "random_state": 0,
        "early_stopping": False,
        "alpha": 0.0,
        "numeric_bins": 0,
    } | settings
    settings = {"hidden_layer_sizes": (64,)} | settings
    model = kind(**settings)
    return model.fit(X[TRAIN], y[TRAIN], X_val=X[OWN], y_val=y[OWN], epochs=60)


@pytest.mark.parametrize("y", [CLASSES, THIRD], ids=["two", "three"])
def test_a_classifier_that_is_too_certain_gets_a_temperature_that_lowers_its_log_loss(y):
    plain, mended = overfitted(y=y, calibrate="off"), overfitted(y=y)
    assert plain.temperature_ == 1.0
    assert mended.temperature_ > 1.5
    np.testing.assert_array_equal(plain.predict(X[NEW]), mended.predict(X[NEW]))
    before, after = (log_loss(y[NEW], one.predict_proba(X[NEW])) for one in (plain, mended))
    assert after < 0.8 * before
    # Its weights are those without a temperature, divided by it in the output layer alone.
    expected = tempered(plain.network_, mended.temperature_)
    np.testing.assert_array_equal(mended.network_.parameters, expected.parameters)
    for one, other in zip(plain.coefs_[:-1], mended.coefs_[:-1], strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    "settings", [{"label_smoothing": 0.3}, {"loss": "focal", "focal_gamma": 3.0}], ids=str
)
def test_a_loss_that_makes_probabilities_too_even_gets_a_temperature_below_one(settings):
    sure = (VALUES > 14).astype(int)
    model = cr.NetworkClassifier(random_state=0, **settings)
    model.fit(X[:1400], sure[:1400], epochs=60)
    plain = clone(model).set_params(calibrate="off").fit(X[:1400], sure[:1400], epochs=60)
    assert model.temperature_ < 0.9
    before, after = (log_loss(sure[NEW], one.predict_proba(X[NEW])) for one in (plain, model))
    assert after < before


def test_a_temperature_is_that_of_the_weighted_validation_loss():
    weights = np.where(CLASSES[OWN] == 1, 5.0, 1.0)
    model = cr.NetworkClassifier(
        (64,), numeric_bins=0, random_state=0, early_stopping=False, alpha=0.0, calibrate="on"
    )
    model.fit(
        X[TRAIN], CLASSES[TRAIN], X_val=X[OWN], y_val=CLASSES[OWN], sample_weight_val=weights,
        epochs=60,
    )  # fmt: skip

    def loss(T):
        p = tempered(model.network_, T).predict(model._input_scale.scaled(X[OWN]))[:, 0]
        return log_loss(CLASSES[OWN], p, sample_weight=weights)

    assert loss(1.0) < min(loss(0.97), loss(1.03))


def test_a_temperature_does_not_depend_on_the_number_of_threads():
    found = {overfitted(threads=threads).network_.parameters.tobytes() for threads in (1, 2, 3)}
    assert len(found) == 1


def test_a_resumed_fit_has_the_bits_of_an_uninterrupted_one(tmp_path):
    class StopError(Exception):
        pass

    def stop(event):
        if getattr(event, "epoch", 0) == 9:
            raise StopError

    def fit(**settings):
        model = cr.NetworkClassifier(random_state=0, alpha=0.0, calibrate="on", **settings)
        return model, lambda **more: model.fit(X[:1400], CLASSES[:1400], epochs=40, **more)

    whole, run = fit()
    run()
    _, run = fit(callbacks=[stop])
    with pytest.raises(StopError):
        run(checkpoint=tmp_path / "c", every=3)
    resumed, run = fit()
    run(checkpoint=tmp_path / "c", every=3, resume=True)
    assert whole.temperature_ == resumed.temperature_ != 1.0
    np.testing.assert_array_equal(whole.network_.parameters, resumed.network_.parameters)
    np.testing.assert_array_equal(whole.predict_set(X[NEW]), resumed.predict_set(X[NEW]))


def test_on_without_validation_examples_is_an_error_that_says_where_they_come_from():
    with pytest.raises(InvalidArgumentError, match="calibrate: 'on' needs validation examples"):
        cr.NetworkClassifier(calibrate="on").fit(X[:50], CLASSES[:50])
    with pytest.raises(InvalidArgumentError, match="calibrate: 'on' needs validation examples"):
        cr.MLPClassifier(calibrate="on").fit(X, CLASSES)
    model = cr.MLPClassifier(calibrate="on", early_stopping=True, max_iter=3, random_state=0)
    assert model.fit(X, CLASSES).temperature_ != 1.0


def test_the_drop_in_classifier_has_no_temperature_unless_it_is_asked_for():
    model = cr.MLPClassifier(early_stopping=True, max_iter=3, random_state=0).fit(X, CLASSES)
    assert model.temperature_ == 1.0
    assert model.predict_set(X[:3]).shape == (3, 2)


def test_further_training_goes_on_from_the_weights_with_the_temperature_in_them():
    model = overfitted()
    before = [W.copy() for W in model.coefs_]
    model.set_params(warm_start=True, calibrate="off")
    model.fit(X[TRAIN], CLASSES[TRAIN], epochs=0)
    for one, other in zip(before, model.coefs_, strict=True):
        np.testing.assert_array_equal(one, other)
    model.partial_fit(X[TRAIN], CLASSES[TRAIN])
    assert model.temperature_ == 1.0
    with pytest.raises(InvalidArgumentError, match="partial_fit discards them"):
        model.predict_set(X[:2])


@pytest.mark.parametrize("coverage", [0.8, 0.9, 0.95])
def test_intervals_hold_the_share_of_new_values_that_was_asked_for(coverage):
    model = cr.NetworkRegressor(random_state=0).fit(
        X[TRAIN], VALUES[TRAIN], X_val=X[OWN], y_val=VALUES[OWN], epochs=40
    )
    interval = model.predict_interval(X[NEW], coverage)
    assert interval.shape == (1000, 2)
    assert interval.dtype == np.float64
    inside = (interval[:, 0] <= VALUES[NEW]) & (VALUES[NEW] <= interval[:, 1])
    # Four deviations of two samples of a thousand.
    assert abs(inside.mean() - coverage) < 4 * np.sqrt(2 * coverage * (1 - coverage) / 1000)
    # Worked by hand from the validation examples.
    q = np.sort(np.abs(VALUES[OWN] - model.predict(X[OWN]).astype(float)))
    q = q[int(np.ceil(round(1001 * coverage, 9))) - 1]
    middle = model.predict(X[NEW]).astype(np.float64)
    np.testing.assert_allclose(interval, np.column_stack([middle - q, middle + q]), rtol=1e-6)


@pytest.mark.parametrize("y", [CLASSES, THIRD], ids=["two", "three"])
@pytest.mark.parametrize("coverage", [0.6, 0.9, 0.95])
def test_sets_hold_the_share_of_new_classes_that_was_asked_for(y, coverage):
    model = cr.NetworkClassifier(random_state=0).fit(
        X[TRAIN], y[TRAIN], X_val=X[OWN], y_val=y[OWN], epochs=30
    )
    members = model.predict_set(X[NEW], coverage)
    assert members.dtype == bool
    assert members.shape == (1000, len(model.classes_))
    held = members[np.arange(1000), np.searchsorted(model.classes_, y[NEW])]
    # Also below the accuracy: some sets are empty there.
    assert abs(held.mean() - coverage) < 4 * np.sqrt(2 * coverage * (1 - coverage) / 1000)


def test_each_output_has_its_own_width():
    y = np.column_stack([VALUES, 1000 * VALUES])
    model = cr.NetworkRegressor(random_state=0).fit(X[:1400], y[:1400], epochs=20)
    interval = model.predict_interval(X[NEW])
    assert interval.shape == (1000, 2, 2)
    widths = (interval[..., 1] - interval[..., 0]).mean(axis=0)
    assert 300 < widths[1] / widths[0] < 3000


def test_intervals_of_counts_end_at_zero():
    counts = np.random.default_rng(0).poisson(np.exp(X[:, 0]))
    model = cr.NetworkRegressor("poisson", random_state=0).fit(X, counts, epochs=10)
    interval = model.predict_interval(X, 0.95)
    assert interval.min() == 0
    assert (interval[:, 0] <= model.predict(X)).all()


def test_mixed_targets_have_intervals_and_sets_by_name_and_a_temperature_for_each_class_target():
    y = pd.DataFrame({"kind": CLASSES, "value": VALUES, "third": THIRD})
    model = cr.NetworkMixed(
        targets={"kind": "class", "value": "value", "third": "class"}, random_state=0,
        early_stopping=False, alpha=0.0,
    )  # fmt: skip
    model.fit(X[TRAIN], y[TRAIN], X_val=X[OWN], y_val=y[OWN], epochs=80)
    assert set(model.temperature_) == {"kind", "third"}
    assert min(model.temperature_.values()) > 1.2
    intervals, sets = model.predict_interval(X[NEW]), model.predict_set(X[NEW])
    assert {name: one.shape for name, one in intervals.items()} == {"value": (1000, 2)}
    assert {name: one.shape for name, one in sets.items()} == {
        "kind": (1000, 2),
        "third": (1000, 3),
    }
    inside = (intervals["value"][:, 0] <= VALUES[NEW]) & (VALUES[NEW] <= intervals["value"][:, 1])
    for held in (inside, sets["third"][np.arange(1000), THIRD[NEW]]):
        assert abs(held.mean() - 0.9) < 0.055


def test_examples_of_weight_zero_are_no_calibration_examples():
    weights = np.r_[np.ones(500), np.zeros(500)]
    model = cr.NetworkRegressor(random_state=0).fit(
        X[TRAIN], VALUES[TRAIN], X_val=X[OWN], y_val=np.r_[VALUES[OWN][:500], np.full(500, 1e6)],
        sample_weight_val=weights, epochs=5,
    )  # fmt: skip
    assert model._conformal[None].rows == 500
    assert np.diff(model.predict_interval(X[:1], 0.99)) < 100


def test_intervals_and_sets_survive_pickling_cloning_and_a_file(tmp_path):
    for model, method in (
        (overfitted(), "predict_set"),
        (cr.NetworkRegressor(random_state=0).fit(X, VALUES, epochs=3), "predict_interval"),
    ):
        expected = getattr(model, method)(X[NEW])
        for again in (
            pickle.loads(pickle.dumps(model)),
            (model.save(tmp_path / "m.safetensors"), cr.load(tmp_path / "m.safetensors"))[1],
        ):
            np.testing.assert_array_equal(getattr(again, method)(X[NEW]), expected)
            assert getattr(again, "temperature_", 1) == getattr(model, "temperature_", 1)


def test_sets_of_tables_take_tables():
    table = pd.DataFrame(X, columns=[f"x{i}" for i in range(X.shape[1])])
    table["word"] = np.where(X[:, 0] > 0.5, "high", "low")
    model = cr.NetworkClassifier(random_state=0).fit(table[:1400], CLASSES[:1400], epochs=5)
    members = model.predict_set(table[1400:])
    np.testing.assert_array_equal(model.predict_set(table[1400:][table.columns[::-1]]), members)
    found = cr.TableModel.from_estimator(model).predict(table[1400:], interval=0.9)
    sets = found["prediction_set"].to_list()
    np.testing.assert_array_equal([[c in one for c in (0, 1)] for one in sets], members)


def test_what_has_no_sets_or_intervals_says_why():
    Z, labels = make_multilabel_classification(400, random_state=0)
    model = cr.NetworkClassifier(random_state=0).fit(Z, labels, epochs=1)
    with pytest.raises(InvalidArgumentError, match="expected mutually exclusive classes"):
        model.predict_set(Z)
    few = cr.NetworkRegressor(random_state=0).fit(X[:100], VALUES[:100], epochs=1)
    with pytest.raises(
        InvalidArgumentError, match="coverage: expected an estimator fitted with valid"
    ):
        few.predict_interval(X)
    some = cr.NetworkRegressor(random_state=0).fit(X[:200], VALUES[:200], epochs=1)
    with pytest.raises(InvalidArgumentError, match=r"0\.99 needs at least 99 validation rows"):
        some.predict_interval(X, 0.99)
    with pytest.raises(InvalidArgumentError, match="coverage: expected a share between 0 and 1"):
        some.predict_interval(X, 90)


def test_a_single_class_is_in_every_set():
    model = cr.NetworkClassifier(random_state=0).fit(X, np.zeros(len(X)), epochs=1)
    assert model.predict_set(X[:2]).tolist() == [[True], [True]]


def test_multilabel_targets_share_one_temperature():
    Z, labels = make_multilabel_classification(1500, n_features=10, random_state=0)
    model = cr.NetworkClassifier(random_state=0, early_stopping=False, alpha=0.0)
    model.fit(Z[:300], labels[:300], X_val=Z[300:], y_val=labels[300:], epochs=100)
    assert model.temperature_ > 1.2


def test_many_classes_with_few_validation_examples_are_no_trouble():
    Z, y = make_classification(
        240, n_features=20, n_informative=15, n_classes=12, n_clusters_per_class=1, random_state=0
    )
    model = cr.NetworkClassifier(random_state=0).fit(Z, y, epochs=5)
    assert model.predict_set(Z, 0.8).shape == (240, 12)
