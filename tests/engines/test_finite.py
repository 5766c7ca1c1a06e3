"""Whether an array is finite, wherever in it the one number is that is not."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule.engines import extension
from chainrule.engines.finite import all_finite

LARGE = 3 << 20  # bytes that several threads share


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@given(n=st.integers(0, 300), start=st.integers(0, 9), seed=st.integers(0, 2**32))
def test_every_finite_number_passes(dtype, n, start, seed):
    info = np.finfo(dtype)
    extremes = [0, -0.0, info.max, info.min, info.tiny, info.smallest_subnormal, 1, -1]
    array = np.random.default_rng(seed).choice(np.array(extremes, dtype), start + n)
    assert all_finite(array[start:])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@given(data=st.data(), n=st.integers(1, 300), start=st.integers(0, 9))
@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_one_number_that_is_not_finite_is_found(dtype, wrong, data, n, start):
    array = np.full(start + n, np.finfo(dtype).max, dtype)
    array[start + data.draw(st.integers(0, n - 1))] = wrong
    assert not all_finite(array[start:])


def test_numbers_before_and_after_a_view_do_not_matter():
    array = np.full(100, np.nan, np.float32)
    array[3:90] = 1
    assert all_finite(array[3:90])


@pytest.mark.skipif(extension.native is None, reason="there is no compiled core")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("threads", [-1, 1, 2, 3, 5])
def test_threads_look_at_every_number_of_a_large_array(dtype, threads):
    array = np.ones(LARGE // np.dtype(dtype).itemsize + 7, dtype)
    assert extension.native.all_finite(array, threads)
    for place in np.linspace(0, len(array) - 1, 23).astype(int):
        array[place] = np.nan
        assert not extension.native.all_finite(array, threads)
        array[place] = 1
