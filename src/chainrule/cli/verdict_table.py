"""The verdict of a run in the terminal: its score and those of the baselines, with intervals."""

from typing import TYPE_CHECKING, Any

from chainrule.number_texts import count

if TYPE_CHECKING:
    from rich.table import Table

    from chainrule.assessment.judgement import Judgement
    from chainrule.assessment.measures import Measure
    from chainrule.runs.run import Run

_CAUTION = (
    "There are no test rows: these are the validation rows, which also decided when training "
    "stopped. Expect slightly worse scores on new rows."
)
# A class's name inside a baseline's name is cut, so that the table fits 60 columns, or 80.
_LENGTH, _SHORT_LENGTH = 18, 6
_NARROW = 80


def verdict_title(judged: "Judgement") -> str:
    """Return the line above the table."""
    rows = count(judged.table.height, f"{judged.part} row")
    return f"Scores on {rows}, with 95% intervals:"


def verdict_table(trained: "Run", width: int) -> "Table":
    """Return the primary scores of the network and its baselines, with their intervals.

    Parameters
    ----------
    trained : Run
    width : int
        Number of columns of the terminal.
    """
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from chainrule.assessment.measures import MAE
    from chainrule.assessment.verdict import primary_measures

    judged = trained.judgement
    measures = primary_measures(judged)
    if len(measures) == 1:
        measures = (*measures, MAE)
    names = {"network": "This network", **_baseline_names(trained, width)}
    rows = [
        [title, *(_score(measure, judged.scores[name][measure.key]) for measure in measures)]
        for name, title in names.items()
    ]
    # Where lines are too short for long numbers, the interval comes below its score.
    wide = sum(max(map(len, column)) + 2 for column in zip(*rows, strict=True)) > width
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for title in ("", *(measure.name for measure in measures)):
        table.add_column(title, no_wrap=True)
    for title, *cells in rows:
        # As Text, whose line breaks the screen keeps.
        table.add_row(title, *(Text(one.replace(" (", "\n(") if wide else one) for one in cells))
    return table


def verdict_lines(trained: "Run") -> list[str]:
    """Return the result in sentences."""
    found, judged = trained.verdict, trained.judgement
    lines = [f"{found.badge}. {found.summary}"]
    for name, model in (("linear", "linear model was"), ("trees", "boosted trees were")):
        rows = judged.fitted_rows[name]
        if not rows:
            lines.append(f"To save time, the {model} not fitted.")
        elif rows < judged.training_rows:
            lines.append(
                f"To save time, the {model} fitted to {rows:,} of {judged.training_rows:,} "
                "training rows."
            )
    if judged.part != "test":
        lines.append(_CAUTION)
    return lines


def verdict_entries(trained: "Run") -> dict[str, Any] | None:
    """Return verdict, intervals and outcomes for JSON; undefined values are None."""
    from chainrule.errors import InvalidArgumentError

    try:
        found, judged = trained.verdict, trained.judgement
    except InvalidArgumentError:  # values too large for their scores
        return None
    return {
        "level": found.level,
        "badge": found.badge,
        "sentence": found.sentence,
        "comparisons": list(found.comparisons),
        "summary": found.summary,
        "part": judged.part,
        "rows": judged.table.height,
        "fitted_rows": judged.fitted_rows,
        "scores": {name: _intervals(of_model) for name, of_model in judged.scores.items()},
        "differences": {
            baseline: {
                measure.key: {
                    **_interval(judged.differences[baseline][measure.key]),
                    "outcome": judged.outcome(baseline, measure),
                }
                for measure in judged.measures
            }
            for baseline in judged.compared
        },
    }


def comparison_entry(trained: "Run") -> dict[str, Any]:
    """Return, after a search, the comparison of its best and default settings for JSON."""
    found = trained.comparison
    if found is None:
        return {}
    best, default = map(_intervals, found.scores)
    return {
        "comparison": {
            "sentence": found.sentence,
            "part": found.part,
            "rows": found.rows,
            "best": best,
            "default": default,
            "differences": _intervals(found.differences),
        }
    }


def _baseline_names(trained: "Run", width: int) -> dict[str, str]:
    import numpy as np

    judged, target = trained.judgement, trained.model.target
    constant = "Always the mean"
    if target.classes:
        most = str(target.classes[int(np.argmax(judged.baselines["constant"][0]))])
        length = _SHORT_LENGTH if width < _NARROW else _LENGTH
        constant = f"Always “{most if len(most) <= length else most[: length - 1] + '…'}”"
    names = {"constant": constant, "linear": "Linear model", "trees": "Boosted trees"}
    return {name: names[name] for name in judged.compared}


def _score(measure: "Measure", found: Any) -> str:
    from chainrule.assessment.verdict import value_text

    value = value_text(measure, found.value)
    if found.low != found.low:
        return value
    low, high = (value_text(measure, end).rstrip("%") for end in (found.low, found.high))
    return f"{value} ({low}–{high})"


def _intervals(scores: dict[str, Any]) -> dict[str, dict[str, float | None]]:
    return {key: _interval(found) for key, found in scores.items()}


def _interval(found: Any) -> dict[str, float | None]:
    return {
        name: None if end != end else end
        for name, end in zip(("value", "low", "high"), found, strict=True)
    }
