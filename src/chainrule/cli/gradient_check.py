"""The command check: a test of the gradients."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from chainrule.cli.options import EngineName, ModelPath, NamingCommand, TablePath, table_model
from chainrule.cli.streams import say
from chainrule.errors import InvalidTableError

if TYPE_CHECKING:
    import polars as pl

    from chainrule.model.table_model import TableModel


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command(
        epilog="Example: chainrule check run/model.safetensors data.csv", cls=NamingCommand
    )(check)


def check(
    model: ModelPath,
    table: TablePath,
    rows: Annotated[
        int,
        typer.Option(
            metavar="N", min=1, help="Number of rows, spaced evenly over the whole table."
        ),
    ] = 32,
    engine: EngineName = "auto",
) -> None:
    """Check the gradients: compare backpropagation with central differences, in float64.

    The exit code is 1 if they disagree.
    """
    import numpy as np

    loaded = table_model(model)
    whole = loaded.read(table).table
    require_target(loaded, whole, table)
    taken = np.unique(np.linspace(0, whole.height - 1, min(rows, whole.height)).astype(int))
    X, y = loaded.examples(whole)
    result = loaded.network.check_gradients(X[taken], y[taken], engine=engine)  # type: ignore[arg-type]
    for line in str(result).split("\n"):
        say(line)
    say(
        f"{len(taken)} rows: backpropagation and differences "
        + ("agree." if result else "DISAGREE: the gradients of this engine are wrong.")
    )
    if not result:
        raise typer.Exit(1)


def require_target(model: "TableModel", rows: "pl.DataFrame", path: Path) -> None:
    """Raise unless a table has the target column."""
    target = model.target.name
    if target not in rows.columns:
        raise InvalidTableError(
            f"{path}: has no column {target!r}, the target, which errors and gradients depend on; "
            "add it (chainrule predict does without)"
        )
