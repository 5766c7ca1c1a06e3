"""Label smoothing and clipping, from `fit` down."""

import numpy as np
import pytest

import chainrule as cr
from chainrule.training.examples import as_examples, softened_examples

RANDOM = np.random.default_rng(0)
X = RANDOM.standard_normal((30, 4))
CLASSES = RANDOM.integers(0, 3, 30)


def network(units=3, activation="softmax", cost="cross_entropy"):
    return cr.Network([4, cr.Dense(5, "tanh"), cr.Dense(units, activation)], cost=cost, seed=0)


@pytest.mark.parametrize("cost", ["cross_entropy", "focal(gamma=1.5)"])
def test_label_smoothing_is_training_on_softer_targets(engine_name, cost):
    smoothed, by_hand = network(cost=cost), network(cost=cost)
    soft = 0.8 * np.eye(3)[CLASSES] + 0.2 / 3
    smoothed.fit(X, CLASSES, epochs=5, label_smoothing=0.2, engine=engine_name)
    by_hand.fit(X, soft, epochs=5, engine=engine_name)
    # Both targets are rounded to float32 once or twice; 5 short steps.
    np.testing.assert_allclose(smoothed.parameters, by_hand.parameters, rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    ("units", "activation", "cost", "expected"),
    [
        (1, "sigmoid", "binary_cross_entropy", [[0.95], [0.05]]),
        (2, "sigmoid", "binary_focal", [[0.95, 0.05], [0.05, 0.95]]),
        (2, "softmax", "binary_cross_entropy", [[0.95, 0.05], [0.05, 0.95]]),
        (4, "softmax", "cross_entropy", [[0.925] + [0.025] * 3, [0.025, 0.925, 0.025, 0.025]]),
        (4, "sigmoid", "cross_entropy", [[0.925] + [0.025] * 3, [0.025, 0.925, 0.025, 0.025]]),
    ],
)
def test_certainty_is_shared_among_the_classes_that_there_are(units, activation, cost, expected):
    Y = [1, 0] if units == 1 else [0, 1]
    spec = network(units, activation, cost).spec
    targets = softened_examples(spec, as_examples(spec, X[:2], Y), 0.1).Y
    assert targets.dtype == np.float32
    np.testing.assert_allclose(targets, expected, rtol=1e-6)


def test_validation_targets_are_not_smoothed():
    net = network()
    history = net.fit(
        X, CLASSES, epochs=1, label_smoothing=0.3, validation_data=(X, CLASSES), engine="reference"
    )
    loss = net.loss(X, CLASSES, engine="reference")
    assert history["validation_loss"][0] == pytest.approx(loss, rel=1e-6)


@pytest.mark.parametrize("wrong", [-0.1, 1.0, np.nan, "0.1", None])
def test_a_share_outside_zero_and_one_is_refused(wrong):
    with pytest.raises(cr.InvalidArgumentError, match=r"^label_smoothing: expected a number in \["):
        network().fit(X, CLASSES, label_smoothing=wrong)


@pytest.mark.parametrize(("activation", "cost"), [("identity", "mse"), ("softmax", "huber")])
def test_values_are_not_smoothed(activation, cost):
    net = network(3, activation, cost)
    message = rf"^label_smoothing: expected 0, since the targets are values .*{cost}$"
    with pytest.raises(cr.InvalidArgumentError, match=message):
        net.fit(X, RANDOM.uniform(0, 1, (30, 3)), label_smoothing=0.1)


def test_the_history_has_norms_longer_than_the_largest_allowed(engine_name):
    net = network()
    before = net.parameters.copy()
    history = net.fit(
        X, CLASSES, epochs=1, batch_size=30, optimizer=cr.SGD(1.0), max_grad_norm=1e-3,
        engine=engine_name,
    )  # fmt: skip
    assert history["gradient_norm"][0] > 1e-2
    step = np.linalg.norm((net.parameters - before).astype(np.float64))
    # Differences of parameters of order 1 in float32.
    assert step == pytest.approx(1e-3, abs=1e-5)


def test_a_trace_shows_the_clipped_gradient_and_steps_by_it():
    trace = network().trace(X, CLASSES, optimizer=cr.SGD(1.0), max_grad_norm=0.01)
    clipped = [term.value.ravel() for term in trace.terms if term.equation == "G1"]
    clipped = np.concatenate(clipped)
    assert np.linalg.norm(clipped) == pytest.approx(0.01, rel=1e-5)
    step = np.concatenate([part.ravel() for layer in trace.update for part in layer])
    np.testing.assert_allclose(step, -clipped, atol=1e-6)
    assert not any(term.equation == "G1" for term in network().trace(X, CLASSES).terms)


@pytest.mark.parametrize("wrong", [0, -1.0, np.inf, np.nan, "1"])
def test_a_bound_that_is_no_positive_number_is_refused(wrong):
    with pytest.raises(cr.InvalidArgumentError, match=r"^max_grad_norm: expected a finite number"):
        network().fit(X, CLASSES, max_grad_norm=wrong)
