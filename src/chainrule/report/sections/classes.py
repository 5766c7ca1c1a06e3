"""Where a classifier is right and wrong: confusion, ROC, precision and recall, calibration."""

import numpy as np
from numpy.typing import NDArray

from chainrule.assessment.calibration import Reliability, reliability
from chainrule.assessment.discrimination import Ranking
from chainrule.report.canvas import shortened
from chainrule.report.charts.heat import heat_map
from chainrule.report.charts.plot import Plot, legend
from chainrule.report.markup import Html, element, join
from chainrule.report.sections.parts import figure, figures, section, table, unfold
from chainrule.report.subject import Subject
from chainrule.report.wording import count, number, plain, share

_MOST_AS_TABLE = 10
_MOST_BESIDE = 3
_MOST_CONFUSIONS = 12
_SIDE = (0.0, 1.0)
_TENTHS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
_GRID = np.linspace(0, 1, 201)


def classes(subject: Subject) -> Html:
    """Return the section."""
    n_classes = len(subject.classes)
    true = np.asarray(subject.judged.true, np.int64)
    counts = np.bincount(true * n_classes + subject.answers, minlength=n_classes**2)
    matrix = counts.reshape(n_classes, n_classes)
    wrong = int(matrix.sum() - np.trace(matrix))
    lead = (
        f"Of {count(len(true), f'{subject.part} row')} the network gets "
        f"{plain(len(true) - wrong)} right and {plain(wrong)} wrong."
    )
    confusion = (
        _confusion_table(subject, matrix)
        if n_classes <= _MOST_AS_TABLE
        else _confusion_picture(subject, matrix)
    )
    by_class = _by_class(subject, matrix)
    beside = n_classes <= _MOST_BESIDE
    return section(
        "classes",
        "Where it is right and wrong",
        lead,
        figures(confusion, by_class) if beside else join([confusion, by_class]),
        figures(*_curves(subject, true), *_calibration(subject, true)),
    )


def _confusion_table(subject: Subject, matrix: NDArray[np.int64]) -> Html:
    names = subject.classes
    head = [element("th", "True class", scope="col")]
    head += [element("th", f"answered {name}", scope="col", class_="number") for name in names]
    body = []
    for index, name in enumerate(names):
        total = max(1, int(matrix[index].sum()))
        cells = [element("th", name, scope="row")]
        for column, value in enumerate(matrix[index]):
            part = int(value) / total
            kind = "right" if column == index else "wrong"
            cells.append(
                element(
                    "td",
                    element("span", plain(int(value)), class_="strong"),
                    element("small", share(part) if matrix[index].sum() else ""),
                    class_=f"heat {kind}{' deep' if part > 0.55 else ''}",
                    style=f"--part:{round(100 * part)}%",
                )
            )
        body.append(element("tr", join(cells)))
    return element(
        "figure",
        element("h3", "Confusion matrix"),
        element(
            "div",
            element(
                "table",
                element("caption", "Rows by true class (down) and answer (across)"),
                element("thead", element("tr", join(head))),
                element("tbody", join(body)),
                class_="confusion",
            ),
            class_="scroll",
        ),
        element(
            "figcaption",
            "Each line adds up to the rows of one class; the diagonal is what was answered right.",
        ),
        class_="wide",
    )


def _confusion_picture(subject: Subject, matrix: NDArray[np.int64]) -> Html:
    totals = np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    names = [shortened(name, 18) for name in subject.classes]
    picture = heat_map(
        matrix / totals,
        names,
        names,
        [[plain(int(value)) if value else "" for value in row] for row in matrix],
        "Confusion matrix: rows by true class (down) and answer (across)",
        "answer",
        "true class",
    )
    mistakes = matrix.copy()
    np.fill_diagonal(mistakes, 0)
    order = np.argsort(-mistakes, axis=None, kind="stable")[:_MOST_CONFUSIONS]
    rows = []
    for flat in order:
        row, column = divmod(int(flat), len(names))
        if mistakes[row, column]:
            of_class = int(mistakes[row, column]) / int(totals[row, 0])
            rows.append(
                [
                    subject.classes[row],
                    subject.classes[column],
                    plain(int(mistakes[row, column])),
                    share(of_class),
                ]
            )
    columns = [("True class", ""), ("Answer", ""), ("Rows", "number"), ("Of the class", "number")]
    return join(
        [
            figure(
                "Confusion matrix",
                picture,
                "Shade: share of the true class’s rows. The diagonal is what was answered right.",
                wide=True,
            ),
            unfold(
                "The most frequent confusions", table("Most frequent confusions", columns, rows)
            ),
        ]
    )


def _by_class(subject: Subject, matrix: NDArray[np.int64]) -> Html:
    true = np.asarray(subject.judged.true, np.int64)
    rows = []
    for index, name in enumerate(subject.classes):
        of_class, answered = int(matrix[index].sum()), int(matrix[:, index].sum())
        right = int(matrix[index, index])
        area = Ranking(true == index, subject.judged.answers[:, index]).area()
        rows.append(
            [
                name,
                plain(of_class),
                share(right / answered) if answered else "–",
                share(right / of_class) if of_class else "–",
                number(2 * right / max(1, of_class + answered)),
                number(area),
            ]
        )
    columns = [
        ("Class", ""),
        ("Rows", "number"),
        ("Precision", "number"),
        ("Recall", "number"),
        ("F1", "number"),
        ("ROC AUC", "number"),
    ]
    made = table("Scores of each class", columns, rows)
    note = element(
        "p",
        "Precision: how many of the rows given this answer are of the class. "
        "Recall: how many of the class’s rows got it.",
        class_="fine",
    )
    if len(rows) > _MOST_AS_TABLE:
        return unfold(f"Scores of each of the {len(rows)} classes", made, note)
    return element("div", element("h3", "Class by class"), made, note)


def _curves(subject: Subject, true: NDArray[np.int64]) -> list[Html]:
    present = np.unique(true)
    if len(present) < 2:
        return [
            element(
                "p", "All judged rows are of one class: ROC and precision–recall are undefined."
            )
        ]
    return [_roc(subject, true), _precision_recall(subject, true)]


def _roc(subject: Subject, true: NDArray[np.int64]) -> Html:
    plot = _square("False positive rate", "True positive rate")
    plot.guide(_SIDE, _SIDE)
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
        what = "Each class against the rest (thin), and their mean."
    area = subject.judged.scores["network"]["roc_auc"]
    label = f"ROC curve; the area under it is {number(area.value)}"
    return figure(
        "ROC curve",
        join([_legend(subject), plot.svg(label)]),
        f"{what} The area under the curve is {number(area.value)} ({number(area.low)} to "
        f"{number(area.high)}); the dotted line is guessing.",
    )


def _precision_recall(subject: Subject, true: NDArray[np.int64]) -> Html:
    plot = _square("Recall", "Precision")
    given = {"linear": subject.judged.baselines["linear"], "network": subject.judged.answers}
    if len(subject.classes) == 2:
        base = float(np.mean(true == 1))
        plot.guide(_SIDE, (base, base))
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
            # The precision of the first threshold that reaches each recall.
            mean += precision[np.searchsorted(recall, _GRID - 1e-12)] / len(rankings)
        plot.line(_GRID, mean, "network")
        what = "Each class against the rest (thin), and their mean."
    return figure(
        "Precision and recall",
        join(
            [
                _legend(subject),
                plot.svg(f"Precision given recall; mean precision {number(average)}"),
            ]
        ),
        f"{what} The average precision is {number(average)}.",
    )


def _rankings(true: NDArray[np.int64], outputs: NDArray[np.float64]) -> list[Ranking]:
    """Return a ranking for each class that has rows, and lacks some."""
    return [
        Ranking(true == index, outputs[:, index])
        for index in range(outputs.shape[1])
        if 0 < (true == index).sum() < len(true)
    ]


def _legend(subject: Subject) -> Html:
    if len(subject.classes) == 2:
        return legend(("network", "This network"), ("linear", "Logistic regression"))
    return legend(("network", "Mean over the classes"), ("faint", "One class"))


def _calibration(subject: Subject, true: NDArray[np.int64]) -> list[Html]:
    answers = subject.judged.answers
    if len(subject.classes) == 2:
        found = reliability(answers[:, 1], true == 1)
        of = f"“{subject.classes[1]}”"
        x_label, y_label = f"Probability given to {shortened(of, 24)}", "Share that was so"
        what = f"Of the rows given a probability of {of}, how many were."
    else:
        found = reliability(answers.max(axis=1), subject.answers == true)
        x_label, y_label = "Probability of the answer", "Share answered right"
        what = "Of the answers given a probability, how many were right."
    return [_diagram(found, x_label, y_label, what), _counts(found, x_label)]


def _diagram(found: Reliability, x_label: str, y_label: str, what: str) -> Html:
    plot = _square(x_label, y_label)
    plot.guide(_SIDE, _SIDE)
    plot.whiskers(found.mean, found.low, found.high, "network")
    plot.line(found.mean, found.share, "faint")
    size = 3 + 5 * np.sqrt(found.counts / found.counts.max())
    plot.dots(found.mean, found.share, "network", size)
    error = found.expected_error
    return figure(
        "Calibration",
        plot.svg(f"Reliability diagram; expected calibration error {number(error)}"),
        f"{what} On the dotted line a probability can be taken at its word. The expected "
        f"calibration error is {number(error)}. The larger a dot, the more rows; lines are 95% "
        "intervals.",
    )


def _counts(found: Reliability, x_label: str) -> Html:
    top = float(found.counts.max())
    plot = Plot(
        _SIDE, (0.0, 1.06 * top), x_label=x_label, y_label="Rows", x_ticks=_TENTHS, height=360
    )
    plot.bars(found.edges, found.counts, "network")
    pairs = zip(found.edges, found.counts, strict=True)
    words = ", ".join(f"{low:.1f} to {high:.1f}: {rows}" for (low, high), rows in pairs)
    return figure(
        "How sure it is",
        plot.svg(f"Rows by probability. {words}"),
        "Rows in each bin of the calibration: few rows make a wide interval.",
    )


def _square(x_label: str, y_label: str) -> Plot:
    return Plot(
        _SIDE,
        (0.0, 1.0),
        x_label=x_label,
        y_label=y_label,
        x_ticks=_TENTHS,
        y_ticks=_TENTHS,
        height=360,
    )
