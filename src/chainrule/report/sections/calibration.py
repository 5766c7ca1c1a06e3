"""Calibration: whether a classifier's probabilities match observed frequencies."""

import numpy as np

from chainrule.assessment.calibration import Reliability, reliability
from chainrule.number_texts import number
from chainrule.pictures.canvas import shortened
from chainrule.report.charts.plot import TENTHS, UNIT, Plot, unit_square
from chainrule.report.markup import Html
from chainrule.report.sections.elements import figure
from chainrule.report.subject import Subject


def calibration(subject: Subject) -> list[Html]:
    """Return the reliability diagram and the histogram of its bins as figures."""
    true = np.asarray(subject.judged.true, np.int64)
    answers = subject.judged.answers
    if len(subject.classes) == 2:
        found = reliability(answers[:, 1], true == 1)
        of = f"“{subject.classes[1]}”"
        x_label, y_label = f"Predicted probability of {shortened(of, 24)}", "Observed share"
        what = f"For each predicted probability of {of}, the share of rows that are {of}."
    else:
        found = reliability(answers.max(axis=1), subject.answers == true)
        x_label, y_label = "Probability of the predicted class", "Share predicted correctly"
        what = "For each probability of the predicted class, the share of correct predictions."
    return [_diagram(found, x_label, y_label, what), _counts(found, x_label)]


def _diagram(found: Reliability, x_label: str, y_label: str, what: str) -> Html:
    plot = unit_square(x_label, y_label)
    plot.guide(UNIT, UNIT)
    plot.whiskers(found.mean, found.low, found.high, "network")
    plot.line(found.mean, found.share, "faint")
    size = 3 + 5 * np.sqrt(found.counts / found.counts.max())
    plot.dots(found.mean, found.share, "network", size)
    error = found.expected_error
    return figure(
        "Calibration",
        plot.svg(f"Reliability diagram; expected calibration error {number(error)}"),
        f"{what} On the dotted line, probabilities match the observed shares. The expected "
        f"calibration error is {number(error)}. Larger dots have more rows; vertical lines are 95% "
        "intervals.",
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
