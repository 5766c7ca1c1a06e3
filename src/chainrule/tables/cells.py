"""The cells of a text file: values that have no text, and neutralised formulas."""

import json
from typing import TYPE_CHECKING, Any

from chainrule.errors import InvalidTableError

if TYPE_CHECKING:
    import polars as pl

# What a spreadsheet takes for a formula, by https://owasp.org/www-community/attacks/CSV_Injection;
# the wide forms are those of Japanese and Chinese keyboards. Some programs skip spaces in front.
_FORMULA = r"^(?:[\t\r\n]|\s*[=+\-@\x{FF1D}\x{FF0B}\x{FF0D}\x{FF20}])"
_NUMBER = r"^\s*[+-]?(?:\d[\d.,]*|[.,]\d+)(?:[eE][+-]?\d+)?\s*%?\s*$"


def as_cells(table: "pl.DataFrame") -> "pl.DataFrame":
    """Return a table whose columns CSV can hold: lists and objects as JSON, durations as text.

    Raises
    ------
    InvalidTableError
        If a column holds bytes or another type that has no text.
    """
    import polars as pl

    columns = []
    for column in table.iter_columns():
        kind = column.dtype
        if isinstance(kind, pl.List | pl.Array | pl.Struct):
            column = pl.Series(column.name, list(map(_json, column.to_list())), pl.String)
        elif isinstance(kind, pl.Duration):
            column = column.dt.to_string("iso")
        elif kind in (pl.Binary, pl.Object):
            raise InvalidTableError(
                f"column {column.name!r} holds values of type {kind}, which a text file cannot "
                "hold; leave it out with --keep, or write Parquet"
            )
        columns.append(column)
    return pl.DataFrame(columns)


def without_formulas(table: "pl.DataFrame") -> "pl.DataFrame":
    """Return a table in which a ' precedes each text that a spreadsheet would run as a formula.

    Texts that are numbers, such as -5, stay as they are. Names of columns are texts, too.
    """
    import polars as pl

    columns = []
    for column in table.iter_columns():
        if isinstance(column.dtype, pl.String | pl.Categorical | pl.Enum):
            column = _harmless(column.cast(pl.String))
        columns.append(column)
    names = _harmless(pl.Series(table.columns, dtype=pl.String)).to_list()
    return pl.DataFrame([column.alias(name) for column, name in zip(columns, names, strict=True)])


def _harmless(texts: "pl.Series") -> "pl.Series":
    import polars as pl

    formula = texts.str.contains(_FORMULA) & ~texts.str.contains(_NUMBER)
    if not formula.any():
        return texts
    return (
        pl.select(pl.when(formula).then("'" + texts).otherwise(texts)).to_series().alias(texts.name)
    )


def _json(value: Any) -> str | None:
    return None if value is None else json.dumps(value, ensure_ascii=False, default=str)
