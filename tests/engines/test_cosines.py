"""The compiled cosines and sines of periodic embeddings: their errors, their ends, equal bits.

With w = 1 and c = 0, one value V cos(2πx) of an input is a cosine for V = 1, and it is all that the
output layer passes on.
"""

import mpmath
import numpy as np
import pytest

from chainrule.engines import extension
from chainrule.engines.base import Examples, Problem
from chainrule.engines.native import NativeEngine
from chainrule.network.layers import Dense, PeriodicEmbedding
from chainrule.network.spec import NetworkSpec
from tests.engines.instruction_sets import computing_with
from tests.engines.test_native import instruction_set

__all__ = ["instruction_set"]

native = extension.native
pytestmark = pytest.mark.skipif(native is None, reason="there is no compiled core")

SETS = native.cpu_info()["instruction_sets"] if native else []
FUSED = [name for name in SETS if name != "generic"]  # with fused multiply-adds
both = pytest.mark.parametrize("dtype", ["float32", "float64"])


def network(dtype):
    layers = (PeriodicEmbedding(frequencies=1, size=2), Dense(1, "identity"))
    spec = NetworkSpec(1, layers, "mse", dtype=dtype)
    w, c, V, d, W, b = 1.0, 0.0, 1.0, 0.0, (0.0, 1.0), 0.0
    return spec, np.array([w, c, V, d, *W, b], dtype)


def cosines(turns):
    spec, theta = network(turns.dtype.name)
    outputs = np.empty((len(turns), 1), turns.dtype)
    NativeEngine(1).forward(spec, theta, turns[:, None], outputs)
    return outputs[:, 0]


def sine_products(turns):
    """Return cos 2πt · sin 2πt for each t: with the target 0, minus the gradient of c."""
    spec, theta = network(turns.dtype.name)
    found = []
    for t in turns:
        gradient = np.empty_like(theta)
        data = Examples(np.full((1, 1), t), np.zeros((1, 1), turns.dtype))
        NativeEngine(1).loss_and_gradient(Problem(spec, theta, data), gradient)
        found.append(-gradient[1])
    return np.array(found)


def turns_of(dtype, n=2000):
    """Draw angles of all sizes up to half a million turns, and the places where signs change."""
    random = np.random.default_rng(0)
    drawn = 2.0 ** random.uniform(-30, 19, n) * random.choice([-1, 1], n)
    near = random.integers(-40, 41, n // 4) / 8 + random.normal(0, 1e-4, n // 4)
    return np.concatenate([drawn, near, np.arange(-16, 17) / 8]).astype(dtype)


def exact(function, t):
    with mpmath.workdps(60):
        return function(2 * mpmath.mpf(float(t)))


@both
def test_cosines_err_by_less_than_two_units_in_the_last_place(instruction_set, dtype):
    turns = turns_of(dtype)
    for t, found in zip(turns, cosines(turns), strict=True):
        right = exact(mpmath.cospi, t)
        unit = float(np.spacing(np.abs(np.asarray(float(right), dtype))))
        assert abs(mpmath.mpf(float(found)) - right) < 2 * unit, (t, found)


@both
def test_sines_err_by_less_than_two_units_in_the_last_place(instruction_set, dtype):
    turns = turns_of(dtype, 200)
    known = cosines(turns)
    for t, cosine, found in zip(turns, known, sine_products(turns), strict=True):
        right = exact(mpmath.sinpi, t) * float(cosine)
        # Of the sine, and half a unit for the product; a unit is up to twice as large beside it.
        unit = float(np.spacing(np.abs(np.asarray(float(right), dtype))))
        assert abs(mpmath.mpf(float(found)) - right) < 4.5 * unit, (t, found)


@both
def test_angles_without_end_have_no_cosine_and_large_ones_a_bounded_one(instruction_set, dtype):
    assert np.isnan(cosines(np.array([np.inf, -np.inf, np.nan], dtype))).all()
    largest = float(np.finfo(dtype).max)
    large = np.array([2.0**20 + 0.5, 2.0**52, -1e30, largest, -largest], dtype)
    found = cosines(large)
    assert (np.abs(found) <= 1).all()
    np.testing.assert_array_equal(found[1:], 1.0)


@pytest.mark.skipif(len(FUSED) < 2, reason="this CPU has one instruction set with fused products")
@both
def test_every_instruction_set_with_fused_products_gives_the_same_bits(dtype):
    turns = turns_of(dtype)
    results = []
    for name in FUSED:
        with computing_with(name):
            results.append((cosines(turns), sine_products(turns[:100])))
    for one in results[1:]:
        for array, first in zip(one, results[0], strict=True):
            np.testing.assert_array_equal(array.view(np.uint8), first.view(np.uint8))
