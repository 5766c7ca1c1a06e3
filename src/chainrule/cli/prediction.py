"""The commands predict and evaluate."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from chainrule.cli.options import ModelPath, TablePath, table_model
from chainrule.cli.streams import data_stream, say, say_json, say_sentence

if TYPE_CHECKING:
    import polars as pl

    from chainrule.model.kept_columns import Keep

_PREDICT_EXAMPLES = """Examples:

chainrule predict run new.csv -o predictions.csv

chainrule predict run new.parquet -o predictions.parquet --keep customer

chainrule predict run 'data/*.parquet' -o predictions.parquet

gunzip -c new.csv.gz | chainrule predict run - --keep none | head

chainrule predict run/model.safetensors new.csv -o predictions.csv --interval 0.9
"""

_EVALUATE_EXAMPLES = """Examples:

chainrule evaluate run/model.safetensors other.csv

chainrule evaluate run/model.safetensors other.csv --json
"""


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command(epilog=_PREDICT_EXAMPLES)(predict)
    app.command(epilog=_EVALUATE_EXAMPLES)(evaluate)


def predict(
    model: ModelPath,
    table: TablePath,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            metavar="FILE",
            help="Output file: .csv, .tsv, .parquet, .arrow, .feather or .jsonl; - for standard "
            "output.",
            show_default=False,
        ),
    ] = None,
    keep: Annotated[
        list[str] | None,
        typer.Option(
            "--keep",
            metavar="COLUMNS",
            help="Columns of the table to write before the predictions: all, none, or names (a,b; "
            "may be repeated). Default: all, so that each prediction is next to its inputs.",
            show_default=False,
        ),
    ] = None,
    interval: Annotated[
        float | None,
        typer.Option(
            "--interval",
            metavar="COVERAGE",
            help="Add prediction intervals with this coverage (0.9: the true value of 90 % of new "
            "rows is between lower and upper); for classes, the column prediction_set.",
            show_default=False,
        ),
    ] = None,
    neutralise_formulas: Annotated[
        bool,
        typer.Option(
            "--neutralise-formulas",
            help="Write a ' before each text that a spreadsheet would run as a formula (it begins "
            "with =, +, -, @ or a tab). Numbers are not changed. CSV and TSV only.",
        ),
    ] = False,
    skip_bad_rows: Annotated[
        bool, typer.Option("--skip-bad-rows", help="Skip rows that cannot be read.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show nothing but errors.")] = False,
) -> None:
    """Predict every row of a table. Writes CSV to standard output unless -o names a file.

    The output has the columns of the table, then the predictions: for classes, the most probable
    class and the probability of each class. The columns of the table may be in any order. The table
    is read in batches and may be larger than memory. TABLE may be a pattern such as
    'data/*.parquet', for the rows of one file after the other.
    """
    from chainrule.errors import InvalidArgumentError
    from chainrule.files.atomic import destination
    from chainrule.files.outputs import check_outputs
    from chainrule.model.table_predictions import format_of, predicted_batches, write_predictions
    from chainrule.tables.patterns import files_named, is_pattern

    if str(out) == "-":
        out = None
    ending = ".csv"
    tables = files_named(table) if is_pattern(table) else [table]
    if out is not None:
        check_outputs([("--out", out)], [("MODEL", model), *(("TABLE", one) for one in tables)])
        ending = format_of(out)
    is_text = ending in (".csv", ".tsv")
    if neutralise_formulas and not is_text:
        raise InvalidArgumentError(
            f"--neutralise-formulas: only CSV and TSV are opened as formulas; leave it out for "
            f"{ending}"
        )
    notes: list[object] = []
    batches = predicted_batches(
        table_model(model),
        table,
        _kept(keep),
        typed=not is_text,
        skip_bad_rows=skip_bad_rows,
        notes=notes,  # type: ignore[arg-type]
        interval=interval,
    )
    if out is None:
        if sys.stdout is None:
            raise InvalidArgumentError(
                "--out: standard output is closed; give a file to write the predictions to"
            )
        _print(batches, neutralise_formulas)
    else:
        rows = write_predictions(batches, out, (model, *tables), neutralise=neutralise_formulas)
        if not quiet:
            # A device or pipe may be standard output, and must then hold nothing but predictions.
            through = destination(out).through
            say(f"{rows:,} predictions written to {out}", error=through)
    for note in [] if quiet else notes:
        say_sentence(f"Note: {note}", error=True)


def _kept(given: list[str] | None) -> "Keep":
    """Return the columns that --keep names."""
    if not given or given == ["all"]:
        return "all"
    return () if given == ["none"] else given


def _print(batches: "Iterator[pl.DataFrame]", neutralise: bool) -> None:
    from chainrule.model.table_predictions import as_text

    # Always UTF-8, as all our files are: an encoding that lacks a letter would alter the values.
    stream = data_stream(sys.stdout)
    raw = getattr(stream, "buffer", None)
    for number, batch in enumerate(batches):
        text = as_text(batch, neutralise=neutralise).write_csv(include_header=number == 0)
        if raw is None:
            stream.write(text)
        else:
            raw.write(text.encode())


def evaluate(
    model: ModelPath,
    table: TablePath,
    json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False,
    skip_bad_rows: Annotated[
        bool, typer.Option("--skip-bad-rows", help="Skip rows that cannot be read.")
    ] = False,
) -> None:
    """Show a model's scores on a table that has the target column.

    Rows without a value of the target are skipped.
    """
    from chainrule.cli.displays import averaging_note, confusion_table, console, score_table
    from chainrule.runs.parts import rows_with_target

    loaded = table_model(model)
    rows, notes, numbers = rows_with_target(table, loaded, skip_bad_rows=skip_bad_rows)
    with numbers.naming():
        scores = loaded.evaluate(rows)
    for note in notes:
        say_sentence(f"Note: {note}", error=True)
    if json:
        say_json(scores)
        return
    screen = console()
    screen.print(score_table({table.name: scores}))
    averaged = averaging_note(scores)
    if averaged:
        screen.print(averaged)
        screen.print()
        screen.print("Confusion matrix:")
        screen.print(confusion_table(scores))
