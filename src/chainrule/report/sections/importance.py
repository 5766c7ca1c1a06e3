"""Permutation importance: which columns the model relies on."""

from collections.abc import Sequence

from chainrule.assessment.importance import ColumnImportance
from chainrule.number_texts import count, decimals_for, fixed, plain
from chainrule.pictures.canvas import shortened
from chainrule.report.charts.small import bar_with_interval
from chainrule.report.markup import Html, breakable, element, join
from chainrule.report.sections.elements import section, unfold
from chainrule.report.subject import Subject

_MOST_SHOWN = 20
_MOST_NAMED = 8
_LENGTH = 40
_COSTS = {
    "accuracy": "The decrease in accuracy, in percentage points,",
    "log_loss": "The increase in log loss",
    "rmse": "The increase in RMSE",
    "mae": "The increase in mean absolute error",
}


def importance(subject: Subject) -> Html:
    """Return the section."""
    found = subject.importance
    lead = (
        f"{_COSTS[found.metric]} when a column’s values are shuffled among the rows, so that it "
        "carries no information about them. If columns carry the same information, shuffling one "
        "of them costs little, since the others remain."
    )
    shown, rest = found.columns[:_MOST_SHOWN], found.columns[_MOST_SHOWN:]
    low = min(0.0, *(one.low for one in found.columns), 0.0)
    high = max(one.high for one in found.columns)
    ends = (low, high if high > low else low + 1.0)
    content = [_table(shown, found.metric, ends)]
    if rest:
        content.append(
            unfold(f"{count(len(rest), 'more column')}", _table(rest, found.metric, ends))
        )
    rows = subject.parts[subject.part].height
    of = f"{plain(found.rows)} of {plain(rows)}" if found.rows < rows else f"all {plain(rows)}"
    note = (
        f"Measured on {of} {subject.part} rows, each column shuffled "
        f"{count(found.repeats, 'time')}; with 95% intervals over rows and shuffles."
    )
    return section(
        "importance",
        "What it relies on",
        lead,
        *content,
        element("p", _noise(found.columns)) if _noise(found.columns) else None,
        element("p", note, class_="fine"),
    )


def _noise(columns: Sequence[ColumnImportance]) -> str:
    """Return which columns the rows do not show to be of use."""
    noise = [one.column for one in columns if one.is_noise]
    if not noise:
        return ""
    which = f"all {len(noise)} columns" if len(noise) == len(columns) else ""
    which = which or count(len(noise), "column")
    named = ", ".join(shortened(name, _LENGTH) for name in noise[:_MOST_NAMED])
    more = ", …" if len(noise) > _MOST_NAMED else ""
    return (
        f"The interval of {which} contains 0 (outlined bars: {named}{more}): these rows do not "
        "show that the network needs them."
    )


def _table(columns: Sequence[ColumnImportance], metric: str, ends: tuple[float, float]) -> Html:
    # The same number of decimals in every row makes them easy to compare.
    factor = 100.0 if metric == "accuracy" else 1.0
    decimals = 1 if metric == "accuracy" else decimals_for(ends[1])
    rows = []
    for one in columns:
        mean, low, high = (
            fixed(factor * value, decimals, sign=True) for value in (one.mean, one.low, one.high)
        )
        picture = bar_with_interval(
            one.mean, (one.low, one.high), ends, f"{one.column}: {mean}, {low} to {high}"
        )
        rows.append(
            element(
                "tr",
                element("th", breakable(one.column), scope="row"),
                element("td", picture, class_="picture"),
                element("td", mean, class_="number"),
                element("td", f"{low} to {high}", class_="number fine"),
                class_="unclear" if one.is_noise else None,
            )
        )
    return element(
        "table",
        element("caption", "Permutation importance of the columns"),
        element("tbody", join(rows)),
        class_="importance",
    )
