"""Notes on a run for a careful reader: the division of its rows, leaks of the target, classes."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from chainrule.runs.options import DataOptions
from chainrule.runs.parts import Parts
from chainrule.tables.combined_leakage import combined_leaks
from chainrule.tables.grouping import LikelyGroup, likely_groups
from chainrule.tables.leakage import suspicious_columns

if TYPE_CHECKING:
    import polars as pl

FEW_TEST_ROWS = 100
"""With fewer test rows, an accuracy is known to about ±8 points at best."""
FEW_OF_A_CLASS = 10
_MOST_NAMED = 5


@dataclass(frozen=True)
class Findings:
    """Findings, before training, that affect how far the scores of a run can be trusted."""

    leaks: tuple[tuple[str, ...], ...] = ()
    """Columns, or sets of columns, that predict the target almost exactly."""
    groups: tuple[str, ...] = ()
    """Columns that look like identifiers with several rows each."""
    dates: tuple[str, ...] = ()
    few_test_rows: bool = False
    before: tuple[str, ...] = ()
    """Notes to read before the training: on leaks."""
    beside_scores: tuple[str, ...] = ()
    """Notes to read with the scores."""


def findings(parts: Parts, options: DataOptions) -> Findings:
    """Return the findings on the division of the rows, and on columns that leak the target."""
    table, column = parts.train.select(parts.features), parts.train[options.target]
    alone = suspicious_columns(table, column, parts.task)
    together = combined_leaks(table, column, parts.task, [leak.column for leak in alone])
    likely = () if options.group else likely_groups(parts.train, parts.features)
    groups = [group for group in likely if _is_shared(parts, group.column)]
    dates = [] if options.time or options.test else _dates(parts)
    return Findings(
        (*((leak.column,) for leak in alone), *(leak.columns for leak in together)),
        tuple(group.column for group in groups),
        tuple(dates),
        parts.test.height < FEW_TEST_ROWS,
        (*(leak.sentence for leak in alone), *(leak.sentence for leak in together)),
        (
            *map(_on_group, groups),
            *_on_dates(dates),
            *_on_few_rows(parts, options),
            *_on_rare_classes(parts, options.target),
        ),
    )


def notes_on_predictions(scores: Mapping[str, Mapping[str, Any]], target: str) -> list[str]:
    """Return a note on classes that test rows have and the network never predicts for them."""
    matrix = scores["test"].get("confusion_matrix")
    if not matrix or len(matrix["classes"]) < 2:
        return []
    counts = matrix["counts"]
    never = [
        (name, sum(row))
        for at, (name, row) in enumerate(zip(matrix["classes"], counts, strict=True))
        if sum(row) and not any(one[at] for one in counts)
    ]
    if not never:
        return []
    named = _listed([f"{name!r} ({rows:,} test {_rows(rows)})" for name, rows in never])
    classes = "class" if len(never) == 1 else "classes"
    return [
        f"the network never predicts the {classes} {named} of {target} on the test rows; "
        "--class-weight balanced gives rare classes more weight"
    ]


def _is_shared(parts: Parts, column: str) -> bool:
    """Return whether half of the test rows or more have a value that training rows have, too."""
    import polars as pl

    known = parts.train[column].drop_nulls().cast(pl.String).unique().to_list()
    held_out = parts.test[column].cast(pl.String)
    return 2 * int(held_out.is_in(known).sum()) >= held_out.len() > 0


def _on_group(group: LikelyGroup) -> str:
    return (
        f"column {group.column!r} looks like an identifier with several rows per value "
        f"({group.values:,} values in {group.rows:,} training rows): rows with the same value are "
        "in the training rows and in the test rows, so the test scores are too good if the model "
        f"is for new values; --group {group.column!r} keeps all rows of a value in one part"
    )


def _dates(parts: Parts) -> list[str]:
    return [name for name in parts.features if _is_of_dates(parts.train[name])]


def _on_dates(dates: list[str]) -> list[str]:
    if not dates:
        return []
    return [
        f"{_columns(dates)} dates, and the test rows are from the same period as the training "
        f"rows; if the model is for later rows, --time {dates[0]!r} tests it on the latest rows"
    ]


def _is_of_dates(column: "pl.Series") -> bool:
    import polars as pl

    if not isinstance(column.dtype, pl.Date | pl.Datetime):
        return False
    # A date of birth orders people, not rows.
    return not re.search(r"birth|born|\bdob\b", column.name.lower()) and column.n_unique() > 2


def _on_few_rows(parts: Parts, options: DataOptions) -> list[str]:
    rows = parts.test.height
    if rows >= FEW_TEST_ROWS:
        return []
    remedy = (
        "use a larger --test table"
        if options.test
        else "use --split 0.6,0.1,0.3 for more test rows"
    )
    return [
        f"there {'is' if rows == 1 else 'are'} only {rows} test {_rows(rows)}: the test scores are "
        f"uncertain, as their intervals show; {remedy}, or train and test with several values of "
        "--seed"
    ]


def _on_rare_classes(parts: Parts, target: str) -> list[str]:
    if not parts.classes:
        return []
    counts = dict(parts.train[target].value_counts().iter_rows())
    rare = [(name, counts.get(name, 0)) for name in parts.classes]
    rare = sorted((one for one in rare if one[1] < FEW_OF_A_CLASS), key=lambda one: one[1])
    if not rare:
        return []
    named = _listed([f"{name!r} ({rows})" for name, rows in rare])
    return [
        f"classes of {target} with fewer than {FEW_OF_A_CLASS} training rows: {named}; a network "
        "can hardly learn these classes; collect more rows of them, or merge them with other "
        "classes"
    ]


def _columns(names: list[str]) -> str:
    if len(names) == 1:
        return f"column {names[0]!r} has"
    return f"columns {_listed([repr(name) for name in names])} have"


def _listed(names: list[str]) -> str:
    shown = names[:_MOST_NAMED]
    more = len(names) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")


def _rows(count: int) -> str:
    return "row" if count == 1 else "rows"
