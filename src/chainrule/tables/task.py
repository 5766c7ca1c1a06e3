"""The task of a target column, classification or regression, and its classes."""

from typing import TYPE_CHECKING, Literal, TypeAlias, cast

from chainrule.errors import InvalidArgumentError, InvalidTableError
from chainrule.suggestions import did_you_mean
from chainrule.tables.columns import check_complete

if TYPE_CHECKING:
    import polars as pl

Task: TypeAlias = Literal["classification", "regression"]
Class: TypeAlias = str | bool | int | float
"""A class as it stands in the table."""

_MOST_NUMBERED_CLASSES = 20
_ROWS_PER_NUMBERED_CLASS = 10


def task_named(name: str) -> Task:
    """Return a task by name.

    Raises
    ------
    InvalidArgumentError
        If there is none of that name.
    """
    if name not in ("classification", "regression"):
        raise InvalidArgumentError(
            f"task: expected auto, classification or regression; got {name!r}"
            f"{did_you_mean(name, ('auto', 'classification', 'regression'))}"
        )
    return cast(Task, name)


def task_of(column: "pl.Series", name: str) -> Task:
    """Return a target's task by name; "auto": the one that it asks for."""
    return infer_task(column) if name == "auto" else task_named(name)


def infer_task(column: "pl.Series") -> Task:
    """Return the task for a target column.

    Text and true/false: classification. Numbers: classification if all are integers with at most
    two different values, or with up to 20 and on average at least 10 rows each; else regression.
    """
    if not column.dtype.is_numeric():
        return "classification"
    values = column.drop_nulls().unique()
    if values.len() > _MOST_NUMBERED_CLASSES:
        return "regression"
    whole = column.dtype.is_integer() or bool((values == values.round(0)).all())
    enough = column.len() >= _ROWS_PER_NUMBERED_CLASS * values.len()
    return "classification" if whole and (values.len() <= 2 or enough) else "regression"


def distinct_classes(column: "pl.Series") -> tuple[Class, ...]:
    """Return the classes of a target column, sorted: false before true, text by code points.

    Raises
    ------
    InvalidTableError
        If a value is missing or of a type that cannot be a class, if there are fewer than two
        classes, or if there are so many that most rows would have their own.
    """
    import polars as pl

    dtype = column.dtype
    if isinstance(dtype, pl.Categorical | pl.Enum):
        column = column.cast(pl.String)
    elif isinstance(dtype, pl.Decimal):
        column = column.cast(pl.Float64)
    elif not (dtype.is_numeric() or dtype in (pl.String, pl.Boolean)):
        raise InvalidTableError(
            f"the target {column.name!r} holds values of type {dtype}, which cannot be classes; "
            "write them as text"
        )
    check_complete(column)
    if dtype.is_float() and not column.is_finite().all():
        raise InvalidTableError(
            f"the target {column.name!r} holds numbers that are not finite; remove such rows"
        )
    classes = column.unique().to_list()
    if len(classes) < 2:
        raise InvalidTableError(
            f"the target {column.name!r} is {classes[0]!r} in all {column.len()} rows: one class; "
            "classification needs at least two"
        )
    if len(classes) > max(2, column.len() // 2):
        raise InvalidTableError(
            f"the target {column.name!r} has {len(classes)} different values in {column.len()} "
            f"rows, too many to be classes; {_no_classes(column)}"
        )
    return tuple(sorted(classes))


def _no_classes(column: "pl.Series") -> str:
    """Return a suggestion for a target of which nearly every value is different."""
    import polars as pl

    if column.dtype == pl.String:
        others = column.filter(column.cast(pl.Float64, strict=False).is_null())
        if 0 < others.len() <= column.len() / 2:
            return (
                f"it holds numbers, and {others.len():,} values that are not (such as "
                f"{others[0]!r}): write numbers in their place, or leave these fields empty"
            )
        if column.str.contains(r"^\W{0,3}\d").all():
            return (
                f"to predict what {column[0]!r} says, write it as a number (dates as days, lengths "
                "of time as seconds)"
            )
    return "is it the right column, or are these numbers for regression?"
