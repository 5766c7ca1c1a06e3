"""The network in a film: its units, and its weights as edges that change from frame to frame."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from chainrule.network.parameters import named_views, weights_between
from chainrule.pictures.animation.film import Film, Scene
from chainrule.pictures.animation.theme import Theme
from chainrule.pictures.canvas import shortened
from chainrule.pictures.network_drawing import edge_style

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.path import Path as Curve

MOST_UNITS = 16
"""Larger layers are drawn by their first and last units only."""

# Lengths in inches, which are the units of the axes.
_GAP = 0.32
_RADIUS = 0.095
_CAPTIONS = 0.34
_NAMES = 12
"""The longest name of an input or output; with more than `_MOST_NAMES` none is written."""
_MOST_NAMES = 10


class _Column(NamedTuple):
    x: float
    units: list[int]
    y: NDArray[np.float64]
    gap: float
    whole: bool


class NetworkPanel:
    """Draws the network into axes whose units are inches.

    Parameters
    ----------
    axes : Axes
    film : Film
    theme : Theme
    width, height : float
        Of the axes, in inches.
    """

    def __init__(self, axes: "Axes", film: Film, theme: Theme, width: float, height: float) -> None:
        from matplotlib.colors import Normalize

        self._film, self._theme = film, theme
        self._colours, self._scale = (
            theme.weight_colours(),
            Normalize(-film.weight_scale, film.weight_scale),
        )
        axes.set_xlim(0, width)
        axes.set_ylim(0, height)
        axes.axis("off")
        features = film.features if len(film.features) <= _MOST_NAMES else []
        outputs = film.outputs if len(film.outputs) <= _MOST_NAMES else []
        left, right = (
            0.25 + room + 0.07 * max((len(shortened(name, _NAMES)) for name in names), default=0)
            for names, room in ((features, 0.0), (outputs, 0.11))
        )
        sizes = [size for size, _ in film.captions]
        self._columns = _columns(sizes, left, width - right, height - _CAPTIONS)
        self._edges = [self._add_edges(axes) for _ in sizes[1:]]
        self._curves = [
            _curves(below, above)
            for below, above in zip(self._columns, self._columns[1:], strict=False)
        ]
        self._units = [self._add_units(axes, column) for column in self._columns]
        self._units[0].set_facecolor(theme.ground)
        self._write_names(axes, self._columns[0], features, -1)
        self._write_names(axes, self._columns[-1], outputs, 1)
        self._write_captions(axes, height)

    def _add_edges(self, axes: "Axes") -> Any:
        from matplotlib.collections import PathCollection

        edges = PathCollection([], facecolors="none", capstyle="round")
        axes.add_collection(edges, autolim=False)
        return edges

    def _add_units(self, axes: "Axes", column: _Column) -> Any:
        from matplotlib.collections import PatchCollection
        from matplotlib.patches import Circle

        radius = min(_RADIUS, 0.4 * column.gap)
        units = PatchCollection(
            [Circle((column.x, y), radius) for y in column.y],
            edgecolors=self._theme.ink,
            linewidths=0.8,
            zorder=3,
        )
        axes.add_collection(units, autolim=False)
        if not column.whole:
            middle = float(np.mean(column.y)) + np.array([-1, 0, 1]) * 0.35 * column.gap
            axes.plot([column.x] * 3, middle, ".", markersize=2.5, color=self._theme.ink, zorder=3)
        return units

    def _write_names(self, axes: "Axes", column: _Column, names: Sequence[str], side: int) -> None:
        if not names:
            return
        plane = self._film.plane
        classed = side > 0 and plane is not None and len(plane.classes) == len(names)
        x = column.x + side * (min(_RADIUS, 0.4 * column.gap) + 0.06)
        for unit, y in zip(column.units, column.y, strict=True):
            if classed:  # in the class's colour on the map
                colour = self._theme.class_colour(unit)
                axes.plot([x + 0.03], [y], "o", color=colour, markersize=4)
            axes.text(
                x + classed * 0.11,
                y,
                shortened(names[unit], _NAMES),
                ha="right" if side < 0 else "left",
                va="center_baseline",
                fontsize=8,
                color=self._theme.ink,
                parse_math=False,
            )

    def _write_captions(self, axes: "Axes", height: float) -> None:
        # Neighbouring captions must not run into each other.
        room = (self._columns[1].x - self._columns[0].x) / 0.075
        for index, (column, (size, detail)) in enumerate(
            zip(self._columns, self._film.captions, strict=True)
        ):
            last = index == len(self._columns) - 1
            title = "inputs" if index == 0 else "output" if last else f"layer {index}"
            style: dict[str, Any] = {"ha": "center", "va": "center", "parse_math": False}
            axes.text(
                column.x,
                height - 0.07,
                title,
                fontsize=8,
                fontweight="bold",
                color=self._theme.ink,
                **style,
            )
            axes.text(
                column.x,
                height - 0.22,
                _short_caption(size, detail, room),
                fontsize=7.5,
                color=self._theme.muted,
                **style,
            )

    @property
    def moving(self) -> "list[Artist]":
        """What changes from frame to frame."""
        return [*self._edges, *self._units]

    def show(self, frame: int, scene: Scene) -> None:
        """Show the weights and biases of a frame."""
        spec = self._film.spec
        units = [column.units for column in self._columns]
        weights = weights_between(spec, scene.parameters, units)
        for edges, curves, W in zip(self._edges, self._curves, weights, strict=True):
            style = edge_style(np.nan_to_num(W), self._colours, self._scale)
            edges.set_paths([curves[index] for index in style.order])
            edges.set_edgecolor(style.colours)
            edges.set_linewidth(0.7 * style.widths)
        for circles, column, b in zip(
            self._units[1:],
            self._columns[1:],
            named_views(spec, scene.parameters, "b"),
            strict=True,
        ):
            circles.set_facecolor(
                self._colours(self._scale(np.nan_to_num(b.reshape(-1)[column.units])))
            )


def _short_caption(size: int, detail: str, room: float) -> str:
    """Return what fits of a layer's description: all, its layer with weights, or its size."""
    for text in (detail, f"{detail.partition(',')[0]} …"):
        if len(text) <= room:
            return text
    return str(size)


def drawn_units(size: int, most: int = MOST_UNITS) -> list[int]:
    """Return the indices of the units that are drawn: all, or the first and last ones."""
    if size <= most:
        return list(range(size))
    half = (most - 2) // 2  # two places are left free for the ellipsis
    return [*range(half), *range(size - half, size)]


def _columns(sizes: list[int], left: float, right: float, height: float) -> list[_Column]:
    columns = []
    for x, size in zip(np.linspace(left, right, len(sizes)), sizes, strict=True):
        slots = min(size, MOST_UNITS)
        gap = min(_GAP, height / slots)
        y = np.asarray(height / 2 + ((slots - 1) / 2 - np.arange(slots)) * gap, np.float64)
        if size > slots:
            y = np.delete(y, [slots // 2 - 1, slots // 2])
        columns.append(_Column(float(x), drawn_units(size), y, gap, size == slots))
    return columns


def _curves(below: _Column, above: _Column) -> "list[Curve]":
    from matplotlib.path import Path as Curve

    codes = [Curve.MOVETO, Curve.CURVE4, Curve.CURVE4, Curve.CURVE4]
    bend = 0.35 * (above.x - below.x)
    return [
        Curve(
            [(below.x, low), (below.x + bend, low), (above.x - bend, high), (above.x, high)], codes
        )
        for high in above.y
        for low in below.y
    ]
