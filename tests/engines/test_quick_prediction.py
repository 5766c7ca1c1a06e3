"""The short way to a prediction, which looks at the array itself, beside the usual one."""

import copy
import pickle

import numpy as np
import pytest

import chainrule as cr
from chainrule.engines import engine_named, extension, quick_predictor
from chainrule.errors import InvalidArgumentError

pytestmark = pytest.mark.skipif(extension.native is None, reason="there is no compiled core")


def network(dtype="float32"):
    layers = [7, cr.Dense(33, "tanh"), cr.Dense(5), cr.Dense(3, "softmax")]
    return cr.Network(layers, cost="cross_entropy", seed=0, dtype=dtype)


def inputs(m, dtype="float32"):
    return np.random.default_rng(m).standard_normal((m, 7)).astype(dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("m", [1, 2, 7, 8, 9, 16, 17, 64, 1000, 50_000])
def test_the_short_way_gives_the_usual_way_s_bits(m, dtype):
    net, X = network(dtype), inputs(m, dtype)
    usual = np.empty((m, 3), dtype)
    engine_named("native").forward(net.spec, net.parameters, X, usual)
    quick = quick_predictor(net.spec)(net.parameters, X)
    assert quick is not None
    assert quick.dtype == dtype
    assert quick.flags.c_contiguous
    np.testing.assert_array_equal(quick, usual)
    np.testing.assert_array_equal(net.predict(X), usual)


class Own(np.ndarray):
    """A kind of array that may mean something else by its numbers."""


READABLE = {
    "a list": lambda X: X.tolist(),
    "columns": np.asfortranarray,
    "every other row": lambda X: np.repeat(X, 2, axis=0)[::2],
    "float64": lambda X: X.astype(np.float64),
    "other bytes": lambda X: X.astype(">f4"),
    "a kind of array": lambda X: X.view(Own),
}


@pytest.mark.parametrize("change", READABLE.values(), ids=READABLE)
def test_what_the_short_way_does_not_take_goes_the_usual_way(change):
    net, X = network(), inputs(20)
    assert quick_predictor(net.spec)(net.parameters, change(X)) is None
    np.testing.assert_array_equal(net.predict(change(X)), net.predict(X))


def test_read_only_arrays_and_memory_maps_are_read_as_they_are(tmp_path):
    net, X = network(), inputs(20)
    expected = net.predict(X)
    np.save(tmp_path / "X.npy", X)
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    X.flags.writeable = False
    np.testing.assert_array_equal(net.predict(X), expected)
    np.testing.assert_array_equal(net.predict(mapped), expected)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("m", [1, 9, 1000])
def test_a_number_that_is_not_finite_is_refused_wherever_it_stands(value, m):
    net = network()
    for row, column in ((0, 0), (m // 2, 3), (m - 1, 6)):
        X = inputs(m)
        X[row, column] = value
        with pytest.raises(InvalidArgumentError, match=rf"^X: .*at row {row}, column {column} "):
            net.predict(X)


@pytest.mark.parametrize("shape", [(7,), (3, 6), (3, 8), (0, 7), (1, 3, 7)])
def test_wrong_shapes_are_refused_by_name(shape):
    net = network()
    net.predict(inputs(1))
    with pytest.raises(InvalidArgumentError, match=r"^X: expected"):
        net.predict(np.zeros(shape, np.float32))


def test_the_largest_numbers_of_float32_are_finite_inputs():
    assert np.isfinite(network().predict(np.full((3, 7), 3e38, np.float32))).all()


@pytest.mark.parametrize("again", [copy.deepcopy, lambda net: pickle.loads(pickle.dumps(net))])
def test_a_network_that_has_predicted_can_be_copied_and_pickled(again):
    net, X = network(), inputs(5)
    expected = net.predict(X)
    np.testing.assert_array_equal(again(net).predict(X), expected)
