"""The commands explain and importance: which columns matter, for one prediction and overall."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from chainrule.cli.gradient_check import require_target
from chainrule.cli.options import (
    LearningRate,
    ModelPath,
    NamingCommand,
    OptimizerName,
    TablePath,
    optimizer_from,
    table_model,
)
from chainrule.cli.streams import say, say_json
from chainrule.printable import printable

if TYPE_CHECKING:
    import polars as pl

    from chainrule.model.explanation import Explanation
    from chainrule.model.table_model import TableModel

_MOST_COLUMNS = 15


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command(
        epilog="Example: chainrule explain run/model.safetensors data.csv --row 1 --html row.html",
        cls=NamingCommand,
    )(explain)
    app.command(
        epilog="Example: chainrule importance run/model.safetensors other.csv --metric log_loss"
    )(importance)


def explain(
    model: ModelPath,
    table: TablePath,
    row: Annotated[
        int, typer.Option(metavar="N", help="Row number, counted from 1 below the header.")
    ],
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the trace as an HTML page.")
    ] = None,
    latex: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the trace as LaTeX.")
    ] = None,
    optimizer: OptimizerName = "adam",
    learning_rate: LearningRate = None,
    skip_bad_rows: Annotated[
        bool, typer.Option("--skip-bad-rows", help="Skip rows that cannot be read.")
    ] = False,
) -> None:
    """Show what moved the prediction for one row, and every equation of a training step on it.

    The row needs a value of the target, from which the errors δ are computed. The model does not
    change.
    """
    from chainrule.files.outputs import check_outputs
    from chainrule.model.explanation import explain_row
    from chainrule.report.trace_page import write_trace_latex, write_trace_page

    outputs = {"--html": html, "--latex": latex}
    check_outputs(
        [(name, path) for name, path in outputs.items() if path is not None],
        [("MODEL", model), ("TABLE", table)],
    )
    chosen_optimizer = optimizer_from(optimizer, learning_rate)
    loaded = table_model(model)
    rows, _, numbers = loaded.read(table, skip_bad_rows=skip_bad_rows)
    index = numbers.index_of(row, "--row", str(table))
    this = slice(index, index + 1)
    with numbers[this].naming():
        require_target(loaded, rows[this], table)
        X, y = loaded.examples(rows[this])
    trace = loaded.network.trace(X, y, optimizer=chosen_optimizer)
    summary = _summary(loaded, rows[this])
    blocks = (
        [f"Row {row}: {summary}"],
        _inputs(loaded, rows[this], X[0]),
        _moved(explain_row(loaded, rows[this])),
        str(trace).split("\n"),
    )
    for number, lines in enumerate(blocks):
        for line in ["", *lines] if number else lines:
            say(line)
    if html is not None:
        write_trace_page(trace, html, f"Row {row} of {table.name}", summary)
        say()
        say(f"Page written to {html}")
    if latex is not None:
        write_trace_latex(trace, latex)
        say()
        say(f"LaTeX written to {latex}")


def importance(
    model: ModelPath,
    table: TablePath,
    metric: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="accuracy or log_loss for classes, rmse or mae for values.",
            show_default=False,
        ),
    ] = None,
    repeats: Annotated[
        int, typer.Option(metavar="N", min=1, help="Number of times each column is shuffled.")
    ] = 5,
    rows: Annotated[
        int, typer.Option(metavar="N", min=1, help="Largest number of rows to draw from the table.")
    ] = 5000,
    seed: Annotated[int, typer.Option(metavar="N", min=0, help="Seed of the shuffling.")] = 0,
    json: Annotated[bool, typer.Option("--json", help="Output as JSON, for machines.")] = False,
) -> None:
    """Show how much worse the model's score gets when a column is shuffled.

    Use rows that the model was not trained on. If two columns carry the same information, shuffling
    one of them costs little, since the other one remains.
    """
    from dataclasses import asdict

    from chainrule.assessment.importance import permutation_importance
    from chainrule.cli.displays import console, importance_table
    from chainrule.runs.parts import rows_with_target

    loaded = table_model(model)
    whole, notes, _ = rows_with_target(table, loaded)
    found = permutation_importance(
        loaded, whole, metric=metric, repeats=repeats, most_rows=rows, seed=seed
    )
    for note in notes:
        say(f"Note: {note}", error=True)
    if json:
        say_json(asdict(found))
        return
    screen = console()
    change = "Decrease" if found.metric == "accuracy" else "Increase"
    screen.print(
        f"{change} in {found.metric.replace('_', ' ')} when a column is shuffled ({found.rows:,} "
        f"rows, {found.repeats} times each):"
    )
    screen.print(importance_table(found.columns))


def _summary(model: "TableModel", row: "pl.DataFrame") -> str:
    """Return the true and the predicted target of one row."""
    target = model.target
    predicted = model.predict(row).row(0, named=True)
    prediction = predicted["prediction"]
    chance = ""
    if target.task == "classification":
        chance = f" (probability {predicted[f'probability_{prediction}']:.4f})"
    return f"{target.name} is {row[target.name][0]}, predicted {prediction}{chance}"


def _inputs(model: "TableModel", row: "pl.DataFrame", inputs: Iterable[float]) -> list[str]:
    """Return the row's values beside the network's inputs, A[0]."""
    names = list(map(printable, model.encoder.get_feature_names_out()))
    values = [
        _value(row[column.name][0]) if place == 0 else ""
        for column in model.encoder.columns_
        for place in range(column.width)
    ]
    width = max(map(len, ("input", *names)))
    lines = [f"{'input':<{width}}  {'value':>12}  {'A[0]':>10}"]
    for name, value, number in zip(names, values, inputs, strict=True):
        lines.append(f"{name:<{width}}  {value:>12}  {number:>10.4f}")
    return lines


def _moved(explanation: "Explanation") -> list[str]:
    """Return how far each column moved the prediction, the largest effect first."""
    shown, rest = explanation.columns[:_MOST_COLUMNS], explanation.columns[_MOST_COLUMNS:]
    rows = [
        (
            printable(moved.column),
            _value(moved.value),
            moved.gradient_times_input,
            moved.integrated_gradients,
        )
        for moved in shown
    ]
    if rest:
        by_gradient = sum(moved.gradient_times_input for moved in rest)
        by_integral = sum(moved.integrated_gradients for moved in rest)
        rows.append((f"{len(rest)} more", "", by_gradient, by_integral))
    width = max(len("column"), *(len(row[0]) for row in rows))
    wide = max(len("value"), *(len(row[1]) for row in rows))
    lines = [
        f"What moved the {explanation.quantity}, from {explanation.reference_value:.5g} for the "
        f"mean training row to {explanation.value:.5g}:",
        f"{'column':<{width}}  {'value':>{wide}}  gradient × input  integrated gradients",
    ]
    for name, value, by_gradient, by_integral in rows:
        numbers = f"{by_gradient:>+16.5g}  {by_integral:>+20.5g}"
        lines.append(f"{name:<{width}}  {value:>{wide}}  {numbers}")
    return lines


def _value(value: object) -> str:
    if value is None:
        return "–"
    return f"{value:.6g}" if isinstance(value, int | float) else printable(value)
