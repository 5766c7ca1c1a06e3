"""The map in a film: the decision boundary, or the values, on a plane with the examples."""

from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.pictures.animation.charts import style_axes, title
from chainrule.pictures.animation.film import Plane, Scene, grid_of
from chainrule.pictures.animation.shading import image, value_colours
from chainrule.pictures.animation.theme import Theme
from chainrule.pictures.canvas import shortened

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

_LONGEST_LEGEND = 16
"""Of the names of the classes in the title, in letters; longer ones stand at the outputs alone."""


class MapPanel:
    """Draws a network's outputs on a plane.

    Parameters
    ----------
    axes : Axes
    plane : Plane
    theme : Theme
    pixels : int
        Of the map along each axis.
    """

    def __init__(self, axes: "Axes", plane: Plane, theme: Theme, pixels: int) -> None:
        self._plane, self._theme, self._pixels = plane, theme, pixels
        left, right, bottom, top = plane.limits
        axes.set_xlim(left, right)
        axes.set_ylim(bottom, top)
        style_axes(axes, theme, grid=plane.is_line)
        axes.set_xlabel(
            shortened(plane.labels[0], 48), fontsize=8, color=theme.muted, parse_math=False
        )
        axes.set_ylabel(
            shortened(plane.labels[1], 42), fontsize=8, color=theme.muted, parse_math=False
        )
        if not plane.ticks:
            axes.tick_params(left=False, bottom=False, labelleft=False, labelbottom=False)
        self.moving: list[Artist] = []
        self._lines: list[Any] = []
        self._image: Any = None
        if plane.is_line:
            self._add_points(axes)
            count = max(1, len(plane.classes))
            for index in range(1 if count <= 2 else count):
                colour = theme.ink if count <= 2 else theme.class_colour(index)
                (line,) = axes.plot([], [], color=colour, linewidth=1.8, zorder=4)
                self._lines.append(line)
            self.moving += self._lines
        else:
            blank = np.zeros((pixels, pixels, 3), np.uint8)
            self._image = axes.imshow(
                blank, extent=plane.limits, aspect="auto", interpolation="nearest", zorder=0
            )
            self.moving.append(self._image)
            self.moving += self._add_points(axes)
        self._write_title(axes)

    def _add_points(self, axes: "Axes") -> "list[Artist]":
        plane, theme = self._plane, self._theme
        if plane.classes:
            colours = np.array([theme.class_colour(int(index)) for index in plane.targets])
        else:
            shades = value_colours(theme)
            shares = np.clip((plane.targets - plane.low) / (plane.high - plane.low), 0, 1)
            colours = shades[np.round(shares * (len(shades) - 1)).astype(int)] / 255
        found: list[Artist] = []
        size = float(np.clip(2600 / max(1, len(plane.points)), 7, 20))
        for part, marker in ((~plane.held_out, "o"), (plane.held_out, "s")):
            if part.any():
                found.append(
                    axes.scatter(
                        plane.points[part, 0],
                        plane.points[part, 1],
                        s=size,
                        c=colours[part],
                        marker=marker,
                        edgecolors=theme.ground,
                        linewidths=0.5,
                        zorder=2,
                    )
                )
        return found

    def _write_title(self, axes: "Axes") -> None:
        plane, theme = self._plane, self._theme
        words: list[tuple[str, str]] = [(plane.title if plane.classes else "Prediction", theme.ink)]
        if plane.classes:
            names = [shortened(name, 12) for name in plane.classes]
            if sum(len(name) + 2 for name in names) <= _LONGEST_LEGEND:
                for index, name in enumerate(names):
                    words += [("●", theme.class_colour(index)), (name, theme.ink)]
        else:
            words.append((f"of {shortened(plane.title, 24)}", theme.ink))
            if not plane.is_line:
                words.append((f"{plane.low:.3g} to {plane.high:.3g}", theme.muted))
        title(axes, words)

    def show(self, frame: int, scene: Scene) -> None:
        """Show the outputs of a frame."""
        if scene.outputs is None:
            return
        if self._image is not None:
            self._image.set_data(image(scene.outputs, self._plane, self._theme, self._pixels))
            return
        across, _ = grid_of(self._plane, len(scene.outputs))
        columns = scene.outputs.reshape(len(across), -1)
        if columns.shape[1] == 2:  # the second one is the first one's complement
            columns = columns[:, 1:]
        for index, line in enumerate(self._lines):
            line.set_data(across, columns[:, index])
