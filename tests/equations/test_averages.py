"""WA1 to WA3."""

import numpy as np

from chainrule.equations import averages
from tests.numerics import assert_within, epsilon


def test_wa1_goes_the_share_of_the_way(array, dtype):
    X = averages.average_update(array([1.0, -2.0]), array([3.0, 2.0]), 0.25)
    assert_within(X, [1.5, -1.0], 4 * epsilon(dtype))


def test_wa1_of_an_average_of_itself_changes_nothing(array):
    theta = array([0.1, -0.3, 1e30])
    np.testing.assert_array_equal(averages.average_update(theta, theta, 0.3), theta)


def test_wa2_is_the_bias_corrected_average_of_adam(array64):
    # V ← ρV + (1 − ρ)W from 0, divided by 1 − ρᵗ.
    decay, path = 0.75, [2.0, -1.0, 0.5, 4.0]
    V, X = 0.0, array64([123.0])
    shares = averages.exponential_share(array64([1.0, 2.0, 3.0, 4.0]), decay)
    for t, (W, share) in enumerate(zip(path, shares, strict=True), start=1):
        V = decay * V + (1 - decay) * W
        X = averages.average_update(X, array64([W]), float(share))
        assert_within(X, [V / (1 - decay**t)], 123 * 8 * epsilon("float64"))


def test_wa3_is_the_mean_where_the_rate_is_constant(array64):
    alpha = array64([0.5, 0.5, 0.5, 0.5])
    shares = averages.rate_share(alpha, array64([0.25, 0.5, 0.75, 1.0]))
    assert_within(shares, [1.0, 1 / 2, 1 / 3, 1 / 4], epsilon("float64"))


def test_wa3_counts_a_warm_up_less_and_nothing_at_no_rate(array, dtype):
    alpha, total = array([0.0, 1.0, 2.0, 0.0]), array([0.0, 1.0, 5.0, 5.0])
    assert_within(averages.rate_share(alpha, total), [0.0, 1.0, 0.8, 0.0], epsilon(dtype))
