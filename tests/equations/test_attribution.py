"""AT2 to AT6: hand-worked values, and sums over all orders of the players."""

from itertools import permutations

import numpy as np
import pytest

from chainrule.equations.attribution import (
    coalition_values,
    expected_gradients,
    integrated_gradients,
    shapley_values,
    way_from_reference,
)
from tests.numerics import as_float64, assert_within, epsilon


def test_at2_goes_from_the_reference_to_the_example(array, dtype):
    X, reference = array([[3.0], [1.0]]), array([[1.0], [2.0]])
    way = way_from_reference(X, reference, array([0.0, 0.25, 1.0]))
    assert_within(way, [[1.0, 1.5, 3.0], [2.0, 1.75, 1.0]], 4 * epsilon(dtype))


def test_at3_integrates_a_polynomial_worked_by_hand(array, dtype):
    # f = a² b from (1, 2) to (3, 1): on the way a = 1 + 2t, b = 2 − t, and
    # ∫ 2ab·2 dt = 4 ∫ (2 + 3t − 2t²) dt = 34/3,  ∫ a²·(−1) dt = −13/3; f moves by 9 − 2 = 7.
    X, reference = array([[3.0], [1.0]]), array([[1.0], [2.0]])
    nodes, weights = np.polynomial.legendre.leggauss(2)  # exact for polynomials of degree 3
    way = as_float64(way_from_reference(X, reference, array((nodes + 1) / 2)))
    gradient = array(np.stack([2 * way[0] * way[1], way[0] ** 2]))
    R = integrated_gradients(X, reference, gradient, array(weights / 2))
    assert_within(R, [[34 / 3], [-13 / 3]], 40 * epsilon(dtype))
    assert as_float64(R).sum() == pytest.approx(7, rel=40 * epsilon(dtype))


def test_at3_of_the_reference_itself_is_nothing(array):
    X = array([[3.0], [1.0]])
    R = integrated_gradients(X, X, array([[2.0, 1.0], [1.0, 5.0]]), array([0.5, 0.5]))
    np.testing.assert_array_equal(as_float64(R), [[0.0], [0.0]])


def test_at4_is_the_weighted_mean_over_the_background(array, dtype):
    R = array([[1.0, 4.0], [-2.0, 6.0]])
    found = expected_gradients(R, array([0.75, 0.25]))
    assert_within(found, [[1.75], [0.0]], 8 * epsilon(dtype))


def test_at5_is_the_weighted_mean_output_of_each_coalition(array, dtype):
    v = coalition_values(array([[1.0, 4.0], [-2.0, 6.0]]), array([0.75, 0.25]))
    assert_within(v, [1.75, 0.0], 8 * epsilon(dtype))


def test_at6_divides_a_game_of_two_by_hand(array, dtype):
    # v(∅) = 1, v({0}) = 3, v({1}) = 2, v({0, 1}) = 10: player 0 adds 2 or 8, player 1 adds 1 or 7.
    phi = shapley_values(array([1.0, 3.0, 2.0, 10.0]))
    assert_within(phi, [5.0, 4.0], 8 * epsilon(dtype))


@pytest.mark.parametrize("players", [1, 2, 3, 5])
def test_at6_is_the_mean_contribution_over_all_orders_of_the_players(array, dtype, players):
    v = np.random.default_rng(players).normal(size=1 << players)
    orders = list(permutations(range(players)))
    expected = np.zeros(players)
    for order in orders:
        known = 0
        for player in order:
            expected[player] += (v[known | 1 << player] - v[known]) / len(orders)
            known |= 1 << player
    assert_within(shapley_values(array(v)), expected, 4 * (1 << players) * epsilon(dtype))
