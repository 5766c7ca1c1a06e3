"""The commands explain and check: one step with all its numbers, and its gradients tested."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from chainrule.cli.options import (
    EngineName,
    LearningRate,
    ModelPath,
    OptimizerName,
    TablePath,
    optimizer_from,
    table_model,
)
from chainrule.errors import InvalidArgumentError, InvalidTableError

if TYPE_CHECKING:
    import polars as pl

    from chainrule.model.table_model import TableModel


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command(
        epilog="Example: chainrule explain run/model.safetensors data.csv --row 1 --html row.html"
    )(explain)
    app.command(epilog="Example: chainrule check run/model.safetensors data.csv")(check)


def explain(
    model: ModelPath,
    table: TablePath,
    row: Annotated[
        int, typer.Option(metavar="N", help="Which row, counted from 1 below the line of names.")
    ],
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the trace as a page.")
    ] = None,
    latex: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the trace as LaTeX.")
    ] = None,
    optimizer: OptimizerName = "adam",
    learning_rate: LearningRate = None,
) -> None:
    """Show the trace of one row: every equation of a training step on it, with its numbers.

    The row needs its target: the errors δ start from it. The model does not change.
    """
    from chainrule.report.trace_page import write_trace_latex, write_trace_page
    from chainrule.tables.reading import read_table

    chosen_optimizer = optimizer_from(optimizer, learning_rate)
    loaded = table_model(model)
    rows = read_table(table)
    _require_target(loaded, rows, table)
    if not 1 <= row <= rows.height:
        raise InvalidArgumentError(
            f"--row: expected a number from 1 to {rows.height}, the rows of {table}; got {row}"
        )
    # All rows, so that an error names the row in the file.
    X, y = loaded.examples(rows)
    this = slice(row - 1, row)
    trace = loaded.network.trace(X[this], y[this], optimizer=chosen_optimizer)
    summary = _summary(loaded, rows[this])
    typer.echo(f"Row {row}: {summary}\n")
    typer.echo(_inputs(loaded, rows[this], X[row - 1]))
    typer.echo()
    typer.echo(str(trace))
    if html is not None:
        write_trace_page(trace, html, f"Row {row} of {table.name}", summary)
        typer.echo(f"\nThe page is in {html}")
    if latex is not None:
        write_trace_latex(trace, latex)
        typer.echo(f"\nThe LaTeX is in {latex}")


def _summary(model: "TableModel", row: "pl.DataFrame") -> str:
    """Return prediction and truth of one row."""
    target = model.target
    predicted = model.predict(row).row(0, named=True)
    prediction = predicted["prediction"]
    chance = ""
    if target.task == "classification":
        chance = f" (probability {predicted[f'probability_{prediction}']:.4f})"
    return f"{target.name} is {row[target.name][0]}, predicted {prediction}{chance}"


def _inputs(model: "TableModel", row: "pl.DataFrame", inputs: Iterable[float]) -> str:
    """Return the row's values beside what the network is given, A[0]."""
    names = list(model.encoder.get_feature_names_out())
    values = [
        _value(row[column.name][0]) if place == 0 else ""
        for column in model.encoder.columns_
        for place in range(column.width)
    ]
    width = max(map(len, ("input", *names)))
    lines = [f"{'input':<{width}}  {'value':>12}  {'A[0]':>10}"]
    for name, value, number in zip(names, values, inputs, strict=True):
        lines.append(f"{name:<{width}}  {value:>12}  {number:>10.4f}")
    return "\n".join(lines)


def _value(value: object) -> str:
    if value is None:
        return "–"
    return f"{value:.6g}" if isinstance(value, int | float) else str(value)


def check(
    model: ModelPath,
    table: TablePath,
    rows: Annotated[
        int,
        typer.Option(
            metavar="N", min=1, help="How many rows to take, evenly from the whole table."
        ),
    ] = 32,
    engine: EngineName = "auto",
) -> None:
    """Check the gradients: backpropagation against differences of the loss, in float64.

    Ends with exit code 1 if they disagree.
    """
    import numpy as np

    from chainrule.tables.reading import read_table

    loaded = table_model(model)
    whole = read_table(table)
    _require_target(loaded, whole, table)
    taken = np.unique(np.linspace(0, whole.height - 1, min(rows, whole.height)).astype(int))
    X, y = loaded.examples(whole)
    result = loaded.network.check_gradients(X[taken], y[taken], engine=engine)
    typer.echo(str(result))
    typer.echo(
        f"{len(taken)} rows: backpropagation and differences "
        + ("agree." if result else "DISAGREE: the gradients of this engine are wrong.")
    )
    if not result:
        raise typer.Exit(1)


def _require_target(model: "TableModel", rows: "pl.DataFrame", path: Path) -> None:
    target = model.target.name
    if target not in rows.columns:
        raise InvalidTableError(
            f"{path}: has no column {target!r}, the target, which errors and gradients start from; "
            "add it (chainrule predict does without)"
        )
