import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule.engines.base import Examples
from chainrule.ensembles.selection import greedy_weights, loss_of
from chainrule.model.network import Network
from chainrule.network.layers import Dense


def squared(target):
    return lambda outputs: float(np.mean((outputs - target) ** 2))


def test_the_mean_of_two_candidates_that_err_to_both_sides_is_chosen():
    target = np.zeros((4, 1))
    candidates = [target + 1, target - 1, target + 5]
    assert greedy_weights(candidates, squared(target)).tolist() == [0.5, 0.5, 0]


def test_a_candidate_that_helps_more_counts_more():
    # The best weight of the second is a quarter: a(−1) + (1 − a)/3 = 0.
    target = np.zeros((4, 1))
    weights = greedy_weights([target + 1 / 3, target - 1], squared(target), rounds=8)
    assert weights == pytest.approx([0.75, 0.25])


def test_a_single_candidate_has_the_whole_weight():
    assert greedy_weights([np.ones((3, 1))], squared(np.zeros((3, 1)))).tolist() == [1.0]


def test_candidates_without_a_finite_loss_are_not_chosen():
    good, broken = np.zeros((3, 1)), np.full((3, 1), np.nan)
    assert greedy_weights([broken, good], squared(good)).tolist() == [0.0, 1.0]


@given(st.integers(0, 2**32 - 1), st.integers(1, 6))
def test_the_chosen_mean_is_never_worse_than_the_best_candidate(seed, count):
    random = np.random.default_rng(seed)
    target = random.standard_normal((12, 2))
    candidates = [target + random.standard_normal((12, 2)) for _ in range(count)]
    loss = squared(target)
    weights = greedy_weights(candidates, loss)
    assert weights.sum() == pytest.approx(1)
    assert (weights >= 0).all()
    mean = sum(w * each for w, each in zip(weights, candidates, strict=True))
    assert loss(mean) <= min(map(loss, candidates)) + 1e-12


@pytest.mark.parametrize(
    ("output", "cost", "targets"),
    [
        (Dense(3, "softmax"), "cross_entropy", np.array([0, 2, 1, 2, 0], np.int32)),
        (Dense(1, "sigmoid"), "binary_cross_entropy", np.array([[0.0], [1], [1], [0], [1]])),
        (Dense(2, "identity"), "mse", np.arange(10.0).reshape(5, 2)),
        (Dense(2, "identity"), "huber(delta=0.5)", np.arange(10.0).reshape(5, 2)),
        (Dense(1, "exponential"), "poisson", np.array([[0.0], [1], [3], [0], [2]])),
    ],
)
@pytest.mark.parametrize("weights", [None, np.array([1.0, 0, 2, 1, 3])])
def test_the_loss_is_the_networks_own(output, cost, targets, weights):
    net = Network([4, output], cost, seed=0, dtype="float64")
    X = np.random.default_rng(0).standard_normal((5, 4))
    W, b = net.parameters[: -output.units], net.parameters[-output.units :]
    Z = X @ W.reshape(output.units, 4).T + b
    found = loss_of(net.spec, Examples(X, targets, weights))(Z)
    Y = targets if targets.ndim == 2 else np.eye(3)[targets]
    assert found == pytest.approx(net.loss(X, Y, sample_weight=weights), rel=1e-12)
