"""Temperature scaling: scikit-learn finds the same T, and it is applied where it pays."""

import warnings

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator

import chainrule as cr
from chainrule.engines import engine_named
from chainrule.engines.base import Examples
from chainrule.equations.fused_pairs import softmax_cross_entropy
from chainrule.equations.temperature import tempered_softmax
from chainrule.model.temperature import (
    HIGHEST,
    LOWEST,
    calibrate,
    fitted_temperature,
    fold,
    pre_activations,
    tempered,
)
from tests.engine_names import ENGINES


def drawn(T, rows=3000, classes=3, seed=0):
    """Draw pre-activations, and targets for which T makes them calibrated."""
    random = np.random.default_rng(seed)
    Z = random.normal(0, 3, (classes, rows))
    odds = np.exp(Z / T)
    chosen = (random.uniform(size=rows) < (odds / odds.sum(axis=0)).cumsum(axis=0)).argmax(axis=0)
    return Z, np.eye(classes)[chosen].T


@pytest.mark.parametrize("T", [0.4, 1.0, 2.5])
def test_the_temperature_of_drawn_targets_is_found(T):
    found = fitted_temperature(*drawn(T))
    # Five standard errors: 1/√(m · E variance of z), here below 0.02 T.
    assert abs(found.fitted / T - 1) < 0.1
    assert found.applied == (T != 1.0)
    assert found.after <= found.before


class _Frozen(ClassifierMixin, BaseEstimator):
    """A fitted classifier whose scores are its inputs."""

    def __init__(self, classes):
        self.classes = classes
        self.classes_ = np.arange(classes)

    def fit(self, X, y):
        return self

    def __sklearn_is_fitted__(self):
        return True

    def decision_function(self, X):
        # Of two classes, scikit-learn takes −x and x for the pre-activations.
        return X[:, 0] / 2 if self.classes == 2 else X

    def predict(self, X):
        return X.argmax(axis=1)


@pytest.mark.parametrize("classes", [2, 4])
@pytest.mark.parametrize("weighted", [False, True])
def test_the_temperature_is_scikit_learns(classes, weighted):
    Z, Y = drawn(1.8, 800, classes, seed=classes)
    weights = np.random.default_rng(1).uniform(0.1, 3, 800) if weighted else None
    output = "softmax"
    if classes == 2:
        Z, Y, output = Z[1:] - Z[:1], Y[1:], "sigmoid"
    own = fitted_temperature(Z, Y, output, weights, "on").value
    X = Z.T
    theirs = CalibratedClassifierCV(FrozenEstimator(_Frozen(classes)), method="temperature")
    true = Y[0].astype(int) if classes == 2 else Y.argmax(axis=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that the frozen classifier takes no weights
        theirs.fit(X, true, sample_weight=weights)
    (one,) = {c.calibrators[0].beta_ for c in theirs.calibrated_classifiers_}
    # Its own search ends at this accuracy.
    assert own == pytest.approx(1 / one, rel=1e-4)


def test_no_temperature_within_the_limits_has_a_lower_log_loss():
    for seed in range(60):
        random = np.random.default_rng(seed)
        classes, rows = random.integers(2, 6), random.integers(1, 60)
        Z = random.normal(0, 10 ** random.uniform(-2, 2), (classes, rows))
        odds = Z / 10 ** random.uniform(-1, 1) + random.gumbel(size=Z.shape)
        Y = np.eye(classes)[odds.argmax(axis=0)].T
        loss = lambda beta: float(np.mean(softmax_cross_entropy(Z * beta, Y)))  # noqa: B023, E731
        search = minimize_scalar(loss, bounds=(1 / HIGHEST, 1 / LOWEST), method="bounded")
        lowest = min(search.fun, loss(1 / HIGHEST), loss(1 / LOWEST))
        if lowest == loss(1 / LOWEST):
            continue  # see the next test
        assert fitted_temperature(Z, Y, mode="on").after <= lowest + 1e-12 * (1 + lowest)


@pytest.mark.parametrize("rows", [30, 200, 20_000])
@pytest.mark.parametrize("weight", [1.0, 7.0])
def test_rows_that_are_all_right_say_that_errors_are_rarer_than_one_in_as_many(rows, weight):
    # All margins are equal, so that the probability of the true class is that of the targets.
    Z = 4.0 * np.eye(3)[np.arange(rows) % 3].T
    Y = (Z > 0).astype(float)
    found = fitted_temperature(Z, Y, weights=np.full(rows, weight), mode="on")
    assert found.fitted > LOWEST
    A = tempered_softmax(Z, found.value)
    np.testing.assert_allclose(A[Y == 1], (rows + 1) / (rows + 2), rtol=1e-9)
    # 24 of 30 rows ask for T > 1, which does not pay on the others.
    expected = found.value if rows > 30 else 1.0
    assert fitted_temperature(Z, Y).value == pytest.approx(expected, rel=1e-9)


def test_a_single_output_that_is_always_right_has_the_temperature_of_smoothed_targets():
    Z = np.tile([[-1.0, 1.0]], 30)
    found = fitted_temperature(Z, (Z > 0).astype(float), "sigmoid", mode="on")
    assert 1 / (1 + np.exp(-1 / found.value)) == pytest.approx(61 / 62)


def test_rows_that_are_all_wrong_have_the_highest_temperature():
    Z, _ = drawn(1.0, 200)
    Y = np.eye(3)[Z.argmin(axis=0)].T
    assert fitted_temperature(Z, Y).value == HIGHEST


@pytest.mark.parametrize("rows", [1, 2, 5, 19])
def test_few_rows_leave_the_network_as_it_is(rows):
    Z, Y = drawn(5.0, rows)
    assert fitted_temperature(Z, Y).value == 1.0
    assert LOWEST <= fitted_temperature(Z, Y, mode="on").value <= HIGHEST


def test_a_class_without_a_validation_row_is_no_trouble():
    Z, Y = drawn(2.0, 500)
    kept = Y[2] == 0
    found = fitted_temperature(Z[:, kept], Y[:, kept])
    assert LOWEST < found.value < HIGHEST


def test_equal_pre_activations_have_no_temperature():
    Z, Y = np.zeros((3, 100)), np.eye(3)[np.arange(100) % 3].T
    assert fitted_temperature(Z, Y).value == 1.0


def test_a_weight_of_two_is_the_row_twice_and_one_of_zero_is_no_row():
    Z, Y = drawn(2.0, 90)
    weights = np.repeat([0.0, 1.0, 2.0], 30)
    rows = np.repeat(np.arange(90), weights.astype(int))
    own = fitted_temperature(Z, Y, weights=weights)
    twice = fitted_temperature(Z[:, rows], Y[:, rows], mode="on")
    assert own.fitted == pytest.approx(twice.fitted, rel=1e-10)
    assert own.before == pytest.approx(twice.before, rel=1e-12)
    assert own.rows == 60


def test_a_gain_within_its_standard_error_does_not_count():
    # Many draws of calibrated rows: by chance, a seventh of them gains more than that.
    found = [fitted_temperature(*drawn(1.0, 100, seed=seed)) for seed in range(60)]
    assert all((one.gain > one.error) == one.applied for one in found)
    assert sum(one.applied for one in found) < 20


def network(output="softmax", units=3, dtype="float32"):
    cost = {"softmax": "cross_entropy", "sigmoid": "binary_cross_entropy"}[output]
    layers = [4, cr.Dense(5, "tanh"), cr.Dense(units, output)]
    net = cr.Network(layers, cost, seed=1, dtype=dtype)
    net.parameters *= 3
    return net


INPUTS = np.random.default_rng(4).normal(size=(400, 4)).astype(np.float32)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("output", "units"), [("softmax", 3), ("sigmoid", 1)])
def test_a_folded_temperature_divides_the_pre_activations(engine, output, units):
    net = network(output, units, "float64")
    X = INPUTS.astype(np.float64)
    before = pre_activations(net, X, engine_named(engine))
    W, b = net.weights[0], net.biases[0]
    hidden = np.tanh(X @ W.T + b)
    np.testing.assert_allclose(before, hidden @ net.weights[1].T + net.biases[1], atol=1e-13)
    fold(net, 2.5)
    found = pre_activations(net, X, engine_named(engine))
    np.testing.assert_allclose(found, before / 2.5, rtol=1e-12, atol=1e-14)


def test_a_folded_temperature_is_undone_by_its_inverse():
    net = network()
    cooled = tempered(net, 0.7)
    assert not np.array_equal(cooled.parameters, net.parameters)
    again = tempered(cooled, 1 / 0.7)
    np.testing.assert_allclose(again.predict(INPUTS), net.predict(INPUTS), atol=1e-6)


def test_the_validation_loss_of_a_calibrated_network_is_the_lowest_that_a_temperature_reaches():
    net = network()
    cumulated = tempered(net, 2.0).predict(INPUTS).cumsum(axis=1)
    y = (np.random.default_rng(0).uniform(size=(400, 1)) > cumulated).sum(axis=1)
    rows = Examples(INPUTS, y.astype(np.int32))
    (found,) = calibrate(net, rows, engine_named("auto"), "on")
    assert net.loss(INPUTS, y) == pytest.approx(found.after, rel=1e-5)
    for T in (0.9, 1.1):
        assert tempered(net, T).loss(INPUTS, y) > found.after


def test_only_heads_of_classes_have_a_temperature():
    layers = [4, cr.Dense(6, "heads(softmax:3, identity:1, sigmoid:2)")]
    cost = "heads(cross_entropy:3, mse:1, binary_cross_entropy:2)"
    net = cr.Network(layers, cost, seed=0)
    net.parameters *= 4
    before = net.parameters.copy()
    random = np.random.default_rng(0)
    Y = np.hstack(
        [
            np.eye(3)[random.integers(0, 3, 400)],
            random.normal(size=(400, 1)),
            random.integers(0, 2, (400, 2)),
        ]
    ).astype(np.float32)
    first, none, last = calibrate(net, Examples(INPUTS, Y), engine_named("auto"), "on")
    assert none is None
    assert first.value > 1 < last.value
    W, old = net.weights[0], before[: 6 * 4].reshape(6, 4)
    np.testing.assert_array_equal(W[3], old[3])
    np.testing.assert_allclose(W[:3], old[:3] / first.value, rtol=1e-6)
    np.testing.assert_allclose(W[4:], old[4:] / last.value, rtol=1e-6)


def test_off_changes_nothing():
    net = network()
    before = net.parameters.copy()
    rows = Examples(INPUTS, np.zeros(400, np.int32))
    assert calibrate(net, rows, engine_named("auto"), "off") == [None]
    np.testing.assert_array_equal(net.parameters, before)


def test_weights_out_of_range_have_no_temperature():
    net = network()
    net.parameters[:] = 3e38
    rows = Examples(INPUTS, np.zeros(400, np.int32))
    assert calibrate(net, rows, engine_named("auto"), "on") == [None]


def test_validation_rows_of_weight_zero_have_no_temperature():
    rows = Examples(INPUTS, np.zeros(400, np.int32), np.zeros(400, np.float32))
    assert calibrate(network(), rows, engine_named("auto"), "on") == [None]


def test_a_temperature_does_not_depend_on_the_number_of_threads():
    y = np.random.default_rng(0).integers(0, 3, 400).astype(np.int32)
    found = []
    for threads in (1, 2, 5):
        net = network()
        calibrate(net, Examples(INPUTS, y), engine_named("auto", threads), "on")
        found.append(net.parameters.tobytes())
    assert len(set(found)) == 1
