"""A user's own cost: two functions in rows, through everything that a network can do."""

import numpy as np
import pytest

import chainrule as cr
from chainrule.engines import ENGINES


def quartic(A, Y):
    return ((A - Y) ** 4).sum(axis=1)


def quartic_gradient(A, Y):
    return 4 * (A - Y) ** 3


def half_squares(A, Y):
    return 0.5 * ((A - Y) ** 2).sum(axis=1)


def network(cost, units=2, **arguments):
    layers = [3, cr.Dense(4, "tanh"), cr.Dense(units, "identity")]
    return cr.Network(layers, cost=cost, seed=0, **arguments)


RANDOM = np.random.default_rng(0)
X, Y = RANDOM.standard_normal((12, 3)), RANDOM.standard_normal((12, 2))


def test_its_gradient_is_checked_against_differences_of_its_cost():
    assert network(cr.CustomCost(quartic, quartic_gradient)).check_gradients(X, Y)
    wrong = cr.CustomCost(quartic, lambda A, Y: 3 * (A - Y) ** 3)
    assert not network(wrong).check_gradients(X, Y)


def test_the_squared_error_written_by_a_user_trains_like_mse():
    own = network(cr.CustomCost(half_squares, lambda A, Y: A - Y), dtype="float64")
    ours = network("mse", dtype="float64", fused=False)
    for net in (own, ours):
        net.fit(X, Y, epochs=5, batch_size=5, engine="reference", sample_weight=np.arange(12))
    np.testing.assert_array_equal(own.parameters, ours.parameters)
    np.testing.assert_array_equal(own.history["loss"], ours.history["loss"])


def test_functions_get_rows():
    shapes = []

    def cost(A, Y):
        shapes.append((A.shape, Y.shape))
        return half_squares(A, Y)

    network(cr.CustomCost(cost, lambda A, Y: A - Y)).loss(X, Y)
    assert shapes == [((12, 2), (12, 2))]


def test_training_with_it_lowers_the_loss_and_predictions_need_no_cost():
    net = network(cr.CustomCost(quartic, quartic_gradient))
    history = net.fit(X, Y, epochs=200, optimizer=cr.Adam(0.01), batch_size=4)
    assert history["loss"][-1] < history["loss"][0] / 2
    expected = net.predict(X, engine="reference")
    np.testing.assert_allclose(net.predict(X), expected, rtol=1e-5, atol=1e-6)


def test_a_trace_shows_its_numbers():
    trace = network(cr.CustomCost(quartic, quartic_gradient)).trace(X[:2], Y[:2])
    difference = (trace.A[-1] - trace.Y).astype(np.float64)
    np.testing.assert_allclose(trace.costs, (difference**4).sum(axis=0), rtol=1e-5)
    assert "∇ₐC" in str(trace)


def test_saving_it_is_refused_with_the_remedy(tmp_path):
    net = network(cr.CustomCost(quartic, quartic_gradient, name="quartic"))
    message = r"^cost: quartic is Python code, and a file holds data only; keep net\.parameters"
    with pytest.raises(cr.InvalidArgumentError, match=message):
        net.save(tmp_path / "net.safetensors")
    assert not list(tmp_path.iterdir())


def test_the_compiled_core_is_refused_with_the_remedy():
    net = network(cr.CustomCost(quartic, quartic_gradient, name="quartic"))
    if "native" not in ENGINES:
        pytest.skip("there is no compiled core")
    message = r"^engine: the compiled core cannot run quartic, .*engine=\"reference\""
    with pytest.raises(cr.InvalidArgumentError, match=message):
        net.fit(X, Y, engine="native")
