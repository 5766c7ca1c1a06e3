"""The command trace: every equation of one training step, with its numbers."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from chainrule.cli.options import (
    LearningRate,
    ModelPath,
    NamingCommand,
    OptimizerName,
    TablePath,
    optimizer_from,
    table_model,
)
from chainrule.cli.streams import say
from chainrule.printable import printable

if TYPE_CHECKING:
    import polars as pl

    from chainrule.model.table_model import TableModel


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command(
        epilog="Example: chainrule trace run/model.safetensors data.csv --row 1 --pdf row.pdf",
        cls=NamingCommand,
    )(trace)


def trace(
    model: ModelPath,
    table: TablePath,
    row: Annotated[
        int, typer.Option(metavar="N", help="Row number, counted from 1 below the header.")
    ],
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the trace as an HTML page.")
    ] = None,
    latex: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the trace as a LaTeX document.")
    ] = None,
    pdf: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the trace as a PDF.")
    ] = None,
    optimizer: OptimizerName = "adam",
    learning_rate: LearningRate = None,
    steps: Annotated[
        int,
        typer.Option(
            metavar="K",
            min=1,
            max=1_000_000,
            help="Take K steps on the row and show the last one, with V and S of the steps before.",
        ),
    ] = 1,
    skip_bad_rows: Annotated[
        bool, typer.Option("--skip-bad-rows", help="Skip rows that cannot be read.")
    ] = False,
) -> None:
    """Show every equation of a training step on one row, with its numbers.

    The row needs a target value, from which the errors δ are computed. The model does not change.
    A Tracer, in Python, records the steps of a training itself.
    To see which columns a prediction depends on, use chainrule explain.
    """
    from chainrule.files.outputs import check_outputs
    from chainrule.report.trace_page import write_trace
    from chainrule.runs.parts import row_with_target

    outputs = {"--html": html, "--latex": latex, "--pdf": pdf}
    check_outputs(
        [(name, path) for name, path in outputs.items() if path is not None],
        [("MODEL", model), ("TABLE", table)],
    )
    chosen_optimizer = optimizer_from(optimizer, learning_rate)
    loaded = table_model(model)
    chosen, numbers = row_with_target(table, loaded, row, "--row", skip_bad_rows=skip_bad_rows)
    with numbers.naming():
        X, y = loaded.examples(chosen)
    network, state = loaded.network, None
    if steps > 1:
        network = type(network).from_parameters(network.spec, network.parameters.copy())
        network.fit(X, y, optimizer=chosen_optimizer, epochs=steps - 1)
        state = network.optimizer_state
    traced = network.trace(X, y, optimizer=chosen_optimizer, state=state)
    summary = _summary(loaded, chosen)
    name, equations = numbers.named(0).capitalize(), str(traced)
    blocks = (
        [f"{name}: {summary}"],
        _inputs(loaded, chosen, X[0]),
        equations.split("\n"),
    )
    for number, lines in enumerate(blocks):
        for line in ["", *lines] if number else lines:
            say(line)
    if html is None and "are not shown" in equations:
        say()
        say("Of long arrays, only the corners are shown; --html FILE shows all numbers.")
    title = f"{name} of {table.name}"
    for path, ending, what in (
        (html, ".html", "Page"),
        (latex, ".tex", "LaTeX"),
        (pdf, ".pdf", "PDF"),
    ):
        if path is not None:
            write_trace(traced, path, ending, title, summary)
            say()
            say(f"{what} written to {path}")


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
    """Return the row's values and the network's inputs, A[0]."""
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


def _value(value: object) -> str:
    if value is None:
        return "–"
    return f"{value:.6g}" if isinstance(value, int | float) else printable(value)
