"""ROC and precision–recall curves: the trade-offs over all thresholds."""

import numpy as np
from numpy.typing import NDArray

from chainrule.assessment.discrimination import Ranking
from chainrule.number_texts import number
from chainrule.report.charts.plot import UNIT, legend, unit_square
from chainrule.report.markup import Html, element, join
from chainrule.report.sections.elements import figure
from chainrule.report.subject import Subject

_GRID = np.linspace(0, 1, 201)


def threshold_curves(subject: Subject) -> list[Html]:
    """Return the ROC and precision–recall curves as figures."""
    true = np.asarray(subject.judged.true, np.int64)
    present = np.unique(true)
    if len(present) < 2:
        return [
            element(
                "p", "All scored rows are of one class: ROC and precision–recall are undefined."
            )
        ]
    return [_roc(subject, true), _precision_recall(subject, true)]


def _roc(subject: Subject, true: NDArray[np.int64]) -> Html:
    plot = unit_square("False positive rate", "True positive rate")
    plot.guide(UNIT, UNIT)
    given = {"linear": subject.judged.baselines["linear"], "network": subject.judged.answers}
    if len(subject.classes) == 2:
        for series, outputs in given.items():
            plot.line(*Ranking(true == 1, outputs[:, 1]).roc_curve(), series)
        what = f"For the class “{subject.classes[1]}”."
    else:
        mean = np.zeros_like(_GRID)
        rankings = _rankings(true, subject.judged.answers)
        for ranking in rankings:
            false_rate, true_rate = ranking.roc_curve()
            plot.line(false_rate, true_rate, "faint")
            mean += np.interp(_GRID, false_rate, true_rate) / len(rankings)
        plot.line(np.append(0.0, _GRID), np.append(0.0, mean), "network")
        what = "Each class against all others (thin lines), and their mean."
    area = subject.judged.scores["network"]["roc_auc"]
    label = f"ROC curve; the area under it is {number(area.value)}"
    return figure(
        "ROC curve",
        join([_legend(subject), plot.svg(label)]),
        f"{what} The area under the curve is {number(area.value)} ({number(area.low)} to "
        f"{number(area.high)}, 95% interval); the dotted line is random guessing.",
    )


def _precision_recall(subject: Subject, true: NDArray[np.int64]) -> Html:
    plot = unit_square("Recall", "Precision")
    given = {"linear": subject.judged.baselines["linear"], "network": subject.judged.answers}
    if len(subject.classes) == 2:
        base = float(np.mean(true == 1))
        plot.guide(UNIT, (base, base))
        for series, outputs in given.items():
            plot.line(*Ranking(true == 1, outputs[:, 1]).precision_recall_curve(), series)
        average = Ranking(true == 1, subject.judged.answers[:, 1]).average_precision()
        what = f"For the class “{subject.classes[1]}”; the dotted line is its share of the rows."
    else:
        mean = np.zeros_like(_GRID)
        rankings = _rankings(true, subject.judged.answers)
        average = float(np.mean([ranking.average_precision() for ranking in rankings]))
        for ranking in rankings:
            recall, precision = ranking.precision_recall_curve()
            plot.line(recall, precision, "faint")
            # The precision at the first threshold that reaches each recall.
            mean += precision[np.searchsorted(recall, _GRID - 1e-12)] / len(rankings)
        plot.line(_GRID, mean, "network")
        what = "Each class against all others (thin lines), and their mean."
    return figure(
        "Precision and recall",
        join(
            [
                _legend(subject),
                plot.svg(f"Precision against recall; average precision {number(average)}"),
            ]
        ),
        f"{what} The average precision is {number(average)}.",
    )


def _rankings(true: NDArray[np.int64], outputs: NDArray[np.float64]) -> list[Ranking]:
    """Return a ranking for each class that some, but not all, rows belong to."""
    return [
        Ranking(true == index, outputs[:, index])
        for index in range(outputs.shape[1])
        if 0 < (true == index).sum() < len(true)
    ]


def _legend(subject: Subject) -> Html:
    if len(subject.classes) == 2:
        return legend(("network", "This network"), ("linear", "Logistic regression"))
    return legend(("network", "Mean over the classes"), ("faint", "One class"))
