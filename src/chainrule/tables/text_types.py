"""What columns of text are when all of them are looked at: numbers, true and false, or text."""

from collections.abc import Container
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

# What stands for a missing value where everything else is a number.
_NO_NUMBER = frozenset(
    {"NA", "N/A", "n/a", "na", "#N/A", "NULL", "null", "None", "none", "?", "-", "--", "."}
)
_SAMPLE = 200


def typed(
    table: "pl.DataFrame", given: Container[str] = (), *, decimal_comma: bool = False
) -> "pl.DataFrame":
    """Return a table whose columns of text lack surrounding spaces and are of the type they say.

    Text is numbers if all values are, but for words such as NA and ? that then are missing; else
    true and false if all values are these; else text. An empty text is a missing value.

    Parameters
    ----------
    table : polars.DataFrame
    given : names
        Columns that stay text.
    decimal_comma : bool
        Whether 1,5 is a number.
    """
    import polars as pl
    import polars.selectors as cs

    # In one query each, which polars spreads over its threads; hardly a column needs the second.
    text = cs.string()
    begins, ends = text.str.starts_with, text.str.ends_with
    untidy = begins(" ") | ends(" ") | (text == "")
    found = table.select(untidy.any())
    names = [column.name for column in found.iter_columns() if column.item()]
    stripped = pl.col(names).str.strip_chars()
    table = table.with_columns(pl.when(stripped != "").then(stripped))
    converted = [
        _converted(column, decimal_comma)
        for column in table.iter_columns()
        if column.dtype == pl.String and column.name not in given
    ]
    return table.with_columns(column for column in converted if column is not None)


def _converted(text: "pl.Series", decimal_comma: bool) -> "pl.Series | None":
    """Return what a column of text is; None for text."""
    import polars as pl

    values = text.drop_nulls()
    if values.is_empty():
        return text.cast(pl.Null)
    sample = values.head(_SAMPLE)
    if sample.str.to_lowercase().is_in(["true", "false"]).all():
        lower = values.str.to_lowercase()
        if lower.is_in(["true", "false"]).all():
            return text.str.to_lowercase() == "true"
    # Numbers hardly begin with a letter; nearly all columns of text are told by a glance.
    if _numbers(sample, decimal_comma).count() < sample.len() / 2:
        return None
    numbers = _numbers(text, decimal_comma)
    others = text.filter(numbers.is_null() & text.is_not_null()).unique()
    if not set(others.to_list()) <= _NO_NUMBER:
        return None
    whole = text.cast(pl.Int64, strict=False)
    return whole if whole.null_count() == numbers.null_count() else numbers


def _numbers(text: "pl.Series", decimal_comma: bool) -> "pl.Series":
    import polars as pl

    if decimal_comma:
        plain = text.str.contains(r"^[+-]?\d*,\d+$")
        text = (
            text.to_frame()
            .select(
                pl.when(plain)
                .then(pl.col(text.name).str.replace(",", ".", literal=True))
                .otherwise(pl.col(text.name))
            )
            .to_series()
        )
    return text.cast(pl.Float64, strict=False)
