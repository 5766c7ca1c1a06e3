"""The command check: a test of the gradients."""

from typing import Annotated

import typer

from chainrule.cli.options import EngineName, ModelPath, NamingCommand, TablePath, table_model
from chainrule.cli.streams import say, say_sentence


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

    Rows without a target value are skipped. The exit code is 1 if the gradients disagree.
    """
    import numpy as np

    from chainrule.runs.parts import rows_with_target

    loaded = table_model(model)
    whole, notes, numbers = rows_with_target(table, loaded)
    taken = np.unique(np.linspace(0, whole.height - 1, min(rows, whole.height)).astype(int))
    with numbers.naming():
        X, y = loaded.examples(whole)
    result = loaded.network.check_gradients(X[taken], y[taken], engine=engine)
    for note in notes:
        say_sentence(f"Note: {note}", error=True)
    for line in str(result).split("\n"):
        say(line)
    say(
        f"{len(taken)} rows: backpropagation and differences "
        + ("agree." if result else "DISAGREE: the gradients of this engine are wrong.")
    )
    if not result:
        raise typer.Exit(1)
