"""The learning curves of a run."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from chainrule.errors import InvalidArgumentError
from chainrule.report.canvas import BLUE, FAINT, INK, VERMILLION, picture, plain_axes
from chainrule.training.history import History

if TYPE_CHECKING:
    from matplotlib.axes import Axes

NOT_METRICS = frozenset({"epoch", "loss", "penalty", "learning_rate", "gradient_norm", "seconds"})
TITLES = {"accuracy": "Accuracy", "rmse": "RMSE", "mae": "MAE", "r2": "R²"}

# If a loss falls by more than this factor, its end can only be read on a logarithmic axis.
LOGARITHMIC_FROM = 30.0


def learning_curves(history: History, path: str | Path) -> None:
    """Draw the loss over the epochs, and each metric in a panel beside it.

    Parameters
    ----------
    history : History
        A history of at least one epoch.
    path : str or Path
        The picture; its suffix determines the format (png, svg, pdf).

    Raises
    ------
    InvalidArgumentError
        If the history has no epochs.
    """
    if not len(history):
        raise InvalidArgumentError("history: expected at least one epoch; got none")
    names = [
        name
        for name in history.columns
        if name not in NOT_METRICS and not name.startswith("validation_")
    ]
    panels = ["loss", *names]
    with picture(path, 5.2 * len(panels), 4.0) as figure:
        all_axes = figure.subplots(1, len(panels), squeeze=False)[0]
        for axes, name in zip(all_axes, panels, strict=True):
            _draw_panel(axes, history, name)
        figure.tight_layout(pad=1.2, w_pad=3.0)


def _draw_panel(axes: "Axes", history: History, name: str) -> None:
    from matplotlib.ticker import MaxNLocator

    epochs = history["epoch"]
    marker = "o" if len(epochs) == 1 else ""
    axes.plot(epochs, history[name], color=BLUE, linewidth=1.8, marker=marker, label="training")
    values = list(history[name])
    validation = f"validation_{name}"
    if validation in history:
        followed = history[validation]
        values += followed
        axes.plot(
            epochs, followed, color=VERMILLION, linewidth=1.8, marker=marker, label="validation"
        )
        if name == "loss":
            _mark_lowest(axes, epochs, followed)
        falls = values[0] > values[len(epochs) - 1]
        axes.legend(
            loc="upper right" if falls else "lower right",
            edgecolor="white",
            fontsize=9,
            labelcolor=INK,
            handlelength=1.6,
        )
    if name == "loss" and min(values) > 0 and max(values) / min(values) > LOGARITHMIC_FROM:
        axes.set_yscale("log")
    elif name == "loss" and min(values) >= 0:
        axes.set_ylim(0, 1.05 * max(values) or 1.0)
    plain_axes(axes)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
    axes.set_xlim(*((epochs[0], epochs[-1]) if len(epochs) > 1 else (epochs[0] - 1, epochs[0] + 1)))
    axes.set_xlabel("epoch", fontsize=9, color=INK)
    title = TITLES.get(name, name.replace("_", " ").capitalize())
    axes.set_title(title, loc="left", fontsize=11, fontweight="bold", color=INK, parse_math=False)


def _mark_lowest(axes: "Axes", epochs: list[float], losses: list[float]) -> None:
    """Mark the epoch with the lowest validation loss."""
    lowest = int(np.argmin(losses))
    axes.plot(
        epochs[lowest],
        losses[lowest],
        marker="o",
        markersize=6,
        markerfacecolor="white",
        markeredgecolor=VERMILLION,
        markeredgewidth=1.6,
        linestyle="",
        label=f"lowest: {losses[lowest]:.3g} in epoch {int(epochs[lowest])}",
        clip_on=False,
        zorder=5,
    )
    axes.axvline(epochs[lowest], color=FAINT, linewidth=0.8, linestyle=(0, (2, 3)), zorder=1)
