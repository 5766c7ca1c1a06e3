"""The command importance: the effect of each column on the score."""

from typing import Annotated

import typer

from chainrule.cli.options import ModelPath, TablePath, table_model
from chainrule.cli.streams import say_json, say_sentence


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command(
        epilog="Example: chainrule importance run/model.safetensors other.csv --metric log_loss"
    )(importance)


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
    json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False,
) -> None:
    """Show how much worse the model's score gets when a column is shuffled.

    Use rows that the model was not trained on. If two columns carry the same information, shuffling
    one of them has little effect.
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
        say_sentence(f"Note: {note}", error=True)
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
