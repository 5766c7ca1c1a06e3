"""Numbers beyond the range of the type that a network computes in, and below it."""

import warnings
from functools import cache

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.metrics import r2_score

import chainrule as cr
from chainrule import (
    MLPClassifier,
    MLPRegressor,
    NetworkClassifier,
    NetworkMixed,
    NetworkRegressor,
)

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore::chainrule.TrainingDiagnosisWarning"),
]

X = np.random.default_rng(0).standard_normal((240, 3))
SIGNAL = X[:, 0] + 0.3
UNITS = [1e39, 1e200, 1e307, 1e-39, 1e-50, 1e-200, 1e-300]
SCALED = {
    "Network": NetworkRegressor(max_iter=20, random_state=0),
    "Network, early": NetworkRegressor(max_iter=20, early_stopping=True, random_state=0),
    # (An iteration is over all layers and rows: small ones take a tenth of the time.)
    "Network, lbfgs": NetworkRegressor(
        hidden_layer_sizes=(32, 32), max_iter=20, solver="lbfgs", random_state=0
    ),
    "Network, quantile": NetworkRegressor("quantile", max_iter=20, random_state=0),
    "MLP, float32": MLPRegressor(
        standardize_target=True,
        dtype="float32",
        learning_rate_init=0.01,
        max_iter=30,
        random_state=0,
    ),
    "MLP, float64": MLPRegressor(
        standardize_target=True, learning_rate_init=0.01, max_iter=30, random_state=0
    ),
    "Mixed": NetworkMixed("value", max_iter=20, random_state=0),
}


@cache
def plain_answers(name):
    """Return what a model of the target in its own unit predicts."""
    return clone(SCALED[name]).fit(X, SIGNAL).predict(X)


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("name", SCALED)
def test_a_standardised_target_of_any_size_is_learned_as_the_same_in_another_unit(name, unit):
    y = SIGNAL * unit
    model = clone(SCALED[name]).fit(X, y)
    found = model.predict(X)
    assert found.dtype == np.float64
    np.testing.assert_allclose(found / unit, plain_answers(name), rtol=1e-3, atol=2e-3)
    assert 0.8 < model.score(X, y) < 1
    np.testing.assert_allclose(
        model.score(X, y), r2_score(y / unit, found / unit), rtol=1e-9, atol=1e-9
    )


def test_a_target_across_all_of_float64_is_predicted():
    y = np.clip(SIGNAL, -1, 1) * 1.7e308
    model = NetworkRegressor(max_iter=20, early_stopping=False, random_state=0).fit(X, y)
    assert r2_score(y / 1e308, model.predict(X) / 1e308) > 0.8
    assert np.isfinite(model.predict(X * 10)).all()
    assert model.score(X, y) > 0.8


def test_an_answer_beyond_float32_from_inputs_far_away_is_no_infinity():
    model = NetworkRegressor("quantile", hidden_layer_sizes=(), max_iter=20, random_state=0)
    model.fit(X, SIGNAL * 1e34)
    assert model.predict(X).dtype == np.float32
    far = model.predict(X * 1e6)
    assert np.isfinite(far).all()
    assert abs(far).max() > np.finfo(np.float32).max


@pytest.mark.parametrize("y", [np.full(240, 1e39), np.full(240, -3e300), np.full(240, 1e9 + 1)])
def test_a_constant_beyond_float32_is_predicted(y):
    model = NetworkRegressor(max_iter=5, random_state=0).fit(X, y)
    np.testing.assert_allclose(model.predict(X), y, rtol=1e-6)


def test_values_far_from_zero_keep_their_digits():
    y = 1.7e9 + 100 * SIGNAL  # seconds since 1970, which float32 rounds to 128
    model = NetworkRegressor(max_iter=40, random_state=0).fit(X, y)
    assert model.predict(X).dtype == np.float64
    assert np.sqrt(np.mean((model.predict(X) - y) ** 2)) < 30


def test_ordinary_values_come_in_the_network_s_type():
    assert NetworkRegressor(max_iter=1).fit(X, SIGNAL * 1e4 + 2e4).predict(X).dtype == np.float32


def test_outputs_of_very_different_sizes_are_all_learned():
    Y = np.column_stack([SIGNAL * 1e200, SIGNAL, X[:, 1] * 1e-200])
    model = NetworkRegressor(max_iter=60, random_state=0).fit(X, Y)
    found = model.predict(X)
    units = np.array([1e200, 1, 1e-200])
    assert (r2_score(Y / units, found / units, multioutput="raw_values") > 0.8).all()
    assert model.score(X, Y) > 0.8
    mixed = NetworkMixed(["value"] * 3, max_iter=60, random_state=0).fit(X, Y)
    assert min(mixed.target_scores(X, Y).values()) > 0.8


@pytest.mark.parametrize("unit", [1e39, 1e-310])
def test_huber_s_delta_may_be_far_from_the_target_s_unit(unit):
    model = NetworkRegressor("huber", max_iter=3, random_state=0).fit(X, SIGNAL * unit)
    assert np.isfinite(model.predict(X)).all()


def test_a_target_that_is_not_scaled_and_beyond_the_network_s_type_is_refused_with_its_row():
    y = SIGNAL.copy()
    y[17] = -1e39
    for model in (MLPRegressor(dtype="float32"), NetworkRegressor(standardize_target=False)):
        with pytest.raises(cr.InvalidArgumentError, match=r"^y: .*float32.*got -1e\+39 at row 17 "):
            model.fit(X, y)
    with pytest.raises(cr.InvalidArgumentError, match=r"^y: .*got 1e\+39 at row 17 .*'poisson'"):
        NetworkRegressor("poisson").fit(X, abs(y))
    with pytest.raises(cr.InvalidArgumentError, match=r"^y: .*at row 17, column 1 "):
        MLPRegressor(dtype="float32").fit(X, np.column_stack([X[:, 0], y]))
    with pytest.raises(cr.InvalidArgumentError, match=r"^y_val: .*got -1e\+39 at row 17 "):
        MLPRegressor(dtype="float32").fit(X, SIGNAL, X_val=X, y_val=y)


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_a_loss_beyond_float64_is_an_error(solver):
    with pytest.raises(cr.TrainingDivergedError, match="large values"):
        MLPRegressor(solver=solver, max_iter=5).fit(X, SIGNAL * 1e200)


FOUR = {
    "MLPClassifier": (MLPClassifier(dtype="float32"), SIGNAL > 0),
    "MLPRegressor": (MLPRegressor(dtype="float32"), SIGNAL),
    "NetworkClassifier": (NetworkClassifier(standardize=False), SIGNAL > 0),
    "NetworkMixed": (NetworkMixed("value", standardize=False), SIGNAL),
}


@pytest.mark.parametrize("name", FOUR)
def test_inputs_beyond_the_network_s_type_are_refused_with_their_place(name):
    model, y = FOUR[name]
    model.set_params(max_iter=2)
    wide = X.copy()
    wide[5, 2] = 1e39
    message = r"^{}: .*float32.*got 1e\+39 at row 5, column 2 .*standardize=True"
    with pytest.raises(cr.InvalidArgumentError, match=message.format("X")):
        model.fit(wide, y)
    model.fit(X, y)
    with pytest.raises(cr.InvalidArgumentError, match=message.format("X")):
        model.predict(wide)
    with pytest.raises(cr.InvalidArgumentError, match=message.format("X_val")):
        model.fit(X, y, X_val=wide, y_val=y)


def test_inputs_too_far_from_the_training_s_are_refused_with_their_place():
    model = NetworkRegressor(max_iter=2).fit(X, SIGNAL)
    wide = X.copy()
    wide[5, 2] = 1e300
    with pytest.raises(
        cr.InvalidArgumentError, match=r"^X: .*1e\+300 at row 5, column 2 .*too far from"
    ):
        model.predict(wide)


def test_standardised_inputs_beyond_float32_are_learned():
    model = NetworkRegressor(max_iter=20, random_state=0)
    assert model.fit(X * [1e200, 1e-200, 1], SIGNAL).score(X * [1e200, 1e-200, 1], SIGNAL) > 0.8


@pytest.mark.parametrize("name", FOUR)
def test_outputs_that_are_not_finite_are_an_error_and_no_class_or_value(name):
    model, y = FOUR[name]
    model.set_params(max_iter=2).fit(X, y)
    model.network_.parameters *= 1000
    wide = X / 1000
    wide[[5, 9]] = 3e38, -3e38, 3e38
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(cr.InvalidArgumentError, match=r"^X: .*float32; got row 5, .*3e\+38"):
            model.predict(wide)


def test_weights_beyond_the_network_s_type_are_refused():
    weights = np.full(240, 1e38)
    with pytest.raises(cr.InvalidArgumentError, match=r"^sample_weight: .*float32.*Divide them"):
        NetworkRegressor().fit(X, SIGNAL, weights)
    with pytest.raises(cr.InvalidArgumentError, match=r"^sample_weight_val: .*Divide them"):
        NetworkRegressor().fit(X, SIGNAL, X_val=X, y_val=SIGNAL, sample_weight_val=weights)
    # (Their sum is finite in float64, in which small tables are trained.)
    NetworkRegressor(dtype="float64", max_iter=1).fit(X, SIGNAL, weights)


@pytest.mark.parametrize("suffix", ["py", "c", "onnx"])
def test_an_export_of_a_model_of_such_values_is_made(suffix, tmp_path):
    model = NetworkRegressor(max_iter=5, random_state=0).fit(X, SIGNAL * 1e39)
    cr.export(model, tmp_path / f"model.{suffix}")


def test_scikit_learn_s_estimator_of_it_predicts_the_same():
    model = NetworkRegressor(activation="relu", numeric_bins=0, max_iter=5, random_state=0)
    model.fit(X, SIGNAL * 1e39)
    np.testing.assert_allclose(
        model.to_sklearn().predict(X) / 1e39, model.predict(X) / 1e39, rtol=1e-3, atol=1e-3
    )
