"""The command drift: compares the distribution of a table with that of the training rows."""

from typing import Annotated

import typer

from chainrule.cli.options import ModelPath, TablePath, table_model
from chainrule.cli.streams import say, say_json, say_sentence

_EXAMPLES = """Examples:

chainrule drift run new.csv

chainrule drift run new.csv --json
"""


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command(epilog=_EXAMPLES)(drift)


def drift(
    model: ModelPath,
    table: TablePath,
    json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False,
    skip_bad_rows: Annotated[
        bool, typer.Option("--skip-bad-rows", help="Skip rows that cannot be read.")
    ] = False,
) -> None:
    """Show whether the rows of a table are distributed like the training rows.

    For each column: the population stability index, whether it is more than chance explains, and
    the shares of missing values, of values outside the training range and of unknown categories.
    The columns that the model depends on come first. No target is needed.
    """
    from chainrule.assessment.drift import drift as compared
    from chainrule.tables.reader import read_by

    loaded = table_model(model)
    rows, notes, numbers = read_by(table, loaded.encoder.reading, skip_bad_rows=skip_bad_rows)
    with numbers.naming():
        found = compared(loaded, rows)
    for note in notes:
        say_sentence(f"Note: {table}: {note}", error=True)
    if json:
        say_json(found.to_json())
        return
    for line in repr(found).split("\n"):
        say(line)
