"""The commands predict and evaluate."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from chainrule.cli.options import ModelPath, TablePath, table_model
from chainrule.errors import InvalidArgumentError


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command(
        epilog="Example: chainrule predict run/model.safetensors new.csv -o predictions.csv"
    )(predict)
    app.command(epilog="Example: chainrule evaluate run/model.safetensors other.csv")(evaluate)


def predict(
    model: ModelPath,
    table: TablePath,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", "-o", metavar="FILE", help="Where to write the predictions, as CSV or TSV."
        ),
    ] = None,
) -> None:
    """Predict every row of a table; as CSV, on standard output unless -o names a file.

    For classes: the most probable one, and the probability of each. Columns that the model does
    not know are ignored, and their order does not matter.
    """
    from chainrule.files.atomic import atomic_path

    separators = {".csv": ",", ".tsv": "\t"}
    suffix = out.suffix.lower() if out is not None else ".csv"
    if suffix not in separators:
        raise InvalidArgumentError(f"--out: expected a name ending in .csv or .tsv; got {out}")
    predictions = table_model(model).predict(table)
    if out is None:
        sys.stdout.write(predictions.write_csv())
        return
    with atomic_path(out) as temporary:
        predictions.write_csv(temporary, separator=separators[suffix])
    typer.echo(f"{predictions.height:,} predictions written to {out}")


def evaluate(model: ModelPath, table: TablePath) -> None:
    """Show how good a model is on a table that has the target column."""
    from chainrule.cli.showing import averaging_note, confusion_table, console, score_table

    scores = table_model(model).evaluate(table)
    screen = console()
    screen.print(score_table({table.name: scores}))
    note = averaging_note(scores)
    if note:
        screen.print(note)
        screen.print("\nConfusion matrix:")
        screen.print(confusion_table(scores))
