"""What a `Network` does with arrays that nobody should hand it, and with sound ones in disguise."""

import warnings

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import InvalidArgumentError
from tests.bad_input.arrays import SAME, WRONG

RANDOM = np.random.default_rng(0)
X = RANDOM.standard_normal((40, 3)).astype(np.float32)
VALUES = RANDOM.standard_normal((40, 2)).astype(np.float32)
CLASSES = RANDOM.integers(0, 3, 40)
WEIGHTS = RANDOM.uniform(0.5, 2, 40).astype(np.float32)


def regressor() -> cr.Network:
    return cr.Network([3, cr.Dense(4, "tanh"), cr.Dense(2, "identity")], cost="mse", seed=0)


def classifier() -> cr.Network:
    layers = [3, cr.Dense(4, "tanh"), cr.Dense(3, "softmax")]
    return cr.Network(layers, cost="cross_entropy", seed=0)


def trained(net: cr.Network, X, Y, **settings) -> np.ndarray:
    net.fit(X, Y, epochs=2, batch_size=8, **settings)
    return net.parameters


@pytest.mark.parametrize("name", SAME)
def test_numbers_in_any_clothes_train_to_the_same_bits(name):
    other = SAME[name]
    expected = trained(regressor(), X, VALUES, sample_weight=WEIGHTS)
    np.testing.assert_array_equal(
        trained(regressor(), other(X), other(VALUES)), trained(regressor(), X, VALUES)
    )
    weights = other(WEIGHTS[:, None])
    weights = weights[0].to_numpy() if name == "a pandas table" else np.ma.asarray(weights)[:, 0]
    if name == "objects that are numbers":
        weights = weights.data
    got = trained(regressor(), other(X), other(VALUES), sample_weight=weights)
    np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize("name", SAME)
def test_numbers_in_any_clothes_predict_and_cost_the_same_bits(name):
    net, other = regressor(), SAME[name]
    np.testing.assert_array_equal(net.predict(other(X)), net.predict(X))
    assert net.loss(other(X), other(VALUES)) == net.loss(X, VALUES)


@pytest.mark.parametrize("name", WRONG)
@pytest.mark.parametrize("call", ["fit", "predict", "loss", "trace", "check_gradients"])
def test_inputs_that_mean_nothing_are_refused_and_change_nothing(name, call):
    make, words = WRONG[name]
    net = regressor()
    before = net.parameters.copy()
    arguments = (make(X),) if call == "predict" else (make(X), VALUES)
    with pytest.raises(InvalidArgumentError, match=rf"(?s)^X: .*({words})"):
        getattr(net, call)(*arguments)
    np.testing.assert_array_equal(net.parameters, before)


@pytest.mark.parametrize("name", WRONG)
def test_targets_that_mean_nothing_are_refused_and_change_nothing(name):
    make, _ = WRONG[name]
    net = regressor()
    before = net.parameters.copy()
    with pytest.raises(InvalidArgumentError, match=r"^Y: "):
        net.fit(X, make(VALUES))
    with pytest.raises(InvalidArgumentError, match=r"^validation_data\[1\]: "):
        net.fit(X, VALUES, validation_data=(X, make(VALUES)))
    with pytest.raises(InvalidArgumentError, match=r"^validation_data\[0\]: "):
        net.fit(X, VALUES, validation_data=(make(X), VALUES))
    np.testing.assert_array_equal(net.parameters, before)


WRONG_CLASSES = {
    "one too high": [0, 3],
    "negative": [0, -1],
    "a half": [0, 0.5],
    "NaN": [0, np.nan],
    "infinite": [0, np.inf],
    "far beyond 32 bits": [0, 1e300],
    "beyond 2⁵³": np.array([0, 2**53 + 1]),
    "wraps to 0 in 32 bits": np.array([0, 2**32]),
    "wraps to 0 in 64 bits": np.array([0, 2**64 - 1], np.uint64),
    "texts": ["0", "1"],
    "truth among objects": np.array([0, None], object),
    "complex": [0, 1j],
    "masked": np.ma.masked_equal([0, 1], 1),
    "too few": [0],
    "a number": 1,
}


@pytest.mark.parametrize("name", WRONG_CLASSES)
def test_classes_that_the_network_has_not_got_are_refused(name):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(InvalidArgumentError, match=r"^Y: "):
            classifier().fit(X[:2], WRONG_CLASSES[name])


def test_one_class_alone_can_be_learned():
    net = classifier()
    net.fit(X, np.zeros(40, int), epochs=50, batch_size=40, optimizer=cr.Adam(0.05))
    assert (net.predict(X).argmax(axis=1) == 0).all()


def test_one_row_can_be_learned():
    net = regressor()
    net.fit(X[:1], VALUES[:1], epochs=300, optimizer=cr.Adam(0.02))
    np.testing.assert_allclose(net.predict(X[:1]), VALUES[:1], atol=1e-2)


def test_a_million_classes_can_be_trained_and_told():
    net = cr.Network([1, cr.Dense(10**6, "softmax")], cost="cross_entropy", seed=0)
    net.fit([[1.0]], [999_999], epochs=1, optimizer=cr.SGD(100.0))
    assert net.predict([[1.0]]).argmax() == 999_999


def test_whole_numbers_beyond_2_53_are_the_nearest_floats():
    large = np.array([[2**53 + 1], [2**63 - 1], [-(2**60)]])
    net = cr.Network([1, cr.Dense(1, "identity")], cost="mse", seed=0, dtype="float64")
    np.testing.assert_array_equal(net.predict(large), net.predict(large.astype(np.float64)))


WRONG_WEIGHTS = {
    "negative": np.r_[WEIGHTS[:-1], -1],
    "all zero": np.zeros(40),
    "NaN": np.r_[WEIGHTS[:-1], np.nan],
    "infinite": np.r_[WEIGHTS[:-1], np.inf],
    "too large for float32": np.full(40, 1e300),
    "with a sum too large for float32": np.full(40, 3e38),
    "too few": WEIGHTS[:-1],
    "a column": WEIGHTS[:, None],
    "a number": 1.0,
    "texts": np.full(40, "1"),
    "complex": WEIGHTS + 0j,
    "masked": np.ma.masked_less(WEIGHTS, 1),
}


@pytest.mark.parametrize("name", WRONG_WEIGHTS)
def test_weights_that_mean_nothing_are_refused(name):
    net = regressor()
    before = net.parameters.copy()
    with pytest.raises(InvalidArgumentError, match=r"^sample_weight: "):
        net.fit(X, VALUES, sample_weight=WRONG_WEIGHTS[name])
    with pytest.raises(InvalidArgumentError, match=r"^sample_weight: "):
        net.loss(X, VALUES, sample_weight=WRONG_WEIGHTS[name])
    np.testing.assert_array_equal(net.parameters, before)


@pytest.mark.parametrize("scale", [1e-37, 1e36])
def test_weights_of_any_scale_train_alike(scale):
    expected = trained(regressor(), X, VALUES, sample_weight=WEIGHTS, engine="reference")
    for engine in ("reference", "auto"):
        got = trained(regressor(), X, VALUES, sample_weight=WEIGHTS * scale, engine=engine)
        np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-5)
