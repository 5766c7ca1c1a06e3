"""Calibration: whether a classifier's probabilities match observed frequencies."""

from collections.abc import Sequence

import numpy as np

from chainrule.assessment.calibration import (
    CalibrationError,
    Reliability,
    checked_calibration_error,
    reliability,
)
from chainrule.model.probability_scores import BINS, stated_probabilities
from chainrule.number_texts import number
from chainrule.pictures.canvas import shortened
from chainrule.report.charts.plot import TENTHS, UNIT, Plot, unit_square
from chainrule.report.markup import Html, element
from chainrule.report.sections.certainty import told_sets, told_temperature
from chainrule.report.sections.elements import figure
from chainrule.report.subject import Subject


def calibration(subject: Subject) -> list[Html]:
    """Return the reliability diagram and the histogram of its bins as figures."""
    true = np.asarray(subject.judged.true, np.int64)
    stated, outcomes = stated_probabilities(true, subject.judged.answers)
    found = reliability(stated, outcomes)
    error = checked_calibration_error(stated, outcomes, seed=subject.seed)
    if len(subject.classes) == 2:
        of = f"“{subject.classes[1]}”"
        x_label, y_label = f"Predicted probability of {shortened(of, 24)}", "Observed share"
        what = f"For each predicted probability of {of}, the share of rows that are {of}."
    else:
        x_label, y_label = "Probability of the predicted class", "Share predicted correctly"
        what = "For each probability of the predicted class, the share of correct predictions."
    more = [told_temperature(subject), told_sets(subject)]
    return [_diagram(found, error, x_label, y_label, what, more), _counts(found, x_label)]


def _diagram(
    found: Reliability,
    error: CalibrationError,
    x_label: str,
    y_label: str,
    what: str,
    more: Sequence[str],
) -> Html:
    plot = unit_square(x_label, y_label)
    plot.guide(UNIT, UNIT)
    plot.whiskers(found.mean, found.low, found.high, "network")
    plot.line(found.mean, found.share, "faint")
    size = 3 + 5 * np.sqrt(found.counts / found.counts.max())
    plot.dots(found.mean, found.share, "network", size)
    value = number(error.value)
    return figure(
        "Calibration",
        plot.svg(f"Reliability diagram; expected calibration error {value}"),
        f"{what} On the dotted line, probabilities match the observed shares. Larger dots have "
        "more rows; vertical lines are Wilson’s 95% intervals.",
        *(element("p", words) for words in [told_error(error), *more] if words),
    )


def told_error(error: CalibrationError) -> str:
    """Return the expected calibration error in words, compared with its value by chance."""
    verdict = (
        "more than chance explains: the probabilities are not well calibrated."
        if error.exceeds_chance
        else "no more than chance explains."
    )
    return (
        f"The expected calibration error ({BINS} bins of equally many rows) is "
        f"{number(error.value)}. Perfectly calibrated probabilities would have "
        f"{number(error.by_chance)} on average on as many rows, and at most {number(error.limit)} "
        f"in 95% of cases, so this is {verdict}"
    )


def _counts(found: Reliability, x_label: str) -> Html:
    top = float(found.counts.max())
    plot = Plot(
        UNIT, (0.0, 1.06 * top), x_label=x_label, y_label="Rows", x_ticks=TENTHS, height=360
    )
    plot.bars(found.edges, found.counts, "network")
    pairs = zip(found.edges, found.counts, strict=True)
    words = ", ".join(f"{low:.1f} to {high:.1f}: {rows}" for (low, high), rows in pairs)
    return figure(
        "Predicted probabilities",
        plot.svg(f"Rows by probability. {words}"),
        "Number of rows in each bin of the calibration diagram: few rows give a wide interval.",
    )
