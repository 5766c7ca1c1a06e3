"""The picture of a learning-rate range test: the loss at each learning rate."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from chainrule.pictures.canvas import BLUE, FAINT, INK, VERMILLION, blank, plain_axes

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def learning_rate_figure(
    rates: NDArray[np.float64],
    losses: NDArray[np.float64],
    smoothed: NDArray[np.float64],
    suggestion: float | None,
) -> "Figure":
    """Return the losses as dots, the smoothed loss as a line, and the suggestion as a mark."""
    figure = blank(6.4, 4.0)
    axes = figure.subplots()
    axes.plot(rates, losses, ".", color=FAINT, markersize=4, label="loss of a batch")
    axes.plot(rates, smoothed, color=BLUE, linewidth=1.8, label="smoothed")
    if suggestion is not None:
        at = float(np.interp(np.log(suggestion), np.log(rates), smoothed))
        axes.axvline(suggestion, color=VERMILLION, linewidth=0.8, linestyle=(0, (2, 3)), zorder=1)
        axes.plot(
            suggestion,
            at,
            marker="o",
            markersize=6,
            markerfacecolor="white",
            markeredgecolor=VERMILLION,
            markeredgewidth=1.6,
            linestyle="",
            label=f"suggestion: {suggestion:g}",
            zorder=5,
        )
    axes.set_xscale("log")
    axes.set_ylim(*shown_limits(smoothed))
    plain_axes(axes)
    axes.set_xlabel("learning rate", fontsize=9, color=INK)
    axes.set_title("Loss", loc="left", fontsize=11, fontweight="bold", color=INK)
    axes.legend(edgecolor="white", fontsize=9, labelcolor=INK, loc="best")
    figure.tight_layout(pad=1.2)
    return figure


def shown_limits(smoothed: NDArray[np.float64]) -> tuple[float, float]:
    """Return the losses between which a curve is drawn: where it diverges, it leaves the picture.

    Otherwise the end of the curve, which can be many times as high, would flatten its fall.
    """
    if not len(smoothed):
        return 0.0, 1.0
    lowest = int(np.argmin(smoothed))
    low, high = float(smoothed[lowest]), float(smoothed[: lowest + 1].max())
    if low == high:
        high = float(smoothed.max())
    room = 0.5 * (high - low) or 0.1 * abs(high) or 1.0
    return low - room / 5, high + room
