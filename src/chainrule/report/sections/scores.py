"""The scores of the network and of its baselines, with intervals."""

import numpy as np

from chainrule.assessment.bootstrap import Interval
from chainrule.assessment.judgement import BASELINES
from chainrule.assessment.measures import Measure
from chainrule.number_texts import count, fixed, number, plain, points, share, signed
from chainrule.report.charts.scales import Scale, padded
from chainrule.report.charts.small import interval_dot
from chainrule.report.markup import Html, element, join
from chainrule.report.sections.elements import section, table
from chainrule.report.subject import Subject

_PERCENT = frozenset({"accuracy", "balanced_accuracy"})
_OF_ONE = frozenset({"f1", "roc_auc", "r2"})
"""Measures whose best value is 1, shown with three decimals."""

MEANINGS = {
    "accuracy": "share of correctly classified rows",
    "balanced_accuracy": "mean recall over the classes",
    "f1": "harmonic mean of precision and recall",
    "roc_auc": "chance that a row of a class ranks above one of another class; 0.5 is guessing",
    "log_loss": "mean −ln of the true class’s probability; lower is better",
    "rmse": "root of the mean squared error; lower is better",
    "mae": "mean absolute error; lower is better",
    "r2": "share of the variance that is explained",
}


def scores(subject: Subject) -> Html:
    """Return the section."""
    judged = subject.judged
    names = {"network": "This network", **subject.baseline_names}
    lead = (
        "A network is only worth its cost if it beats two baselines: a constant prediction, which "
        "ignores the inputs, and a linear model on the same inputs."
    )
    blocks = [_block(subject, measure, names) for measure in subject.measures]
    drawn = ""
    if judged.linear_rows < subject.parts["train"].height:
        drawn = f" The linear model was fitted to {plain(judged.linear_rows)} of the training rows."
    judged_rows = count(judged.table.height, f"{subject.part} row")
    note = (
        f"Intervals contain 95% of {plain(judged.resamples)} bootstrap samples of {judged_rows}; "
        f"differences are paired: both scores are from the same samples.{drawn}"
    )
    return section(
        "scores",
        "How good it is",
        lead,
        element("div", join(blocks), class_="measures"),
        _differences(subject),
        element("p", note, class_="fine"),
    )


def _block(subject: Subject, measure: Measure, names: dict[str, str]) -> Html:
    found = {name: subject.judged.scores[name][measure.key] for name in names}
    ends = np.array([value for one in found.values() for value in one], np.float64)
    ends = ends[np.isfinite(ends)]
    low, high = padded(float(ends.min()), float(ends.max()), 0.08) if len(ends) else (0.0, 1.0)
    scale = Scale(low, high, 8.0, 182.0)
    rows = []
    for name, title in names.items():
        one = found[name]
        words = f"{title}: {_value(measure, one.value)}, {_interval(measure, one)}"
        rows.append(
            element(
                "tr",
                element("th", title, scope="row"),
                element("td", interval_dot(*one, scale, name, words), class_="picture"),
                element("td", _value(measure, one.value), class_="number strong"),
                element("td", _interval(measure, one), class_="number fine"),
                class_="own" if name == "network" else None,
            )
        )
    return element(
        "table",
        element("caption", element("strong", measure.name), MEANINGS[measure.key]),
        element("tbody", join(rows)),
        class_="measure",
    )


def _differences(subject: Subject) -> Html:
    rows = []
    for baseline in BASELINES:
        cells: list[object] = [f"Network against “{_unquoted(subject.baseline_names[baseline])}”"]
        for measure in subject.measures:
            gain = subject.judged.gain(baseline, measure)
            if gain.is_above_zero:
                word, class_ = "better", "better"
            elif gain.is_below_zero:
                word, class_ = "worse", "worse"
            else:
                word, class_ = "inconclusive", "same"
            difference = subject.judged.differences[baseline][measure.key]
            cells.append(
                join(
                    [
                        element("span", word, class_=f"word {class_}"),
                        element("br"),
                        _difference(measure, difference.value),
                        element("br"),
                        element("small", _span(measure, difference)),
                    ]
                )
            )
        rows.append(cells)
    columns = [("Difference", ""), *((measure.name, "number") for measure in subject.measures)]
    return table("Network minus baseline, with 95% intervals", columns, rows, "differences")


def _unquoted(name: str) -> str:
    return name.replace("“", "").replace("”", "")


def _value(measure: Measure, value: float) -> str:
    if measure.key in _PERCENT:
        return share(value)
    return fixed(value) if measure.key in _OF_ONE else number(value)


def _interval(measure: Measure, found: Interval) -> str:
    if found.low != found.low:
        return ""
    return f"{_value(measure, found.low)} to {_value(measure, found.high)}"


def _difference(measure: Measure, value: float) -> str:
    return f"{points(value)} points" if measure.key in _PERCENT else _signed(measure, value)


def _span(measure: Measure, found: Interval) -> str:
    if found.low != found.low:
        return "no interval"
    if measure.key in _PERCENT:
        return f"{points(found.low)} to {points(found.high)}"
    return f"{_signed(measure, found.low)} to {_signed(measure, found.high)}"


def _signed(measure: Measure, value: float) -> str:
    return fixed(value, sign=True) if measure.key in _OF_ONE else signed(value)
