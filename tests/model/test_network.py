"""The network as users hold it: building, looking, predicting, copying."""

import copy
import pickle

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import InvalidArgumentError
from chainrule.network.parameters import initial_parameters
from tests.strategies_networks import FUSED_PAIRS

X = np.random.default_rng(0).standard_normal((6, 3))
Y = np.array([0, 1, 1, 0, 1, 0])


def network(**changes):
    arguments = {"cost": "cross_entropy", "seed": 0, **changes}
    return cr.Network([3, cr.Dense(4, "tanh"), cr.Dense(2, "softmax")], **arguments)


def test_a_network_starts_at_its_seed_s_parameters():
    net = network(seed=7)
    np.testing.assert_array_equal(net.parameters, initial_parameters(net.spec, 7))
    assert (net.seed, net.epochs_trained, net.history) == (7, 0, None)


def test_a_network_without_a_seed_draws_one_that_makes_it_again():
    net = network(seed=None)
    np.testing.assert_array_equal(network(seed=net.seed).parameters, net.parameters)
    assert network(seed=None).seed != net.seed


def test_float32_is_the_default():
    assert network().parameters.dtype == np.float32
    assert network(dtype="float64").parameters.dtype == np.float64


@pytest.mark.parametrize("dtype", [np.float64, np.dtype("float64"), float, "float64"])
def test_dtypes_of_numpy_are_named_by_their_names(dtype):
    assert network(dtype=dtype).spec == network(dtype="float64").spec


def test_features_counted_by_numpy_are_a_whole_number():
    net = cr.Network([np.int64(3), cr.Dense(2, "softmax")], cost="cross_entropy", seed=np.int32(1))
    assert net.spec.n_features == 3
    assert type(net.spec.n_features) is type(net.seed) is int


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ([], r"^layers: expected a list such as \[30, Dense.*got \[\]$"),
        ("relu", r"^layers: expected a list such as \[30, Dense.*got 'relu'$"),
        (30, r"^layers: expected a list such as \[30, Dense.*got 30$"),
        ([3], r"^layers: expected at least one layer"),
        ([cr.Dense(2, "softmax")], r"^layers: "),
        ([3, 2], r"^layers: expected layers such as Dense\(24, 'relu'\); got 2$"),
        ([3.0, cr.Dense(2)], r"^layers: the first entry is the number of features.*got 3\.0$"),
    ],
)
def test_layers_that_cannot_be_are_refused(layers, message):
    with pytest.raises(InvalidArgumentError, match=message):
        cr.Network(layers, cost="cross_entropy")


@pytest.mark.parametrize("seed", [-1, 1.5, "0", True, [1], np.array([1])])
def test_a_seed_that_is_no_whole_number_is_refused(seed):
    with pytest.raises(InvalidArgumentError, match=r"^seed: expected a whole number .*got"):
        network(seed=seed)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"cost": "log"}, r"^cost: "),
        ({"init": "he"}, r"^init: "),
        ({"dtype": "float16"}, r"^dtype: expected float32 or float64; got 'float16'; did you"),
        ({"dtype": int}, r"^dtype: expected float32 or float64; got 'int64'$"),
        ({"dtype": None}, r"^dtype: "),
        ({"fused": "no"}, r"^fused: "),
    ],
)
def test_what_cannot_be_is_refused_by_name(changes, message):
    with pytest.raises(InvalidArgumentError, match=message):
        network(**changes)


def test_its_representation_says_how_it_was_made():
    assert repr(network()) == (
        "Network([3, Dense(4, 'tanh'), Dense(2, 'softmax')], cost='cross_entropy', seed=0, "
        "dtype='float32')"
    )


def test_weights_and_biases_are_views_into_the_parameters():
    net = network()
    assert [W.shape for W in net.weights] == [(4, 3), (2, 4)]
    assert [b.shape for b in net.biases] == [(4,), (2,)]
    for array in (*net.weights, *net.biases):
        assert np.shares_memory(array, net.parameters)
    parts = [part.ravel() for pair in zip(net.weights, net.biases, strict=True) for part in pair]
    np.testing.assert_array_equal(np.concatenate(parts), net.parameters)


def test_changing_a_weight_changes_the_predictions():
    net = network()
    before = net.predict(X)
    net.weights[1][0, 2] += 1.0
    assert (net.predict(X) != before).all()


def test_changing_a_bias_changes_the_predictions():
    net = network()
    before = net.predict(X)
    net.biases[1][0] += 1.0
    assert (net.predict(X)[:, 0] > before[:, 0]).all()


def test_setting_the_parameters_copies_the_numbers_into_the_network():
    net = network()
    W = net.weights[0]
    vector = np.arange(26.0)
    net.parameters = vector
    np.testing.assert_array_equal(W.ravel(), np.arange(12.0))
    vector[:] = 0.0
    assert net.parameters[-1] == 25.0
    assert net.parameters.dtype == np.float32


@pytest.mark.parametrize("value", [np.zeros(25), np.zeros((26, 1)), 0.0, []])
def test_parameters_of_another_shape_are_refused(value):
    with pytest.raises(InvalidArgumentError, match=r"^parameters: expected shape \(26,\); got"):
        network().parameters = value


@pytest.mark.parametrize("value", ["text", [["ragged"], []]])
def test_parameters_that_are_no_numbers_are_refused(value):
    with pytest.raises(InvalidArgumentError, match=r"^parameters: "):
        network().parameters = value


def test_predictions_are_rows_of_probabilities_in_the_network_s_dtype(engine_name):
    outputs = network().predict(X, engine=engine_name)
    assert outputs.shape == (6, 2)
    assert outputs.dtype == np.float32
    np.testing.assert_allclose(outputs.sum(axis=1), 1.0, rtol=4 * np.finfo(np.float32).eps)


def test_predictions_of_a_network_worked_by_hand(engine_name):
    net = cr.Network([2, cr.Dense(2, "relu"), cr.Dense(1, "identity")], cost="mse", seed=0)
    net.weights[0][...] = [[1, -1], [2, 0]]
    net.biases[0][...] = [0.5, -1]
    net.weights[1][...] = [[3, -2]]
    net.biases[1][...] = [0.25]
    # (1, 2): Z[1] = (−0.5, 1), A[1] = (0, 1), a = −1.75; (3, 0): Z[1] = (3.5, 5), a = 0.75.
    outputs = net.predict([[1, 2], [3, 0]], engine=engine_name)
    np.testing.assert_array_equal(outputs, [[-1.75], [0.75]])
    assert net.loss([[1, 2], [3, 0]], [0.25, 0.75], engine=engine_name) == 1.0


def test_a_prediction_is_a_new_array_each_time():
    net = network()
    first = net.predict(X)
    kept = first.copy()
    net.predict(X + 1)
    np.testing.assert_array_equal(first, kept)


def test_inputs_that_do_not_fit_are_refused_wherever_they_come_in():
    net, wrong = network(), X[:, :2]
    for call in (
        lambda: net.predict(wrong),
        lambda: net.loss(wrong, Y),
        lambda: net.loss_and_gradient(wrong, Y),
        lambda: net.trace(wrong, Y),
        lambda: net.check_gradients(wrong, Y),
        lambda: net.fit(wrong, Y),
    ):
        with pytest.raises(InvalidArgumentError, match=r"^X: expected shape \(examples, 3\)"):
            call()


def test_an_unknown_engine_is_refused_wherever_it_is_named():
    net = network()
    for call in (net.loss, net.loss_and_gradient, net.check_gradients, net.fit):
        with pytest.raises(InvalidArgumentError, match=r"^engine: "):
            call(X, Y, engine="fast")
    with pytest.raises(InvalidArgumentError, match=r"^engine: "):
        net.predict(X, engine="fast")


@pytest.mark.parametrize("strength", [-0.1, np.nan, np.inf, "0.1", None, [0.1]])
@pytest.mark.parametrize("name", ["l1", "l2"])
def test_a_penalty_that_cannot_be_is_refused_wherever_it_comes_in(name, strength):
    net = network()
    for call in (net.loss, net.loss_and_gradient, net.check_gradients, net.trace, net.fit):
        with pytest.raises(InvalidArgumentError, match=rf"^{name}: expected a finite number ≥ 0"):
            call(X, Y, **{name: strength})


def test_the_gradient_lies_like_the_parameters(engine_name):
    net = cr.Network([1, cr.Dense(1, "identity")], cost="mse", seed=0, init="zeros")
    loss, gradient = net.loss_and_gradient([[2.0]], [3.0], engine=engine_name)
    assert loss == 4.5  # ½ · 3²
    np.testing.assert_array_equal(gradient, [-6.0, -3.0])
    assert gradient.dtype == net.parameters.dtype


def test_looking_changes_nothing(engine_name):
    net = network()
    before = net.parameters.copy()
    net.predict(X, engine=engine_name)
    net.loss(X, Y, engine=engine_name)
    net.loss_and_gradient(X, Y, engine=engine_name)
    net.trace(X, Y)
    net.check_gradients(X, Y, engine=engine_name)
    np.testing.assert_array_equal(net.parameters, before)
    assert net.epochs_trained == 0


@pytest.mark.parametrize("pair", FUSED_PAIRS, ids=" and ".join)
def test_the_long_way_trains_to_the_same_point(pair, engine_name):
    activation, cost = pair
    parameters = []
    for fused in (True, False):
        net = cr.Network(
            [3, cr.Dense(4, "tanh"), cr.Dense(2, activation)],
            cost=cost, seed=0, dtype="float64", fused=fused,
        )  # fmt: skip
        targets = np.eye(2)[Y]
        net.fit(X, targets, optimizer=cr.SGD(0.1), epochs=5, engine=engine_name)
        parameters.append(net.parameters)
    # Each of 5 steps errs by sums of at most 6 + 4 + 3 terms of order 1.
    np.testing.assert_allclose(*parameters, rtol=0, atol=5 * 100 * np.finfo(np.float64).eps)


def test_a_deep_copy_is_a_network_of_its_own():
    net = network()
    twin = copy.deepcopy(net)
    twin.fit(X, Y, epochs=1)
    np.testing.assert_array_equal(net.parameters, network().parameters)
    assert (twin.parameters != net.parameters).any()


def test_a_network_survives_pickling():
    net = network()
    net.fit(X, Y, epochs=1)
    twin = pickle.loads(pickle.dumps(net))
    assert twin.spec == net.spec
    np.testing.assert_array_equal(twin.predict(X), net.predict(X))
    assert twin.history["loss"] == net.history["loss"]
    twin.weights[0][...] = 0.0
    assert (twin.predict(X) != net.predict(X)).any()


def test_a_network_around_parameters_shares_them():
    spec = network().spec
    vector = initial_parameters(spec, 3)
    net = cr.Network.from_parameters(spec, vector, seed=5)
    assert net.parameters is vector
    assert (net.seed, net.epochs_trained) == (5, 0)
    np.testing.assert_array_equal(net.predict(X), network(seed=3).predict(X))


@pytest.mark.parametrize("wrong", [np.zeros(3, np.float32), np.zeros(26), np.zeros((26, 1), "f4")])
def test_a_network_around_parameters_of_another_kind_is_refused(wrong):
    with pytest.raises(InvalidArgumentError, match=r"^parameters: expected shape \(26,\) and dtyp"):
        cr.Network.from_parameters(network().spec, wrong)
