"""The errors of a regression: predicted against true values, and the residuals."""

import numpy as np
from numpy.typing import NDArray

from chainrule.model.scores import unit_of
from chainrule.number_texts import count, number, plain, share
from chainrule.report.charts.plot import Plot, legend
from chainrule.report.charts.scales import padded
from chainrule.report.markup import Html, join
from chainrule.report.sections.certainty import told_interval
from chainrule.report.sections.elements import figure, figures, section
from chainrule.report.subject import Subject

# More dots than this would overlap; a two-dimensional histogram shows more.
_MOST_DOTS = 1_200
_SQUARES = 48


def values(subject: Subject) -> Html:
    """Return the section."""
    true = np.asarray(subject.judged.true, np.float64)
    predicted = subject.judged.answers
    errors = predicted - true
    middle = float(np.median(np.abs(errors)))
    lead = (
        f"The error is below {number(middle)} for half of the "
        f"{count(len(true), f'{subject.part} row')}, and below "
        f"{number(float(np.quantile(np.abs(errors), 0.9)))} for nine in ten."
        f"{told_interval(subject)}"
    )
    return section(
        "values",
        "Errors",
        lead,
        figures(
            _predicted(subject, true, predicted),
            _residuals(subject, predicted, errors),
            _distribution(subject, true, errors),
            _by_size(subject, true, errors),
        ),
    )


def _predicted(subject: Subject, true: NDArray[np.float64], predicted: NDArray[np.float64]) -> Html:
    low = min(float(true.min()), float(predicted.min()))
    span = padded(low, max(float(true.max()), float(predicted.max())))
    plot = Plot(
        span, span, x_label="Predicted", y_label="True", height=400, x_format=plain, y_format=plain
    )
    _scatter(plot, predicted, true, span, span)
    plot.guide(span, span)
    r2 = subject.judged.scores["network"]["r2"].value
    return figure(
        "True against predicted",
        plot.svg(f"True values of {subject.target} against predicted ones; R² {number(r2)}"),
        f"On the dotted line, predictions are exact. R² is {number(r2)}.{_shades(true)}",
    )


def _residuals(
    subject: Subject, predicted: NDArray[np.float64], errors: NDArray[np.float64]
) -> Html:
    across = padded(float(predicted.min()), float(predicted.max()))
    up = padded(float(errors.min()), float(errors.max()))
    plot = Plot(
        across,
        up,
        x_label="Predicted",
        y_label="Predicted − true",
        height=400,
        x_format=plain,
        y_format=plain,
    )
    _scatter(plot, predicted, errors, across, up)
    plot.guide(across, (0.0, 0.0))
    bias = float(errors.mean())
    return figure(
        "Errors against predictions",
        plot.svg(f"Errors of {subject.target} against its predictions; mean error {number(bias)}"),
        f"The errors of a good model show no pattern around the line. The mean error is "
        f"{number(bias)}.{_shades(errors)}",
    )


def _distribution(subject: Subject, true: NDArray[np.float64], errors: NDArray[np.float64]) -> Html:
    others = {
        "linear": subject.judged.baselines["linear"] - true,
        "network": errors,
    }
    ends = [np.quantile(given, [0.005, 0.995]) for given in others.values()]
    low, high = padded(float(min(end[0] for end in ends)), float(max(end[1] for end in ends)), 0)
    edges = np.linspace(low, high, 41)
    heights = {
        name: np.histogram(np.clip(given, low, high), edges)[0] / len(given)
        for name, given in others.items()
    }
    top = max(float(height.max()) for height in heights.values())
    plot = Plot(
        (low, high),
        (0.0, 1.08 * top),
        x_label="Predicted − true",
        y_label="Share of rows",
        x_format=plain,
        y_format=lambda value: share(value, 0 if top > 0.05 else 1),
    )
    for name, height in heights.items():
        plot.step_area(edges, height, name)
    plot.vertical(0.0)
    return figure(
        "Distribution of the errors",
        join(
            [
                legend(("network", "This network"), ("linear", "Ridge regression")),
                plot.svg(f"Distribution of the errors of {subject.target}"),
            ]
        ),
        "The narrower and the closer to 0, the better; the outermost bins include all larger "
        "errors.",
    )


def _by_size(subject: Subject, true: NDArray[np.float64], errors: NDArray[np.float64]) -> Html:
    """Return error and bias by true value, which reveal predictions that shrink to the mean."""
    order = np.argsort(true, kind="stable")
    parts = [rows for rows in np.array_split(order, 10) if len(rows)]
    middles = np.array([true[rows].mean() for rows in parts])
    unit = unit_of(errors)
    typical = np.array([unit * np.sqrt(np.mean((errors[rows] / unit) ** 2)) for rows in parts])
    bias = np.array([errors[rows].mean() for rows in parts])
    across = padded(float(middles.min()), float(middles.max()))
    up = padded(float(min(bias.min(), 0)), float(typical.max()), 0.08)
    plot = Plot(
        across,
        up,
        x_label=f"True {subject.target}"[:48],
        y_label="Error",
        x_format=plain,
        y_format=plain,
    )
    plot.guide(across, (0.0, 0.0))
    for series, heights in (("network", typical), ("validation", bias)):
        plot.line(middles, heights, series)
        plot.dots(middles, heights, series, 3.5)
    return figure(
        "Errors by true value",
        join(
            [
                legend(("network", "RMSE"), ("validation", "Mean of predicted − true")),
                plot.svg(f"Error in tenths of the rows by true {subject.target}"),
            ]
        ),
        "Each point is a tenth of the rows, from the smallest true values to the largest.",
    )


def _scatter(
    plot: Plot,
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    across: tuple[float, float],
    up: tuple[float, float],
) -> None:
    if len(x) <= _MOST_DOTS:
        plot.cloud(x, y, "network", 2.4)
        return
    counts, x_edges, y_edges = np.histogram2d(x, y, _SQUARES, [across, up])
    plot.cells(x_edges, y_edges, np.sqrt(counts / counts.max()), "network")


def _shades(given: NDArray[np.float64]) -> str:
    return (
        " The stronger a square’s colour, the more rows it holds."
        if len(given) > _MOST_DOTS
        else ""
    )
