"""Random numbers by counter."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule.network.random import (
    Stream,
    draw_seed,
    dropout_factors,
    epoch_order,
    generator,
    noise_key,
    step_noise,
)


@given(seed=st.integers(0, 2**70), epoch=st.integers(0, 10**6), m=st.integers(1, 50))
def test_an_epoch_s_order_holds_every_example_once(seed, epoch, m):
    order = epoch_order(seed, epoch, m, shuffle=True)
    assert order.dtype == np.int32
    assert sorted(order) == list(range(m))


def test_an_epoch_s_order_depends_on_seed_and_epoch_alone():
    first = epoch_order(1, 7, 100, shuffle=True)
    generator(1, Stream.ORDER, 3).standard_normal(10)
    np.testing.assert_array_equal(first, epoch_order(1, 7, 100, shuffle=True))
    assert (first != epoch_order(1, 8, 100, shuffle=True)).any()
    assert (first != epoch_order(2, 7, 100, shuffle=True)).any()


def test_without_shuffling_the_order_is_as_given():
    order = epoch_order(0, 1, 5, shuffle=False)
    assert order.dtype == np.int32
    assert order.tolist() == [0, 1, 2, 3, 4]


def test_streams_and_indices_draw_different_numbers():
    draws = {
        tuple(generator(0, stream, index).integers(0, 2**62, 4))
        for stream in Stream
        for index in range(5)
    }
    assert len(draws) == 5 * len(Stream)


def test_streams_keep_their_numbers():
    assert {stream.name: stream.value for stream in Stream}.items() >= {
        "INITIALIZATION": 0,
        "ORDER": 1,
        "SPLIT": 2,
        "CHECK": 3,
        "NOISE": 4,
    }.items()


def test_the_order_of_a_seed_stays_what_it_is():
    # Numbers that users' results rest on.
    assert epoch_order(0, 1, 8, shuffle=True).tolist() == [6, 0, 2, 3, 5, 1, 7, 4]


def test_drawn_seeds_differ_and_can_be_written_down():
    seeds = {draw_seed() for _ in range(5)}
    assert len(seeds) == 5
    assert all(isinstance(seed, int) and 0 <= seed < 2**32 for seed in seeds)


def factors(seed=0, step=1, layer=1, units=200, examples=200, rate=0.3):
    noise = step_noise(noise_key(seed), step)
    return dropout_factors(noise, layer, np.arange(units), np.arange(examples), rate)


def test_a_factor_is_0_or_what_keeps_the_expectation():
    assert set(np.unique(factors(rate=0.2))) == {0.0, 1 / 0.8}
    np.testing.assert_array_equal(factors(rate=0.0), 1.0)


@pytest.mark.parametrize("rate", [0.01, 0.1, 0.3, 0.5, 0.9])
def test_as_many_are_dropped_as_the_rate_says(rate):
    dropped = factors(rate=rate, units=1000, examples=1000) == 0
    # Five standard deviations of a binomial share of a million.
    assert abs(dropped.mean() - rate) < 5 * np.sqrt(rate * (1 - rate) / 1e6)
    # And of each unit, and each example, of a thousand.
    bound = 5 * np.sqrt(rate * (1 - rate) / 1e3)
    for axis in (0, 1):
        assert np.abs(dropped.mean(axis=axis) - rate).max() < bound


@pytest.mark.parametrize("change", [{"seed": 1}, {"step": 2}, {"layer": 2}], ids=str)
def test_factors_of_another_seed_step_or_layer_are_independent(change):
    one, other = (factors(rate=0.5, **kw).ravel() == 0 for kw in ({}, change))
    # The correlation of 40,000 independent pairs has a standard deviation of 1/200.
    assert abs(np.corrcoef(one, other)[0, 1]) < 5 / 200


def test_neighbouring_units_and_examples_are_independent():
    dropped = (factors(rate=0.5, units=500, examples=500) == 0).astype(float)
    for one, other in (
        (dropped[1:], dropped[:-1]),
        (dropped[:, 1:], dropped[:, :-1]),
        (dropped[1:, 1:], dropped[:-1, :-1]),
    ):
        assert abs(np.corrcoef(one.ravel(), other.ravel())[0, 1]) < 5 / 499


def test_a_factor_depends_on_its_own_unit_and_example_alone():
    noise = step_noise(noise_key(3), 7)
    whole = dropout_factors(noise, 2, np.arange(9), np.arange(40), 0.4)
    part = dropout_factors(noise, 2, np.array([4, 8]), np.arange(17, 30), 0.4)
    np.testing.assert_array_equal(part, whole[[4, 8], 17:30])


def test_the_factors_of_a_seed_stay_what_they_are():
    # Numbers that users' results rest on.
    kept = factors(units=3, examples=12, rate=0.5) > 0
    assert ["".join("01"[int(k)] for k in row) for row in kept] == [
        "111110000000",
        "000011011110",
        "111110000001",
    ]


def test_a_second_training_draws_other_numbers():
    assert noise_key(5, 0) != noise_key(5, 10)
