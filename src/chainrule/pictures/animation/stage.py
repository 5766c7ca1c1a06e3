"""One frame of a film as a matplotlib figure; the next frame changes what moves and no more."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from chainrule.pictures.animation.charts import ActivationPanel, GradientPanel, LossPanel
from chainrule.pictures.animation.film import Film, Scene
from chainrule.pictures.animation.map_panel import MapPanel
from chainrule.pictures.animation.network_panel import NetworkPanel
from chainrule.pictures.animation.theme import Theme, theme_named
from chainrule.pictures.canvas import blank, quiet_fonts
from chainrule.pictures.picture import Picture, wrapped

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH = 8.0
"""The width of a figure in inches; its resolution follows from the pixels that are asked for."""
HEIGHT = 5.2

# In inches.
_HEAD, _FOOT, _SIDE = 0.46, 0.42, 0.22
_MAP_LEFT, _CHART_LEFT, _CHART_GAP = 0.62, 0.44, 0.52
_BETWEEN = 0.66
_LARGEST_MAP = 3.6


class Stage:
    """A figure that shows the frames of a film.

    Parameters
    ----------
    film : Film
    theme : Theme
    height : float
        In inches; the width is `WIDTH`.
    dpi : float
    """

    def __init__(self, film: Film, theme: Theme, height: float = HEIGHT, dpi: float = 100) -> None:
        self._film, self._theme = film, theme
        self.figure = blank(WIDTH, height)
        self.figure.set_facecolor(theme.ground)
        self.figure.set_dpi(dpi)
        self._height = height
        self._panels: list[Any] = []
        self._heading = self.figure.text(
            _SIDE / WIDTH, 1 - 0.24 / height, "", fontsize=13, fontweight="bold",
            color=theme.ink, va="center",
        )  # fmt: skip
        self._numbers = self.figure.text(
            1 - _SIDE / WIDTH, 1 - 0.24 / height, "", fontsize=9, color=theme.muted,
            va="center", ha="right", parse_math=False,
        )  # fmt: skip
        self._lay_out(dpi)

    def _lay_out(self, dpi: float) -> None:
        film, theme = self._film, self._theme
        inner = self._height - _HEAD - _FOOT
        chart = min(1.5, 0.25 * inner)
        top = _FOOT + chart + _BETWEEN
        upper = self._height - _HEAD - top
        network_width = WIDTH - 2 * _SIDE
        if film.plane is not None:
            side = min(upper - 0.22, _LARGEST_MAP)
            left = WIDTH - _SIDE - side
            axes = self._axes(left, top, side, side)
            self._panels.append(MapPanel(axes, film.plane, theme, round(side * dpi)))
            network_width = left - _MAP_LEFT - _SIDE
        axes = self._axes(_SIDE, top - 0.1, network_width, upper + 0.1)
        self._panels.append(NetworkPanel(axes, film, theme, network_width, upper + 0.1))
        width = (WIDTH - _SIDE - _CHART_LEFT - 2 * _CHART_GAP) / 3
        charts = (LossPanel, ActivationPanel, GradientPanel)
        for number, panel in enumerate(charts):
            place = _CHART_LEFT + number * (width + _CHART_GAP)
            self._panels.append(panel(self._axes(place, _FOOT, width, chart), film, theme))

    def _axes(self, left: float, bottom: float, width: float, height: float) -> "Axes":
        place = (left / WIDTH, bottom / self._height, width / WIDTH, height / self._height)
        return self.figure.add_axes(place)

    def show(self, frame: int) -> None:
        """Show a frame."""
        scene: Scene = self._film.scene(frame)
        for panel in self._panels:
            panel.show(frame, scene)
        self._heading.set_text(f"epoch {self._film.epochs[frame]:,}")
        numbers = self._film.numbers(frame)
        self._numbers.set_text("   ".join(f"{name} {text}" for name, text in numbers))

    def images(self, frames: Sequence[int]) -> Iterator[NDArray[np.uint8]]:
        """Yield frames as images, (height, width, 3).

        What never changes is drawn once and copied; the next frame overwrites the same buffer, but
        each image is a copy.
        """
        from matplotlib.backends.backend_agg import FigureCanvasAgg

        canvas: Any = FigureCanvasAgg(self.figure)
        moving = [artist for panel in self._panels for artist in panel.moving]
        moving += [self._heading, self._numbers]
        for artist in moving:
            artist.set_animated(True)
        with quiet_fonts():
            canvas.draw()
            still = canvas.copy_from_bbox(self.figure.bbox)
            for frame in frames:
                canvas.restore_region(still)
                self.show(frame)
                for artist in moving:
                    artist.draw(canvas.get_renderer())
                yield np.asarray(canvas.buffer_rgba())[:, :, :3].copy()


def still(film: Film, theme_name: str = "light", frame: int = 0) -> Picture:
    """Return one frame of a film as a picture."""
    theme = theme_named(theme_name)

    def draw() -> "Figure":
        stage = Stage(film, theme)
        stage.show(frame)
        return stage.figure

    text = film.described(frame)
    return Picture(draw, wrapped(f"Training, {text}"), f"The training of a network: {text}")
