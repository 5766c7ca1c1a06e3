"""The outputs of a network as an image."""

from dataclasses import replace

import numpy as np
import pytest

from chainrule.pictures.animation.film import Plane
from chainrule.pictures.animation.shading import banded, image, shades
from chainrule.pictures.animation.theme import DARK, LIGHT

POINTS = np.zeros((1, 2))
PLANE = Plane(
    ("a", "b"), (0, 1, 0, 1), POINTS, np.zeros(1), np.zeros(1, bool), classes=("no", "yes")
)
VALUES = replace(PLANE, classes=(), low=0.0, high=1.0)


def rgb(colour):
    return [int(colour[place : place + 2], 16) for place in (1, 3, 5)]


def test_the_lower_row_of_the_grid_is_at_the_bottom_of_the_image():
    outputs = np.zeros((8, 8))
    outputs[:2] = 1
    found = banded(outputs, VALUES, 16)
    assert (found[-2:] == 15).all()
    assert (found[:8] == 0).all()


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_classes_are_tints_of_their_colours_and_a_line_divides_them(theme):
    share = np.tile(np.linspace(0.02, 0.98, 50), (50, 1))
    found = image(np.stack([1 - share, share], axis=2), PLANE, theme, 100)
    ground = np.array(rgb(theme.ground))
    for column, index in ((2, 0), (97, 1)):
        tint = (found[50, column].astype(float) - ground) / (
            np.array(rgb(theme.class_colour(index))) - ground
        )
        np.testing.assert_allclose(tint, 0.62, atol=0.03)
    assert found[50, 49:51].tolist() == [rgb(theme.ground)] * 2
    # The more certain, the stronger the colour.
    distances = np.abs(found[50].astype(int) - ground).sum(axis=1)
    assert (np.diff(distances[51:]) >= 0).all()


def test_every_index_fits_into_a_byte_however_many_classes_there_are():
    random = np.random.default_rng(0)
    for count in (2, 10, 42, 100, 254):
        plane = replace(PLANE, classes=tuple(map(str, range(count))))
        outputs = random.dirichlet(np.ones(count), (12, 12))
        found = banded(outputs, plane, 20)
        assert found.max() < min(256, len(shades(plane, LIGHT)))


def test_outputs_that_are_not_finite_are_drawn():
    outputs = np.full((4, 4), np.nan)
    outputs[0, 0], outputs[1, 1] = np.inf, -np.inf
    assert image(outputs, VALUES, LIGHT, 8).shape == (8, 8, 3)
