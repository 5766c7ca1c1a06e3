"""Tables and sentences that commands show on standard output."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.table import Table

    from chainrule.assessment.comparison import Comparison
    from chainrule.assessment.importance import ColumnImportance
    from chainrule.cli.screen import Screen

_NAMES = {
    "rows": "rows",
    "accuracy": "accuracy",
    "precision": "precision",
    "recall": "recall",
    "f1": "F1",
    "roc_auc": "ROC AUC",
    "rmse": "RMSE",
    "mae": "MAE",
    "r2": "R²",
}

# A larger confusion matrix does not fit into a terminal; it is in metrics.json.
_MOST_CLASSES = 12
# A title takes three columns of a terminal more than its letters; 80 columns must do.
_WIDEST = 78


def console(error: bool = False) -> "Screen":
    """Return the console for standard output or error, which never interprets text as markup."""
    from chainrule.cli.screen import Screen

    return Screen(error)


def score_table(parts: Mapping[str, Mapping[str, Any]]) -> "Table":
    """Return a table with a row per score and a column per part (train, validation, test)."""
    table = _table("", *parts)
    for key, name in _NAMES.items():
        if any(key in scores for scores in parts.values()):
            table.add_row(name, *(_number(key, scores.get(key)) for scores in parts.values()))
    return table


def averaging_note(scores: Mapping[str, Any]) -> str:
    """Return which class or mean precision, recall and F1 refer to; "" for a regression."""
    if "positive_class" in scores:
        return f"Precision, recall and F1 are those of class {scores['positive_class']}."
    if "f1" in scores:
        return "Precision, recall, F1 and ROC AUC are means over the classes."
    return ""


def confusion_table(scores: Mapping[str, Any]) -> "Table | str":
    """Return the confusion matrix of one part as a table; "" for a regression."""
    if "confusion_matrix" not in scores:
        return ""
    classes = [str(name) for name in scores["confusion_matrix"]["classes"]]
    counts = scores["confusion_matrix"]["counts"]
    if len(classes) > _MOST_CLASSES:
        return f"(A confusion matrix of {len(classes)} classes is too wide to show.)"
    numbers = [str(index) for index in range(1, len(classes) + 1)]
    longest = max(map(len, classes))
    titles, names = classes, classes
    if longest + sum(len(name) + 3 for name in classes) > _WIDEST:
        # The titles would be broken: rows are numbered, and columns have the numbers alone.
        titles = numbers
        names = [f"{number} {name}" for number, name in zip(numbers, classes, strict=True)]
    table = _table("true \\ predicted", *titles)
    if titles is numbers:
        table.padding = (0, 1, 0, 0)
    for name, row in zip(names, counts, strict=True):
        table.add_row(name, *map(str, row))
    return table


def importance_table(columns: "Iterable[ColumnImportance]") -> "Table":
    """Return a table of the columns' importances, with their intervals; noise is marked."""
    table = _table("column", "mean", "95% interval", "")
    for one in columns:
        interval = f"{one.low:+.3g} to {one.high:+.3g}"
        table.add_row(one.column, f"{one.mean:+.4g}", interval, "noise" if one.is_noise else "")
    return table


def comparison_table(comparison: "Comparison") -> "Table":
    """Return the scores of two models side by side, with their intervals and differences."""
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    for name in ("", *comparison.names, "difference"):
        table.add_column(name)
    for row in comparison.table():
        table.add_row(*row)
    return table


def fact_table(facts: Iterable[tuple[str, str]]) -> "Table":
    """Return names and values as a table of two columns."""
    from rich.table import Table

    table = Table.grid(padding=(0, 3))
    for name, value in facts:
        table.add_row(name, value)
    return table


def describe_classes(model_classes: Iterable[object], most: int = 10) -> str:
    """Return the names of classes, but only the first ones if there are many."""
    names = [str(name) for name in model_classes]
    shown = ", ".join(names[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown


def _table(corner: str, *columns: str) -> "Table":
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column(corner)
    for name in columns:
        table.add_column(name, justify="right")
    return table


def _number(key: str, value: object) -> str:
    if value is None:
        return "–"
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:.5g}" if key in ("rmse", "mae") else f"{value:.4f}"
