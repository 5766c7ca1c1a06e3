"""What must hold of any network: of a file that is read back, and of rows that are doubled."""

import contextlib

import numpy as np
import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

import chainrule as cr
from tests.engine_names import engine_name
from tests.strategies_networks import ACTIVATIONS, OUTPUT_PAIRS, least_outputs

__all__ = ["engine_name"]


@st.composite
def networks(draw, dtypes=("float32", "float64"), dropout=True, avoiding=""):
    """Draw a network of any kinds of layers, with a seed and a precision."""
    activations = [name for name in ACTIVATIONS if name != avoiding]
    n_features = draw(st.integers(1, 6))
    layers = [n_features]
    for _ in range(draw(st.integers(0, 3))):
        kind = draw(st.sampled_from(("dense", "normalised", "dropped")))
        hidden = draw(st.sampled_from(activations))
        # A softmax of one unit is the constant 1: normalised, it is rounding noise at ReLU's kink.
        layers.append(cr.Dense(draw(st.integers(2 if hidden == "softmax" else 1, 9)), hidden))
        if kind == "normalised":
            layers.append(cr.BatchNorm(draw(st.sampled_from(("relu", "tanh", "identity")))))
        elif kind == "dropped" and dropout:
            layers.append(cr.Dropout(draw(st.sampled_from((0.0, 0.3, 0.9)))))
    activation, cost = draw(st.sampled_from([p for p in OUTPUT_PAIRS if p[0] != avoiding]))
    least = 2 if activation == "softmax" else least_outputs(activation, cost)
    layers.append(cr.Dense(draw(st.integers(least, 4)), activation))
    seed, dtype = draw(st.integers(0, 2**64)), draw(st.sampled_from(dtypes))
    return cr.Network(layers, cost=cost, seed=seed, dtype=dtype)


def problem(net, m, seed):
    """Return inputs, and targets that every cost is defined for."""
    generator = np.random.default_rng(seed)
    X = generator.standard_normal((m, net.spec.n_features))
    Y = generator.dirichlet(np.ones(net.spec.n_outputs), m)
    return X, Y, generator.uniform(0.1, 2, m)


@given(net=networks(), seed=st.integers(0, 1000), epochs=st.integers(0, 2))
@settings(max_examples=60, deadline=None)
def test_a_network_that_was_saved_and_loaded_is_the_same(tmp_path_factory, net, seed, epochs):
    path = tmp_path_factory.mktemp("saved") / "model.safetensors"
    X, Y, weights = problem(net, 13, seed)
    try:
        net.fit(X, Y, sample_weight=weights, epochs=epochs, optimizer=cr.SGD(0.001))
    except cr.TrainingDivergedError:  # exponential outputs may
        reject()
    net.save(path)
    again = cr.load(path)
    assert again.spec == net.spec
    assert (again.seed, again.epochs_trained) == (net.seed, net.epochs_trained)
    np.testing.assert_array_equal(again.parameters, net.parameters)
    np.testing.assert_array_equal(again.predict(X), net.predict(X))
    # And it goes on as the other would have gone on.
    for trained in (net, again):
        with contextlib.suppress(cr.TrainingDivergedError):
            trained.fit(X, Y, epochs=1, optimizer=cr.SGD(0.001))
    np.testing.assert_array_equal(again.parameters, net.parameters)
    content = path.read_bytes()
    cr.load(path).save(path)
    assert path.read_bytes() == content


# The slope of an exponential has no bound: a few steps may make much of a rounding error.
@given(
    net=networks(dtypes=("float64",), dropout=False, avoiding="exponential"),
    seed=st.integers(0, 1000),
)
@settings(max_examples=60, deadline=None)
@pytest.mark.parametrize("optimizer", [cr.SGD(0.01), cr.Momentum(0.01)], ids=["sgd", "momentum"])
def test_every_row_twice_with_half_the_weight_changes_nothing(engine_name, optimizer, net, seed):
    X, Y, weights = problem(net, 11, seed)
    twice = np.repeat(X, 2, axis=0), np.repeat(Y, 2, axis=0), np.repeat(weights / 2, 2)
    start = net.parameters.copy()
    losses = []
    for X_now, Y_now, weights_now in ((X, Y, weights), twice):
        net.parameters = start
        loss, gradient = net.loss_and_gradient(
            X_now, Y_now, sample_weight=weights_now, engine=engine_name
        )
        net.fit(
            X_now,
            Y_now,
            sample_weight=weights_now,
            optimizer=optimizer,
            epochs=3,
            batch_size=len(X_now),
            l1=0.001,
            l2=0.01,
            engine=engine_name,
        )
        losses.append((loss, gradient, net.parameters.copy(), net.history["loss"]))
    for one, other in zip(*losses, strict=True):
        # Sums of twice as many terms are rounded elsewhere; nothing else is different.
        np.testing.assert_allclose(other, one, rtol=1e-8, atol=1e-10)
