"""The learning curves of a training."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from chainrule.errors import InvalidArgumentError
from chainrule.pictures.canvas import (
    BLUE,
    FAINT,
    INK,
    VERMILLION,
    blank,
    plain_axes,
    quiet_fonts,
)
from chainrule.pictures.picture import Picture, wrapped
from chainrule.pictures.text_chart import text_chart
from chainrule.printable import printable

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Columns: TypeAlias = Mapping[str, Sequence[float]]

NOT_METRICS = frozenset({"epoch", "loss", "penalty", "learning_rate", "gradient_norm", "seconds"})
TITLES = {"accuracy": "Accuracy", "rmse": "RMSE", "mae": "MAE", "r2": "R²"}

# If a loss falls by more than this factor, its end can only be read on a logarithmic axis.
LOGARITHMIC_FROM = 30.0


def learning_curves(columns: Columns) -> Picture:
    """Return a picture of the loss over the epochs, with a panel for each metric.

    Parameters
    ----------
    columns : mapping of str to list of float
        The columns of a history, which are not copied; see `chainrule.training.history.History`.

    Raises
    ------
    InvalidArgumentError
        If the history has no epochs.
    """
    if not columns:
        raise InvalidArgumentError("history: expected at least one epoch; got none")
    return Picture(
        lambda: _figure(columns), _as_text(columns), f"Learning curves: {_described(columns)}"
    )


def panels_of(columns: Columns) -> list[str]:
    """Return the names of the panels: the loss and the metrics."""
    names = ["loss"]
    for column in columns:
        name = column.removeprefix("validation_")
        if name not in NOT_METRICS and name not in names:
            names.append(name)
    return names


def _figure(columns: Columns) -> "Figure":
    names = panels_of(columns)
    figure = blank(5.2 * len(names), 4.0)
    with quiet_fonts():
        for axes, name in zip(figure.subplots(1, len(names), squeeze=False)[0], names, strict=True):
            _draw_panel(axes, columns, name)
        figure.tight_layout(pad=1.2, w_pad=3.0)
    return figure


def _described(columns: Columns) -> str:
    """Return the last numbers of the loss and the metrics in a line."""
    last = [
        f"{name.replace('_', ' ')} {columns[name][-1]:.4g}"
        for panel in panels_of(columns)
        for name in (panel, f"validation_{panel}")
        if name in columns
    ]
    epochs = len(columns["epoch"])
    return printable(f"{epochs:,} epoch{'s' if epochs > 1 else ''}; at the end {', '.join(last)}")


def _as_text(columns: Columns) -> str:
    series = {
        label: columns[name]
        for label, name in (("training loss", "loss"), ("validation loss", "validation_loss"))
        if name in columns
    }
    chart = text_chart(columns["epoch"], series, "epoch", logarithmic=_is_logarithmic(series))
    return f"{chart}\n{wrapped(_described(columns))}"


def _is_logarithmic(series: Columns) -> bool:
    values = [value for line in series.values() for value in line]
    return min(values) > 0 and max(values) / min(values) > LOGARITHMIC_FROM


def _draw_panel(axes: "Axes", history: Columns, name: str) -> None:
    from matplotlib.ticker import MaxNLocator

    epochs = history["epoch"]
    style: dict[str, Any] = {"linewidth": 1.8, "marker": "o" if len(epochs) == 1 else ""}
    values: list[float] = []
    if name in history:
        values += history[name]
        axes.plot(epochs, history[name], color=BLUE, label="training", **style)
    validation = f"validation_{name}"
    if validation in history:
        followed = history[validation]
        values += followed
        axes.plot(epochs, followed, color=VERMILLION, label="validation", **style)
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
    if name == "loss" and _is_logarithmic({name: values}):
        axes.set_yscale("log")
    elif name == "loss" and min(values) >= 0:
        axes.set_ylim(0, 1.05 * max(values) or 1.0)
    plain_axes(axes)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
    axes.set_xlim(*((epochs[0], epochs[-1]) if len(epochs) > 1 else (epochs[0] - 1, epochs[0] + 1)))
    axes.set_xlabel("epoch", fontsize=9, color=INK)
    title = TITLES.get(name, name.replace("_", " ").capitalize())
    axes.set_title(title, loc="left", fontsize=11, fontweight="bold", color=INK, parse_math=False)


def _mark_lowest(axes: "Axes", epochs: Sequence[float], losses: Sequence[float]) -> None:
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
