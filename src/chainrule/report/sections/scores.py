"""The scores of the network and of its baselines, with intervals."""

import numpy as np

from chainrule.assessment.bootstrap import Interval
from chainrule.assessment.measures import Measure
from chainrule.assessment.score_intervals import DIFFERENCES, METHODS
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
    "brier": "mean squared error of the probabilities; lower is better",
    "rmse": "root of the mean squared error; lower is better",
    "mae": "mean absolute error; lower is better",
    "r2": "share of the variance that is explained",
}


def scores(subject: Subject) -> Html:
    """Return the section."""
    names = {"network": "This network", **subject.baseline_names}
    lead = (
        "A network is only worth its cost if it beats simpler models: a constant prediction, which "
        "ignores the inputs, a linear model, and boosted trees."
    )
    blocks = [_block(subject, measure, names) for measure in subject.measures]
    return section(
        "scores",
        "How good it is",
        lead,
        element("div", join(blocks), class_="measures"),
        _differences(subject),
        element("p", _models(subject), class_="fine"),
        element("p", _methods(subject), class_="fine"),
    )


def _models(subject: Subject) -> str:
    judged = subject.judged
    linear, trees = (judged.fitted_rows[name] for name in ("linear", "trees"))
    of = plain(judged.training_rows)
    words = ["The linear model uses the network’s inputs"]
    if linear < judged.training_rows:
        words[0] += f" and was fitted to {plain(linear)} of the {of} training rows"
    if not trees:
        words.append(
            "Boosted trees were not fitted: with this number of columns and classes, they would "
            "take too long"
        )
    else:
        fitted = ""
        if trees < judged.training_rows:
            fitted = f", fitted to {plain(trees)} of the {of} training rows"
        words.append(
            "The boosted trees are scikit-learn’s HistGradientBoosting on the same inputs, with "
            f"each category as one column{fitted}"
        )
    if min(linear, trees or linear) < judged.training_rows:
        words.append("With all rows, these models might be better")
    return f"{'. '.join(words)}."


def _methods(subject: Subject) -> str:
    judged = subject.judged
    rows = count(judged.table.height, f"{subject.part} row")
    named = [f"{one.name}: {METHODS[one.key]}" for one in subject.measures if one.key in METHODS]
    differences = [
        f"{one.name}: {DIFFERENCES[one.key]}" for one in subject.measures if one.key in DIFFERENCES
    ]
    other = "other " if named else ""
    return (
        f"95% intervals for {rows}. {_listed(named)}The {other}scores have bootstrap intervals of "
        f"{plain(judged.resamples)} resamples, widened for few rows as Student’s t is. Differences "
        f"are paired: both scores are of the same rows. {_listed(differences)}The {other}"
        "differences have bootstrap intervals."
    )


def _listed(methods: list[str]) -> str:
    return f"{'; '.join(methods)}. " if methods else ""


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
    judged = subject.judged
    rows: list[list[object]] = []
    for measure in subject.measures:
        cells: list[object] = [measure.name]
        for baseline in judged.compared:
            outcome = judged.outcome(baseline, measure)
            difference = judged.differences[baseline][measure.key]
            word = "the same in every row" if outcome == "same" else outcome
            told: list[object] = [element("span", word, class_=f"word {outcome}")]
            if outcome != "same":
                told += [
                    element("br"),
                    _difference(measure, difference.value),
                    element("br"),
                    element("small", _span(measure, difference)),
                ]
            cells.append(join(told))
        rows.append(cells)
    columns = [
        ("Network minus", ""),
        *((name, "number") for name in subject.baseline_names.values()),
    ]
    return table("Network minus baseline, with 95% intervals", columns, rows, "differences")


def _value(measure: Measure, value: float) -> str:
    if measure.key in _PERCENT:
        return share(value)
    return fixed(value) if measure.key in _OF_ONE else number(value)


def _interval(measure: Measure, found: Interval) -> str:
    if found.low != found.low:
        return ""
    if found.low == found.high:
        return "in any rows"
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
