"""Hypothesis strategies, named by the shapes they draw; all arrays are NumPy float64.

Sizes come from a short list that holds 1, odd sizes and remainders of SIMD widths, few enough
that JAX compiles each shape once. Numbers come from a seed, in several magnitudes.
"""

from typing import NamedTuple

import numpy as np
from hypothesis import strategies as st

N_BY_M = ((1, 1), (1, 3), (2, 1), (3, 5), (8, 4), (17, 3))
"""(n, m): units and examples."""

LAYERS = ((1, 1, 1), (3, 2, 5), (2, 17, 1), (8, 1, 3), (17, 8, 2))
"""(n[l], n[l-1], m)."""


class Layer(NamedTuple):
    W: np.ndarray
    A_prev: np.ndarray
    b: np.ndarray
    delta: np.ndarray


def _normal(generator, shape, magnitude):
    return generator.standard_normal(shape) * magnitude


def _generators():
    return st.integers(0, 2**32 - 1).map(np.random.default_rng)


@st.composite
def n_by_m(draw, magnitudes=(1e-3, 1.0, 5.0), count=1):
    """Draw `count` arrays (n, m) of one shape."""
    shape, magnitude = draw(st.sampled_from(N_BY_M)), draw(st.sampled_from(magnitudes))
    generator = draw(_generators())
    arrays = tuple(_normal(generator, shape, magnitude) for _ in range(count))
    return arrays[0] if count == 1 else arrays


@st.composite
def layers(draw):
    """Draw W (n[l], n[l-1]), A_prev (n[l-1], m), b (n[l], 1) and delta (n[l], m)."""
    n, n_prev, m = draw(st.sampled_from(LAYERS))
    magnitude = draw(st.sampled_from((1e-3, 1.0, 30.0)))
    generator = draw(_generators())
    shapes = ((n, n_prev), (n_prev, m), (n, 1), (n, m))
    return Layer(*(_normal(generator, shape, magnitude) for shape in shapes))


@st.composite
def n_by_m_logits_and_targets(draw):
    """Draw Z (n, m) with |z| ≤ 5, and Y (n, m) in [0, 1] whose columns sum to anything."""
    shape = draw(st.sampled_from(N_BY_M))
    generator = draw(_generators())
    return generator.uniform(-5, 5, shape), generator.uniform(0, 1, shape)
