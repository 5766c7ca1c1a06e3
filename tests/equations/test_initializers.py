"""IN0 to IN7."""

import math

import numpy as np
import pytest

from chainrule.network.registry.initializers import INITIALIZERS
from tests.numerics import as_float64, assert_within, epsilon

N_IN, N_OUT = 8, 16
DRAWS = np.linspace(-1, 1, N_IN * N_OUT).reshape(N_OUT, N_IN)

# What a draw of 1 becomes: a uniform initialiser's limit, a normal one's standard deviation.
SCALES = {
    "zeros": ("IN0", 0.0),
    "glorot_uniform": ("IN1", 0.5),  # √(6/24)
    "glorot_normal": ("IN2", 1 / math.sqrt(12)),  # √(2/24)
    "he_uniform": ("IN3", math.sqrt(3) / 2),  # √(6/8)
    "he_normal": ("IN4", 0.5),  # √(2/8)
    "lecun_uniform": ("IN5", math.sqrt(6) / 4),  # √(3/8)
    "lecun_normal": ("IN6", math.sqrt(2) / 4),  # √(1/8)
    "nielsen": ("IN7", math.sqrt(2) / 4),
}


def test_every_initializer_has_a_worked_scale():
    assert set(SCALES) == set(INITIALIZERS)


@pytest.mark.parametrize(
    ("name", "scale"),
    [(name, scale) for name, (_, scale) in SCALES.items()],
    ids=[f"{id}-{name}" for name, (id, _) in SCALES.items()],
)
def test_initializer_scales_its_draws_by_the_formula(array, dtype, name, scale):
    draws = array(DRAWS)
    W = INITIALIZERS[name].function(draws, N_IN, N_OUT)
    # The scale, as a number of the array's precision, and the product: two roundings.
    expected = scale * as_float64(draws)
    assert_within(W, expected, 2 * epsilon(dtype) * np.abs(expected))


@pytest.mark.parametrize("family", ["glorot", "he", "lecun"])
def test_uniform_and_normal_forms_have_the_same_variance(family):
    one = np.ones((1, 1))
    limit = INITIALIZERS[f"{family}_uniform"].function(one, 5, 3)[0, 0]
    deviation = INITIALIZERS[f"{family}_normal"].function(one, 5, 3)[0, 0]
    # Uniform on [−c, c): variance c²/3.
    assert limit**2 / 3 == pytest.approx(deviation**2, rel=8 * epsilon("float64"))


def test_table_says_which_draws_an_initializer_takes():
    assert {name: row.draws for name, row in INITIALIZERS.items() if name != "zeros"} == {
        name: "uniform" if name.endswith("uniform") else "normal"
        for name in SCALES
        if name != "zeros"
    }
