"""Networks whose parameters lie in memory that is not theirs alone."""

import pickle

import numpy as np
import pytest

import chainrule as cr
from tests.engine_names import ENGINES

X = np.random.default_rng(0).standard_normal((40, 3))
Y = X[:, :1] - X[:, 1:2]


def _network():
    return cr.Network([3, cr.Dense(4, "tanh"), cr.Dense(1, "identity")], cost="mse", seed=0)


def _frozen(network):
    parameters = network.parameters.copy()
    parameters.flags.writeable = False
    return cr.Network.from_parameters(network.spec, parameters, seed=network.seed)


def _with_buffers(network):
    """As a process pool hands it over: its arrays are views of bytes, which nobody may change."""
    buffers = []
    data = pickle.dumps(network, protocol=5, buffer_callback=buffers.append)
    return pickle.loads(data, buffers=[bytes(each) for each in buffers])


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("handed_over", [_frozen, _with_buffers])
def test_a_network_that_cannot_be_written_to_trains_on_a_copy(handed_over, engine):
    plain, network = _network(), handed_over(_network())
    before = network.parameters
    assert not before.flags.writeable
    bits = before.tobytes()
    for each in (plain, network):
        each.fit(X, Y, epochs=3, engine=engine)
    np.testing.assert_array_equal(network.parameters, plain.parameters)
    np.testing.assert_array_equal(network.predict(X), plain.predict(X))
    assert before.tobytes() == bits


def test_a_network_that_cannot_be_written_to_is_read_where_it_lies():
    network = _frozen(_network())
    before = network.parameters
    network.predict(X)
    network.loss(X, Y)
    network.trace(X[:2], Y[:2])
    assert network.parameters is before


def test_its_parameters_can_be_set():
    network = _frozen(_network())
    before = network.parameters
    network.parameters = np.zeros(before.size)
    assert not network.parameters.any()
    assert before.any()


def test_a_network_from_a_machine_of_the_other_byte_order_predicts():
    network = _network()
    state = network.__getstate__()
    swapped = network.parameters.astype(network.parameters.dtype.newbyteorder())
    other = cr.Network.__new__(cr.Network)
    other.__setstate__(state | {"_parameters": swapped})
    np.testing.assert_array_equal(other.predict(X), network.predict(X))


def _strided(parameters):
    return np.repeat(parameters, 2)[::2]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_strided, "contiguous.*strides of 8 bytes.*copy"),
        (lambda p: p[::-1], "contiguous.*strides of -4 bytes.*copy"),
        (lambda p: np.frombuffer(b"x" + p.tobytes(), "f4", offset=1), "not aligned.*copy"),
        (lambda p: p.astype(p.dtype.newbyteorder()), "expected shape .* dtype float32; got"),
        (np.ndarray.tolist, "expected an array of float32; got list"),
        (lambda p: np.ma.masked_array(p, np.arange(p.size) < 2), "no masked values; got 2"),
    ],
)
def test_a_vector_that_cannot_be_shared_is_refused(change, message):
    network = _network()
    with pytest.raises(cr.InvalidArgumentError, match=f"^parameters: .*{message}"):
        cr.Network.from_parameters(network.spec, change(network.parameters))
