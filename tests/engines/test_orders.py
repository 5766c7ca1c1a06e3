"""The order of examples in an epoch."""

from datetime import datetime_CAPI

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule.engines import extension
from chainrule.engines.orders import shuffled_orders


@given(seed=st.integers(0, 2**32 - 1), n=st.integers(1, 600), epochs=st.integers(1, 4))
def test_orders_are_those_of_numpys_own_shuffle_and_leave_its_state(seed, n, epochs):
    random, numpys = np.random.RandomState(seed), np.random.RandomState(seed)
    before = np.random.default_rng(seed).permutation(n).astype(np.int32)
    orders = shuffled_orders(random, before, epochs)
    expected = before
    for row in orders:
        moves = np.arange(n)
        numpys.shuffle(moves)
        expected = expected[moves]
        np.testing.assert_array_equal(row, expected)
    assert random.random_sample() == numpys.random_sample()


def test_orders_are_the_same_without_the_compiled_core(monkeypatch):
    before = np.arange(1000, dtype=np.int32)
    compiled = shuffled_orders(np.random.RandomState(3), before, 3)
    monkeypatch.setattr(extension, "native", None)
    np.testing.assert_array_equal(shuffled_orders(np.random.RandomState(3), before, 3), compiled)


@pytest.mark.skipif(extension.native is None, reason="no compiled core")
def test_the_core_refuses_an_order_of_other_examples_and_another_capsule():
    generator = np.random.RandomState(0)._bit_generator
    orders = np.empty((1, 3), np.int32)
    with pytest.raises(ValueError, match="indices of its own examples"):
        extension.native.shuffled_orders(generator.capsule, np.array([0, 1, 3], np.int32), orders)
    with pytest.raises(ValueError, match="bit generators"):
        extension.native.shuffled_orders(datetime_CAPI, np.arange(3, dtype=np.int32), orders)
