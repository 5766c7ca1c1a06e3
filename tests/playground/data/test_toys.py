import hashlib
import math

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule.errors import InvalidArgumentError
from chainrule.playground.data.toys import TOYS, toy_table

NAMES = list(TOYS)


def label(table):
    if "value" in table.columns:
        return table["value"].to_numpy()
    return np.where(table["class"].to_numpy() == "plus", 1.0, -1.0)


def expected(name, x, y):
    """Return the labels of points without noise, one by one, from the definitions."""
    if name == "circle":
        return 1.0 if math.hypot(x, y) < 2.5 else -1.0
    if name == "xor":
        return 1.0 if (x > 0) == (y > 0) else -1.0
    if name == "plane":
        return (x + y) / 10
    value = 0.0
    for place, (a, b) in enumerate(
        [(-4, 2.5), (0, 2.5), (4, 2.5), (-4, -2.5), (0, -2.5), (4, -2.5)]
    ):
        height = max(0.0, 1 - math.dist((x, y), (a, b)) / 2) * (1, -1, 1, -1, 1, -1)[place]
        value = height if abs(height) > abs(value) else value
    return value


@pytest.mark.parametrize("name", ["circle", "xor", "plane", "multi-gauss"])
def test_without_noise_the_label_follows_from_the_point(name):
    table = toy_table(name, rows=400, seed=3)
    found = [expected(name, x, y) for x, y in table.select("x1", "x2").iter_rows()]
    assert np.allclose(label(table), found, atol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_the_points_lie_in_the_square_and_both_classes_come_up(name):
    table = toy_table(name, rows=500)
    assert table.select("x1", "x2").to_numpy().__abs__().max() <= 6
    assert label(table).min() < 0 < label(table).max()


def test_two_clouds_have_the_deviation_that_the_noise_says():
    for noise, variance in ((0, 0.5), (50, 4.0)):
        table = toy_table("gauss", noise=noise, rows=10_000)
        x, y = table["x1"].to_numpy(), label(table)
        # The standard error of a variance of n numbers is its value times √(2/n).
        for sign in (1, -1):
            own = x[y == sign] - 2 * sign
            assert abs(own.var() / variance - 1) < 5 * math.sqrt(2 / len(own))


def test_the_arms_of_the_spiral_are_each_other_turned_around():
    table = toy_table("spiral", rows=100)
    points = table.select("x1", "x2").to_numpy()
    assert np.allclose(points[:50], -points[50:], atol=1e-6)
    assert np.hypot(*points[25]) == pytest.approx(5 * 25 / 50, abs=1e-5)


@pytest.mark.parametrize("name", ["circle", "xor", "plane", "multi-gauss"])
def test_noise_moves_labels_and_not_points(name):
    plain, noisy = toy_table(name, noise=0, seed=1), toy_table(name, noise=40, seed=1)
    assert plain["x1"].equals(noisy["x1"])
    assert (label(plain) != label(noisy)).any()


@pytest.mark.parametrize("name", NAMES)
def test_the_other_inputs_follow_from_the_point(name):
    table = toy_table(name, noise=10, rows=50)
    for x, y, xx, yy, xy, sin_x, sin_y in table.drop(TOYS[name].target).iter_rows():
        assert (xx, yy, xy) == pytest.approx((x * x, y * y, x * y), abs=1e-6)
        assert (sin_x, sin_y) == pytest.approx((math.sin(x), math.sin(y)), abs=1e-6)


def test_a_seed_gives_the_same_numbers_on_every_machine():
    # The checksum is that of the machine on which this test was written.
    text = "".join(toy_table(name, noise=20, rows=200, seed=7).write_csv() for name in NAMES)
    assert hashlib.sha256(text.encode()).hexdigest()[:16] == "e1d3943e8a46ca41"


@given(name=st.sampled_from(NAMES), noise=st.integers(0, 50), rows=st.integers(20, 60),
       seed=st.integers(0, 2**32 - 1))  # fmt: skip
def test_every_table_has_as_many_rows_as_asked_for_and_finite_numbers(name, noise, rows, seed):
    table = toy_table(name, noise, rows, seed)
    assert table.height == rows
    numbers = table.select(pl.col(pl.Float64)).to_numpy()
    assert np.isfinite(numbers).all()
    assert table.equals(toy_table(name, noise, rows, seed))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": "circel"}, "got 'circel'; did you mean 'circle'"),
        ({"name": "xor", "noise": 51}, "noise: expected a number in"),
        ({"name": "xor", "noise": float("nan")}, "noise: expected a number in"),
        ({"name": "xor", "rows": 19}, "rows: expected a whole number from 20 to 10000; got 19"),
        ({"name": "xor", "rows": 20.5}, "rows: expected a whole number"),
        ({"name": "xor", "seed": -1}, "seed: expected a whole number from 0"),
        ({"name": ["xor"]}, "data: expected one of circle"),
    ],
)
def test_arguments_without_sense_are_refused(arguments, message):
    with pytest.raises(InvalidArgumentError, match=message):
        toy_table(**arguments)
