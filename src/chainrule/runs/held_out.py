"""The predictions for the held-out rows of a run: the test and validation rows."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from chainrule.model.table_model import TableModel
from chainrule.runs.parts import Parts

if TYPE_CHECKING:
    import polars as pl

PARTS = ("test", "validation")
_ROWS = 50_000


def held_out_predictions(
    model: TableModel, parts: Parts, validating: TableModel | None = None
) -> Iterator["pl.DataFrame"]:
    """Yield a row for each test and validation row, in batches.

    The columns are "part"; "row", its number in its file; "line", if a file has lines; "target",
    the true value; and those of `TableModel.predict`.

    Parameters
    ----------
    model : TableModel
    parts : Parts
        The rows of the run that trained the model.
    validating : TableModel, optional
        The model for the validation rows, if `model` has learned from them.
    """
    import polars as pl

    tables = parts.tables()
    # A separate test table may have a target of another type: 3.0 and 4.5 where there were 3 and 4.
    types = {tables[part][model.target.name].dtype for part in PARTS}
    one_type = types.pop() if len(types) == 1 else pl.String if model.target.classes else pl.Float64
    has_lines = any(parts.numbers[part].lines is not None for part in PARTS)
    for part in PARTS:
        of_part = validating if part == "validation" and validating is not None else model
        for start in range(0, tables[part].height, _ROWS):
            rows = tables[part].slice(start, _ROWS)
            numbers = parts.numbers[part][start : start + _ROWS]
            places = {"row": pl.Series(numbers.rows)}
            if has_lines:
                lines = [None] * len(numbers) if numbers.lines is None else numbers.lines
                places["line"] = pl.Series(lines, dtype=pl.Int64)
            with numbers.naming():
                predictions = of_part.predict_read(rows)
            yield predictions.select(
                pl.lit(part).alias("part"),
                *(column.alias(name) for name, column in places.items()),
                rows[model.target.name].cast(one_type).alias("target"),
                pl.all(),
            )
