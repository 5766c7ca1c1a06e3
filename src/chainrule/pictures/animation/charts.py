"""The charts of a film: the losses, the activations and the gradients of the layers."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from chainrule.pictures.animation.film import Film, Scene
from chainrule.pictures.animation.theme import Theme
from chainrule.pictures.curves import LOGARITHMIC_FROM

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

MOST_LAYERS = 4
"""Of deeper networks, the first and last layers with weights are drawn."""
# A curve has no more points than a screen shows.
_MOST_POINTS = 600


def drawn(count: int) -> list[int]:
    """Return the indices of the layers that are drawn."""
    if count <= MOST_LAYERS:
        return list(range(count))
    half = MOST_LAYERS // 2
    return [*range(half), *range(count - half, count)]


def style_axes(axes: "Axes", theme: Theme, grid: bool = True) -> None:
    """Reduce axes to what carries meaning, in the colours of a theme."""
    axes.set_facecolor(theme.ground)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(theme.muted)
    axes.tick_params(colors=theme.muted, labelsize=7.5, length=2.5, pad=2)
    axes.tick_params(which="minor", length=0)
    if grid:
        axes.grid(True, color=theme.faint, linewidth=0.6)
        axes.set_axisbelow(True)


def title(axes: "Axes", words: Sequence[tuple[str, str]]) -> None:
    """Write words, each in its colour, above axes: the first one is the title."""
    from matplotlib.offsetbox import AnchoredOffsetbox, HPacker, TextArea

    boxes: list[Artist] = [
        TextArea(
            text,
            textprops={
                "color": colour,
                "fontsize": 9 if index == 0 else 8,
                "fontweight": "bold" if index == 0 else "normal",
                "parse_math": False,
            },
        )
        for index, (text, colour) in enumerate(words)
    ]
    packed = HPacker(children=boxes, pad=0, sep=6, align="baseline")
    axes.add_artist(
        AnchoredOffsetbox(
            "lower left",
            child=packed,
            pad=0,
            borderpad=0,
            frameon=False,
            bbox_to_anchor=(0, 1.035),
            bbox_transform=axes.transAxes,
        )
    )


class _Curves:
    """Curves over the epochs: faint as a whole, strong up to the epoch of the frame."""

    def __init__(
        self,
        axes: "Axes",
        theme: Theme,
        epochs: Sequence[float],
        values: "Sequence[Sequence[float] | NDArray[np.float64]]",
        colours: Sequence[str],
    ) -> None:
        self._epochs = np.asarray(epochs, np.float64)
        self._values = [np.asarray(one, np.float64) for one in values]
        self._lines: list[Any] = []
        self._dots: list[Any] = []
        shown = np.unique(
            np.linspace(0, len(self._epochs) - 1, min(len(self._epochs), _MOST_POINTS)).astype(int)
        )
        self._shown = shown
        for series, colour in zip(self._values, colours, strict=True):
            axes.plot(self._epochs[shown], series[shown], color=colour, linewidth=1.0, alpha=0.22)
            (line,) = axes.plot([], [], color=colour, linewidth=1.5, solid_capstyle="round")
            (dot,) = axes.plot([], [], "o", color=colour, markersize=3.5, clip_on=False, zorder=5)
            self._lines.append(line)
            self._dots.append(dot)
        finite = np.concatenate([series[np.isfinite(series)] for series in self._values])
        _limit(axes, self._epochs, finite)
        style_axes(axes, theme)
        axes.set_xlabel("epoch", fontsize=8, color=theme.muted, labelpad=1)

    @property
    def moving(self) -> "list[Artist]":
        return [*self._lines, *self._dots]

    def show(self, row: int) -> None:
        """Show the curves up to a row of the history."""
        upto = np.append(self._shown[self._shown < row], row)
        for line, dot, series in zip(self._lines, self._dots, self._values, strict=True):
            line.set_data(self._epochs[upto], series[upto])
            dot.set_data(self._epochs[[row]], series[[row]])


def _limit(axes: "Axes", epochs: NDArray[np.float64], values: NDArray[np.float64]) -> None:
    from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter

    first, last = float(epochs[0]), float(epochs[-1])
    axes.set_xlim(first, last if last > first else first + 1)
    axes.xaxis.set_major_locator(MaxNLocator(4, integer=True, steps=[1, 2, 5, 10]))
    positive = values[values > 0]
    if positive.size == values.size > 0 and values.max() / values.min() > LOGARITHMIC_FROM:
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(10, numticks=5))
        axes.yaxis.set_minor_formatter(NullFormatter())
        axes.set_ylim(values.min() / 1.2, values.max() * 1.2)
        return
    axes.yaxis.set_major_locator(MaxNLocator(4))
    low = min(0.0, float(values.min(initial=0.0)))
    axes.set_ylim(low, 1.08 * float(values.max(initial=low + 1e-12)) or 1.0)


class LossPanel:
    """Draws the training loss and the validation loss over the epochs."""

    def __init__(self, axes: "Axes", film: Film, theme: Theme) -> None:
        self._film = film
        series = [
            (film.columns[name], colour, text)
            for name, colour, text in (
                ("loss", theme.training, "training"),
                ("validation_loss", theme.validation, "validation"),
            )
            if name in film.columns
        ]
        self._curves = _Curves(
            axes,
            theme,
            film.columns["epoch"],
            [values for values, _, _ in series],
            [colour for _, colour, _ in series],
        )
        words = [("Loss", theme.ink), *((f"— {text}", colour) for _, colour, text in series)]
        self.moving = self._curves.moving
        if film.best_epoch is not None and film.best_epoch in film.row_of:
            words.append((f"kept: {film.best_epoch}", theme.muted))
            axes.axvline(
                film.best_epoch, color=theme.muted, linewidth=0.8, linestyle=(0, (2, 3)), zorder=1
            )

        title(axes, words)

    def show(self, frame: int, scene: Scene) -> None:
        """Show the losses up to the epoch of a frame."""
        self._curves.show(self._film.row_of[self._film.epochs[frame]])


class GradientPanel:
    """Draws the norm of the gradient of each layer's weights over the epochs of the frames."""

    def __init__(self, axes: "Axes", film: Film, theme: Theme) -> None:
        count = film.gradient_norms.shape[1]
        layers = drawn(count)
        palette = theme.layer_colours(count)
        self._curves = _Curves(
            axes,
            theme,
            film.epochs,
            [film.gradient_norms[:, layer] for layer in layers],
            [palette[layer] for layer in layers],
        )
        names = [(layer_name(layer, count), palette[layer]) for layer in layers]
        title(axes, [("Gradient norm", theme.ink), *names])
        self.moving = self._curves.moving

    def show(self, frame: int, scene: Scene) -> None:
        """Show the norms up to a frame."""
        self._curves.show(frame)


def layer_name(layer: int, count: int) -> str:
    """Return the name of a layer with weights, counted from 0, as short as a chart needs it."""
    return "output" if layer == count - 1 else str(layer + 1)


class ActivationPanel:
    """Draws a histogram of each layer's activations, one above the other, the first at the top."""

    def __init__(self, axes: "Axes", film: Film, theme: Theme) -> None:
        from matplotlib.patches import Polygon

        count = len(film.layers)
        self._layers = drawn(count)
        self._rows = len(self._layers)
        palette = theme.layer_colours(count)
        axes.set_xlim(0, 1)
        axes.set_ylim(0, self._rows)
        axes.axis("off")
        self.moving: list[Artist] = []
        for row, layer in enumerate(self._layers):
            base = self._base(row)
            colour = palette[layer]
            area = Polygon(
                [(0, base), (1, base)], closed=True, facecolor=colour, alpha=0.75, linewidth=0
            )
            axes.add_patch(area)
            self.moving.append(area)
            axes.plot([0, 1], [base, base], color=theme.muted, linewidth=0.7, clip_on=False)
            ends = film.layers[layer]
            style: dict[str, Any] = {"fontsize": 7, "color": theme.muted, "va": "top"}
            axes.text(0, base - 0.06, f"{ends.low:.3g}", ha="left", **style)
            axes.text(1, base - 0.06, f"{ends.high:.3g}", ha="right", **style)
            name = f"{layer_name(layer, count)} · {ends.name}"
            axes.text(0.5, base - 0.06, name, ha="center", **style | {"color": colour})
        title(axes, [("Activations", theme.ink), ("by layer", theme.muted)])

    def _base(self, row: int) -> float:
        return self._rows - row - 1 + 0.26

    def show(self, frame: int, scene: Scene) -> None:
        """Show the histograms of a frame."""
        for row, (area, layer) in enumerate(zip(self.moving, self._layers, strict=True)):
            shares = scene.activations[layer]
            # The square root keeps a flat distribution visible beside a peak.
            heights = self._base(row) + 0.7 * np.sqrt(shares / max(float(shares.max()), 1e-12))
            edges = np.linspace(0, 1, len(shares) + 1)
            x = np.repeat(edges, 2)
            y = np.concatenate([[self._base(row)], np.repeat(heights, 2), [self._base(row)]])
            area.set_xy(np.column_stack([x, y]))  # type: ignore[attr-defined]
