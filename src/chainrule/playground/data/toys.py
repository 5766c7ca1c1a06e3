"""Toy data: points of a plane that are to be separated, or values over it that are to be learned.

They are those of TensorFlow Playground, from their mathematical description. All numbers are
rounded to six decimals, so that a seed gives the same table on every machine: sines and logarithms
differ between machines in the last bits.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from chainrule.errors import InvalidArgumentError
from chainrule.limits import Number, Whole
from chainrule.suggestions import did_you_mean
from chainrule.tables.task import Task

if TYPE_CHECKING:
    import polars as pl

Floats: TypeAlias = NDArray[np.float64]
Random: TypeAlias = np.random.RandomState

RADIUS = 6.0
"""The points lie in the square from −6 to 6."""

CLASSES = ("minus", "plus")
TARGETS: Mapping[Task, str] = {"classification": "class", "regression": "value"}

INPUTS: Mapping[str, str] = {
    "x1": "x₁",
    "x2": "x₂",
    "x1_squared": "x₁²",
    "x2_squared": "x₂²",
    "x1_times_x2": "x₁x₂",
    "sin_x1": "sin x₁",
    "sin_x2": "sin x₂",
}
"""The columns to learn from, with what they are."""

ROWS, NOISE, SEED = Whole(20, 10_000), Number(0, 50, open_high=False), Whole(0, 2**32 - 1)

Points: TypeAlias = tuple[Floats, Floats, Floats]
"""x₁, x₂ and the label: −1 or 1, or a value between them."""


@dataclass(frozen=True)
class Toy:
    """A kind of toy data.

    Parameters
    ----------
    name, title, about : str
    task : {"classification", "regression"}
    points : callable
        Draws points from a random state, a number of points, and the share of noise from 0 to 0.5.
    """

    name: str
    title: str
    about: str
    task: Task
    points: Callable[[Random, int, float], Points]

    @property
    def target(self) -> str:
        """The column to predict."""
        return TARGETS[self.task]


def _circle(random: Random, n: int, noise: float) -> Points:
    outer = 5.0
    inside = np.arange(n) < n // 2
    low, high = np.where(inside, 0.0, 0.7 * outer), np.where(inside, 0.5 * outer, outer)
    radius = random.uniform(low, high)
    angle = random.uniform(0, 2 * math.pi, n)
    x, y = radius * np.sin(angle), radius * np.cos(angle)
    # Noise moves the point that is judged, not the one that is shown.
    dx, dy = random.uniform(-outer, outer, (2, n)) * noise
    return x, y, np.where(np.hypot(x + dx, y + dy) < 0.5 * outer, 1.0, -1.0)


def _xor(random: Random, n: int, noise: float) -> Points:
    gap = 0.3
    x, y = random.uniform(-5, 5, (2, n))
    x, y = x + np.where(x > 0, gap, -gap), y + np.where(y > 0, gap, -gap)
    dx, dy = random.uniform(-5, 5, (2, n)) * noise
    return x, y, np.where((x + dx) * (y + dy) >= 0, 1.0, -1.0)


def _gauss(random: Random, n: int, noise: float) -> Points:
    deviation = math.sqrt(0.5 + 7 * noise)  # a variance from 0.5 to 4
    label = np.where(np.arange(n) < n // 2, 1.0, -1.0)
    x, y = random.standard_normal((2, n)) * deviation + 2 * label
    return x, y, label


def _spiral(random: Random, n: int, noise: float) -> Points:
    half = n // 2
    place = np.concatenate([np.arange(half) / half, np.arange(n - half) / (n - half)])
    first = np.arange(n) < half
    radius = 5 * place
    angle = 1.75 * place * 2 * math.pi + np.where(first, 0.0, math.pi)
    dx, dy = random.uniform(-1, 1, (2, n)) * noise
    return radius * np.sin(angle) + dx, radius * np.cos(angle) + dy, np.where(first, 1.0, -1.0)


def _plane(random: Random, n: int, noise: float) -> Points:
    x, y = random.uniform(-RADIUS, RADIUS, (2, n))
    dx, dy = random.uniform(-RADIUS, RADIUS, (2, n)) * noise
    return x, y, (x + dx + y + dy) / 10


_HILLS = (
    *((-4.0, 2.5, 1.0), (0.0, 2.5, -1.0), (4.0, 2.5, 1.0)),
    *((-4.0, -2.5, -1.0), (0.0, -2.5, 1.0), (4.0, -2.5, -1.0)),
)


def _multi_gauss(random: Random, n: int, noise: float) -> Points:
    x, y = random.uniform(-RADIUS, RADIUS, (2, n))
    dx, dy = random.uniform(-RADIUS, RADIUS, (2, n)) * noise
    label = np.zeros(n)
    for center_x, center_y, sign in _HILLS:
        distance = np.hypot(x + dx - center_x, y + dy - center_y)
        height = sign * np.clip(1 - distance / 2, 0, 1)
        label = np.where(np.abs(height) > np.abs(label), height, label)
    return x, y, label


TOYS: Mapping[str, Toy] = {
    toy.name: toy
    for toy in (
        Toy("circle", "Circle", "A disc inside a ring.", "classification", _circle),
        Toy("xor", "Exclusive or", "Opposite quadrants belong together.", "classification", _xor),
        Toy("gauss", "Gauss", "Two clouds of points.", "classification", _gauss),
        Toy("spiral", "Spiral", "Two arms of a spiral.", "classification", _spiral),
        Toy("plane", "Plane", "A value that increases linearly.", "regression", _plane),
        Toy("multi-gauss", "Hills", "Three maxima and three minima.", "regression", _multi_gauss),
    )
}


def toy_table(name: str, noise: float = 0.0, rows: int = 500, seed: int = 0) -> "pl.DataFrame":
    """Return a table of toy data.

    Parameters
    ----------
    name : {"circle", "xor", "gauss", "spiral", "plane", "multi-gauss"}
    noise : float
        From 0 to 50, in percent.
    rows : int
        From 20 to 10,000.
    seed : int

    Returns
    -------
    polars.DataFrame
        The columns of `INPUTS`, then "class" (minus or plus) or "value".

    Raises
    ------
    InvalidArgumentError
        If an argument is invalid.

    Examples
    --------
    >>> from chainrule.playground.data.toys import toy_table
    >>> toy_table("xor", rows=20).columns[:4]
    ['x1', 'x2', 'x1_squared', 'x2_squared']
    """
    import polars as pl

    if not isinstance(name, str) or name not in TOYS:
        raise InvalidArgumentError(
            f"data: expected one of {', '.join(TOYS)}; got {name!r}{did_you_mean(name, TOYS)}"
        )
    toy = TOYS[name]
    NOISE.require(noise, "noise: expected")
    ROWS.require(rows, "rows: expected")
    SEED.require(seed, "seed: expected")
    x, y, label = toy.points(np.random.RandomState(seed), rows, noise / 100)
    table = inputs_at(x, y)
    if toy.task == "regression":
        return table.with_columns(pl.Series(toy.target, label.round(6)))
    return table.with_columns(pl.Series(toy.target, [CLASSES[int(one > 0)] for one in label]))


def inputs_at(x1: Floats, x2: Floats) -> "pl.DataFrame":
    """Return the columns to learn from at some points of the plane."""
    import polars as pl

    x1, x2 = x1.round(6), x2.round(6)
    return pl.DataFrame(
        {
            "x1": x1,
            "x2": x2,
            "x1_squared": (x1 * x1).round(6),
            "x2_squared": (x2 * x2).round(6),
            "x1_times_x2": (x1 * x2).round(6),
            "sin_x1": np.sin(x1).round(6),
            "sin_x2": np.sin(x2).round(6),
        }
    )
