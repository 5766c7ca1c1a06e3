"""Random numbers by counter."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from chainrule.network.random import Stream, draw_seed, epoch_order, generator


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
    }.items()


def test_the_order_of_a_seed_stays_what_it_is():
    # Numbers that users' results rest on.
    assert epoch_order(0, 1, 8, shuffle=True).tolist() == [6, 0, 2, 3, 5, 1, 7, 4]


def test_drawn_seeds_differ_and_can_be_written_down():
    seeds = {draw_seed() for _ in range(5)}
    assert len(seeds) == 5
    assert all(isinstance(seed, int) and 0 <= seed < 2**32 for seed in seeds)
