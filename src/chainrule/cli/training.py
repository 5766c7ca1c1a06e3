"""The command train."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from chainrule.cli.options import (
    EngineName,
    LearningRate,
    OptimizerName,
    TablePath,
    layer_sizes,
    optimizer_from,
)

if TYPE_CHECKING:
    from rich.console import Console

    from chainrule.model.table_training import TableTraining
    from chainrule.report.run_folder import RunFolder


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command(
        epilog="Example: chainrule train data.csv --target diagnosis --layers 24,24 --out run"
    )(train)


def train(
    table: TablePath,
    target: Annotated[str, typer.Option(metavar="COLUMN", help="The column to predict.")],
    task: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="classification, regression, or auto: classification of text, true/false, and "
            "whole numbers that are two or few (up to 20, with 10 rows to each).",
        ),
    ] = "auto",
    layers: Annotated[
        str, typer.Option(metavar="SIZES", help="Units of the hidden layers, or none.")
    ] = "24,24",
    activation: Annotated[
        str,
        typer.Option(metavar="NAME", help="Of the hidden layers: relu, tanh, gelu, silu, …"),
    ] = "relu",
    optimizer: OptimizerName = "adam",
    learning_rate: LearningRate = None,
    epochs: Annotated[
        int, typer.Option(metavar="N", min=1, help="Passes over the training rows.")
    ] = 50,
    batch_size: Annotated[int, typer.Option(metavar="N", min=1, help="Rows a step.")] = 32,
    l1: Annotated[
        float, typer.Option("--l1", metavar="NUMBER", min=0.0, help="Penalty l1 · Σ|w|.")
    ] = 0.0,
    l2: Annotated[
        float, typer.Option("--l2", metavar="NUMBER", min=0.0, help="Penalty l2/2 · Σw².")
    ] = 1e-3,
    seed: Annotated[
        int,
        typer.Option(
            metavar="N", min=0, help="Decides the split, the first weights and the order."
        ),
    ] = 0,
    engine: EngineName = "auto",
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="Where to write; made if it is not there.")
    ] = Path("chainrule-run"),
) -> None:
    """Train a network on a table, and show how good it is.

    Of the rows, 64 % train, 16 % validate and 20 % test (each class in the same shares). Writes
    model.safetensors, history.csv, learning_curves.png, network.png and metrics.json. Ctrl-C saves
    the model as it is then.
    """
    from chainrule.cli.showing import console
    from chainrule.engines import engine_named
    from chainrule.model.table_training import TableTraining
    from chainrule.report.run_folder import RunFolder
    from chainrule.tables.target import task_named
    from chainrule.training.consumers import CSVLog

    # What costs nothing to check is checked before the table is read.
    hidden = layer_sizes(layers)
    chosen_task = None if task == "auto" else task_named(task)
    chosen_optimizer = optimizer_from(optimizer, learning_rate)
    engine_named(engine)
    screen = console()

    training = TableTraining.prepare(
        table, target, task=chosen_task, hidden=hidden, activation=activation, seed=seed
    )
    folder = RunFolder(out)
    folder.create()
    for line in _introduction(training, table):
        screen.print(line, soft_wrap=True)
    try:
        history = training.fit(
            optimizer=chosen_optimizer,
            epochs=epochs,
            batch_size=batch_size,
            l1=l1,
            l2=l2,
            engine=engine,
            verbose=True,
            callbacks=[CSVLog(folder.history)],
        )
    except KeyboardInterrupt:
        training.model.save(folder.model)
        typer.echo(
            f"chainrule: interrupted; the model of the last finished step is in {folder.model}, "
            f"the finished epochs are in {folder.history}",
            err=True,
        )
        raise typer.Exit(130) from None
    training.model.save(folder.model)
    scores = training.scores()
    folder.write_report(training.model, history, scores)
    _show(screen, scores, folder)


def _introduction(training: "TableTraining", table: Path) -> list[str]:
    """Return what was understood: the task, the rows, the network."""
    target, network, split = training.model.target, training.model.network, training.split
    goal = f"Regression of {target.name}"
    if target.task == "classification":
        counts = dict(training.table[target.name].value_counts().iter_rows())
        named = [f"{name} ({counts[name]:,})" for name in target.classes[:10]]
        more = ", …" if len(target.classes) > 10 else ""
        goal = (
            f"Classification of {target.name}: {len(target.classes)} classes, "
            f"{', '.join(named)}{more}"
        )
    spec = network.spec
    shape = [f"{spec.n_features} inputs"]
    shape += [
        f"{units} {getattr(layer, 'activation', '')}"
        for units, layer in zip(spec.sizes[1:], spec.layers, strict=True)
    ]
    return [
        f"{table}: {training.table.height:,} rows; {len(split.train):,} train, "
        f"{len(split.validation):,} validate, {len(split.test):,} test",
        goal,
        f"Network: {' → '.join(shape)}; {network.parameters.size:,} parameters",
    ]


def _show(screen: "Console", scores: dict[str, dict[str, object]], folder: "RunFolder") -> None:
    from chainrule.cli.showing import averaging_note, confusion_table, score_table

    screen.print()
    screen.print(score_table(scores))
    note = averaging_note(scores["test"])
    if note:
        screen.print(note)
        screen.print("\nConfusion matrix of the test rows:")
        screen.print(confusion_table(scores["test"]))
    screen.print("Written:")
    for path in (
        folder.model,
        folder.history,
        folder.learning_curves,
        folder.network,
        folder.metrics,
    ):
        screen.print(f"  {path}", soft_wrap=True)
