"""The rows with the worst predictions, as they are in the table."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.number_texts import MINUS, count, plain, share
from chainrule.pictures.canvas import shortened
from chainrule.report.markup import Html, breakable, element, join
from chainrule.report.sections.elements import section, table, unfold
from chainrule.report.subject import Subject

_MOST_ROWS = 15
_MOST_COLUMNS = 6
_LENGTH = 40
_DIGITS = 10


def mistakes(subject: Subject) -> Html:
    """Return the section."""
    if subject.classes:
        worst, answers = _of_classes(subject)
        lead = (
            "The misclassified rows whose true class has the smallest predicted probability. Look "
            "for what they have in common, and for wrong labels."
        )
        head = [
            ("True", ""),
            ("Predicted", ""),
            ("P(predicted)", "number"),
            ("P(true)", "number"),
        ]
    else:
        worst, answers = _of_values(subject)
        lead = (
            "The rows with the largest errors. Look for what they have in common, and for wrong "
            "values."
        )
        head = [("True", "number"), ("Predicted", "number"), ("Error", "number")]
    if not len(worst):
        return section(
            "mistakes", "The worst mistakes", "There are none: every row is classified correctly."
        )
    names = [one.column for one in subject.importance.columns]
    shown = names[:_MOST_COLUMNS]
    numbers, lines = _places(subject, worst)
    cells = {name: [_shown(value) for value in subject.judged.table[name][worst]] for name in names}
    classes = {name: _kind(subject, name) for name in names}
    rows = [
        [*where, *answers[index], *(cells[name][index] for name in shown)]
        for index, where in enumerate(zip(numbers, *([lines] if lines else []), strict=True))
    ]
    places = [("Row", "number"), *([("Line", "number line")] if lines else [])]
    columns = [*places, *head, *((breakable(name), classes[name]) for name in shown)]
    content = [table("The worst mistakes", columns, rows, "mistakes")]
    note = f"Rows are numbered from 1 among the {subject.part} rows."
    if subject.numbers is not None:
        note = (
            "Row is the number of the row in its file, counted from 1 below the header"
            f"{', and Line is the line of the file on which the row begins' if lines else ''}. "
            "The command chainrule explain MODEL TABLE --row ROW explains the prediction of a row."
        )
    if len(names) > len(shown):
        content.append(
            unfold(
                f"All {len(names)} columns of these rows",
                join(_whole_row(where, cells, index) for index, where in enumerate(numbers)),
            )
        )
        note += f" The {len(shown)} most important of {count(len(names), 'column')} are shown."
    return section(
        "mistakes", "The worst mistakes", lead, *content, element("p", note, class_="fine")
    )


def _whole_row(where: str, cells: dict[str, list[object]], index: int) -> Html:
    """Return all values of a row, under its number."""
    items = [
        element("div", element("dt", breakable(name)), element("dd", values[index]), class_="entry")
        for name, values in cells.items()
    ]
    return join([element("h3", f"Row {where}"), element("dl", join(items), class_="entries")])


def _places(subject: Subject, worst: NDArray[np.intp]) -> tuple[list[str], list[str]]:
    """Return the row numbers as text, and the lines of the file, if it has lines."""
    if subject.numbers is None:
        return [plain(int(subject.judged.numbers[row]) + 1) for row in worst], []
    found = subject.numbers[worst]
    lines = [] if found.lines is None else found.lines.tolist()
    return [str(row) for row in found.rows.tolist()], [str(line) for line in lines]


def _of_classes(subject: Subject) -> tuple[NDArray[np.intp], list[list[object]]]:
    true = np.asarray(subject.judged.true, np.int64)
    answers, probabilities = subject.answers, subject.judged.answers
    of_truth = probabilities[np.arange(len(true)), true]
    wrong = np.flatnonzero(answers != true)
    worst = wrong[np.argsort(of_truth[wrong], kind="stable")[:_MOST_ROWS]]
    names = subject.classes
    return worst, [
        [
            names[true[row]],
            names[answers[row]],
            share(float(probabilities[row, answers[row]])),
            share(float(of_truth[row])),
        ]
        for row in worst
    ]


def _of_values(subject: Subject) -> tuple[NDArray[np.intp], list[list[object]]]:
    true = np.asarray(subject.judged.true, np.float64)
    errors = subject.judged.answers - true
    worst = np.argsort(-np.abs(errors), kind="stable")[:_MOST_ROWS]
    return worst, [
        [
            plain(float(true[row])),
            plain(float(f"{subject.judged.answers[row]:.4g}")),
            plain(float(f"{errors[row]:.3g}")),
        ]
        for row in worst
    ]


def _kind(subject: Subject, name: str) -> str:
    return "number" if subject.judged.table[name].dtype.is_numeric() else ""


def _shown(value: Any) -> object:
    if value is None:
        return element("span", "missing", class_="missing")
    if isinstance(value, int | float) and not isinstance(value, bool):
        shown = repr(value)
        long = isinstance(value, float) and len(shown) > _DIGITS
        return (f"{value:.6g}" if long else shown).replace("-", MINUS)
    return shortened(str(value), _LENGTH)
