"""Permutation importance: which columns the model relies on."""

from collections.abc import Sequence

from chainrule.assessment.importance import ColumnImportance
from chainrule.number_texts import count, decimals_for, fixed, plain
from chainrule.report.charts.small import bar_with_spread
from chainrule.report.markup import Html, element, join
from chainrule.report.sections.elements import section, unfold
from chainrule.report.subject import Subject

_MOST_SHOWN = 20
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
    low = min(0.0, *(one.mean - one.spread for one in found.columns))
    high = max(one.mean + one.spread for one in found.columns)
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
        f"{count(found.repeats, 'time')}; ± is one standard deviation over the repeats."
    )
    return section(
        "importance",
        "What it relies on",
        lead,
        *content,
        element("p", note, class_="fine"),
    )


def _table(columns: Sequence[ColumnImportance], metric: str, ends: tuple[float, float]) -> Html:
    # The same number of decimals in every row makes them easy to compare.
    factor = 100.0 if metric == "accuracy" else 1.0
    decimals = 1 if metric == "accuracy" else decimals_for(ends[1])
    rows = []
    for one in columns:
        mean = fixed(factor * one.mean, decimals, sign=True)
        words = f"{mean} ± {fixed(factor * one.spread, decimals)}"
        rows.append(
            element(
                "tr",
                element("th", one.column, scope="row"),
                element(
                    "td",
                    bar_with_spread(one.mean, one.spread, *ends, f"{one.column}: {words}"),
                    class_="picture",
                ),
                element("td", words, class_="number"),
            )
        )
    return element(
        "table",
        element("caption", "Permutation importance of the columns"),
        element("tbody", join(rows)),
        class_="importance",
    )
