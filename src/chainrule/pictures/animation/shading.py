"""A network's outputs on a plane as an image: classes by colour and certainty, values by colour."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from chainrule.pictures.animation.film import Plane, Values
from chainrule.pictures.animation.theme import Theme

# Bands instead of a gradient: their edges are lines of equal probability, and they compress well.
_CERTAINTIES = 6
_VALUES = 16
_OPACITY = (0.10, 0.62)
"""Of a class's colour, from an undecided network to a certain one."""


def image(outputs: Values, plane: Plane, theme: Theme, pixels: int) -> NDArray[np.uint8]:
    """Return the outputs on a grid as an image, (pixels, pixels, 3), its first row at the top."""
    return shades(plane, theme)[banded(outputs, plane, pixels)]


def banded(outputs: Values, plane: Plane, pixels: int) -> NDArray[np.intp]:
    """Return the outputs as indices into `shades`, (pixels, pixels), the first row at the top."""
    outputs = np.nan_to_num(outputs[::-1].astype(np.float32))
    if plane.classes:
        return _bands_of_classes(outputs, pixels)
    shares = np.clip((outputs - plane.low) / (plane.high - plane.low), 0, 1)
    return _bands(_enlarged(shares, pixels), _VALUES)


def shades(plane: Plane, theme: Theme) -> NDArray[np.uint8]:
    """Return the colours of a plane, (colours, 3).

    Of classes, the first one is that of the boundaries.
    """
    return _class_shades(theme, len(plane.classes)) if plane.classes else value_colours(theme)


@lru_cache(maxsize=4)
def value_colours(theme: Theme) -> NDArray[np.uint8]:
    """Return the colour of each band of values, (bands, 3)."""
    from matplotlib import colormaps

    colours = colormaps[theme.values](np.linspace(0.04, 0.98, _VALUES))[:, :3]
    return _mixed(colours, theme, np.full(_VALUES, 0.85))


def _bands_of_classes(outputs: Values, pixels: int) -> NDArray[np.intp]:
    """Return which class is the most probable, and how certain it is, in bands."""
    count = outputs.shape[2]
    large = np.stack([_enlarged(outputs[:, :, index], pixels) for index in range(count)])
    winners = large.argmax(axis=0)
    certainty = (np.take_along_axis(large, winners[None], 0)[0] - 1 / count) / (1 - 1 / count)
    certainties = _certainties(count)
    found = 1 + winners * certainties + _bands(np.clip(certainty, 0, 1), certainties)
    # The boundary is a line of the ground's colour, some two pixels thick.
    edge = np.zeros(winners.shape, bool)
    edge[:, 1:] |= winners[:, 1:] != winners[:, :-1]
    edge[1:] |= winners[1:] != winners[:-1]
    edge[:, :-1] |= edge[:, 1:]
    return np.where(edge, 0, found)


def _certainties(count: int) -> int:
    """Return the number of shades of a class: an index must fit into a byte."""
    return max(1, min(_CERTAINTIES, 255 // count))


@lru_cache(maxsize=8)
def _class_shades(theme: Theme, count: int) -> NDArray[np.uint8]:
    """Return the ground, then each class's shades, from undecided to certain."""
    certainties = _certainties(count)
    solid = np.array([_rgb(theme.class_colour(index)) for index in range(count)]) / 255
    opacities = np.linspace(*_OPACITY, certainties)
    mixed = _mixed(np.repeat(solid, certainties, axis=0), theme, np.tile(opacities, count))
    return np.concatenate([np.array([_rgb(theme.ground)], np.uint8), mixed])


def _mixed(
    colours: NDArray[np.float64], theme: Theme, opacities: NDArray[np.float64]
) -> NDArray[np.uint8]:
    ground = np.array(_rgb(theme.ground)) / 255
    mixed = ground + opacities[:, None] * (colours - ground)
    return np.round(255 * mixed).astype(np.uint8)


def _bands(shares: Values, bands: int) -> NDArray[np.intp]:
    return np.minimum((shares * bands).astype(np.intp), bands - 1)


def _enlarged(values: Values, pixels: int) -> Values:
    """Interpolate linearly between the middles of cells."""
    below, above, share = _neighbours(len(values), pixels)
    rows = values[below] + share[:, None] * (values[above] - values[below])
    return np.asarray(rows[:, below] + share * (rows[:, above] - rows[:, below]))


@lru_cache(maxsize=8)
def _neighbours(
    size: int, pixels: int
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float32]]:
    places = np.clip((np.arange(pixels) + 0.5) * size / pixels - 0.5, 0, size - 1)
    below = places.astype(np.intp)
    return below, np.minimum(below + 1, size - 1), (places - below).astype(np.float32)


def _rgb(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
