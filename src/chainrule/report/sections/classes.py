"""Which classes a classifier confuses: the confusion matrix, and scores by class."""

import numpy as np
from numpy.typing import NDArray

from chainrule.assessment.discrimination import Ranking
from chainrule.assessment.proportions import proportion
from chainrule.number_texts import count, number, plain, share
from chainrule.pictures.canvas import shortened
from chainrule.report.charts.heat import DEEP_FROM, DEEPEST, heat_map
from chainrule.report.markup import Html, element, join
from chainrule.report.sections.calibration import calibration
from chainrule.report.sections.curves import threshold_curves
from chainrule.report.sections.elements import figures, section, table, unfold
from chainrule.report.subject import Subject

_MOST_AS_TABLE = 5
_MOST_UNFOLDED = 10
_MOST_BESIDE = 3
_LENGTH = 18
_MOST_CONFUSIONS = 12
# With more classes, the map is too small to read on a narrow screen, which hides it (page.css).
_MOST_ON_NARROW = 12


def classes(subject: Subject) -> Html:
    """Return the section."""
    n_classes = len(subject.classes)
    true = np.asarray(subject.judged.true, np.int64)
    counts = np.bincount(true * n_classes + subject.answers, minlength=n_classes**2)
    matrix = counts.reshape(n_classes, n_classes)
    wrong = int(matrix.sum() - np.trace(matrix))
    lead = (
        f"Of {count(len(true), f'{subject.part} row')}, the network classifies "
        f"{plain(len(true) - wrong)} correctly and {plain(wrong)} incorrectly."
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
        "Correct and incorrect predictions",
        lead,
        figures(confusion, by_class) if beside else join([confusion, by_class]),
        figures(*threshold_curves(subject), *calibration(subject)),
    )


def _confusion_table(subject: Subject, matrix: NDArray[np.int64]) -> Html:
    names = subject.classes
    head = [element("th", "True class", scope="col")]
    head += [element("th", f"predicted {name}", scope="col", class_="number") for name in names]
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
                    class_=f"heat {kind}{' deep' if part > DEEP_FROM else ''}",
                    style=f"--shade:{round(100 * DEEPEST * part)}%",
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
                element("caption", "Rows by true class (down) and predicted class (across)"),
                element("thead", element("tr", join(head))),
                element("tbody", join(body)),
                class_="confusion",
            ),
            class_="scroll",
        ),
        element(
            "figcaption",
            "Each line adds up to the rows of one class; correct predictions are on the diagonal.",
        ),
        class_="wide",
    )


def _confusion_picture(subject: Subject, matrix: NDArray[np.int64]) -> Html:
    totals = np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    names = [shortened(name, _LENGTH) for name in subject.classes]
    if len(set(names)) < len(names):  # names that begin alike differ at their ends
        names = [
            name if len(name) <= _LENGTH else f"{name[:5]}…{name[-(_LENGTH - 6) :]}"
            for name in subject.classes
        ]
    picture = heat_map(
        matrix / totals,
        names,
        names,
        [[plain(int(value)) if value else "" for value in row] for row in matrix],
        "Confusion matrix: rows by true class (down) and predicted class (across)",
        "predicted class",
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
    title = "Most frequent confusions"
    columns = [
        ("True class", ""),
        ("Predicted", ""),
        ("Rows", "number"),
        ("Share of the class", "number"),
    ]
    return join(
        [
            element(
                "figure",
                element("h3", "Confusion matrix"),
                picture,
                element(
                    "figcaption",
                    "Shade: share of the true class’s rows. Correct predictions are on the "
                    "diagonal.",
                ),
                class_="wide large-map" if len(names) > _MOST_ON_NARROW else "wide",
            ),
            *([element("h3", title), table(title, columns, rows, "confusions")] if rows else []),
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
                _share_of(right, answered),
                _share_of(right, of_class),
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
        "Precision: share of the rows predicted as this class that belong to it. "
        "Recall: share of the class’s rows that are predicted as such. Below each share: Wilson’s "
        "95% interval.",
        class_="fine",
    )
    if len(rows) > _MOST_UNFOLDED:
        return unfold(f"Scores of each of the {len(rows)} classes", made, note)
    return element("div", element("h3", "Scores by class"), made, note)


def _share_of(right: int, rows: int) -> Html | str:
    """Return a share with its interval."""
    if not rows:
        return "–"
    found = proportion(right, rows)
    low, high = share(found.low).rstrip("%"), share(found.high).rstrip("%")
    return join([share(found.value), element("br"), element("small", f"{low}–{high}")])
