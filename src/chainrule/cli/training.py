"""The command train."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from chainrule.cli.settings import takes_settings

if TYPE_CHECKING:
    from chainrule.cli.telling import Teller
    from chainrule.runs.config import RunConfig
    from chainrule.runs.fitting import Fitted, Interrupted
    from chainrule.runs.folder import RunFolder
    from chainrule.runs.training import Run, Trained

_EXAMPLES = """Examples:

chainrule train data.csv --target price --out run

chainrule train train.csv --target income --test test.csv --preset thorough

chainrule train visits.csv --target ill --group patient --ignore name,address --split 0.7,0.1,0.2

chainrule train data.csv --target price --search 50 --time-limit 10m

chainrule train --config run/run.toml
"""


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command(epilog=_EXAMPLES)(takes_settings(train))


def train(
    table: Annotated[
        str | None,
        typer.Argument(
            metavar="TABLE",
            help="The table to learn from: CSV, TSV, Parquet, Arrow or JSON lines.",
            show_default=False,
        ),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="A run.toml to begin with; options given beside it come first.",
            show_default=False,
        ),
    ] = None,
    search: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=1,
            help="Try N configurations and keep the best. The same command goes on where it was.",
            rich_help_panel="Search",
            show_default=False,
        ),
    ] = None,
    time_limit: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="End the search after 90s, 5m or 1h30m.",
            rich_help_panel="Search",
            show_default=False,
        ),
    ] = None,
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="Where to write; made if it is not there.")
    ] = Path("chainrule-run"),
    report: Annotated[
        bool, typer.Option("--report/--no-report", help="Whether to write report.html.")
    ] = True,
    json: Annotated[
        bool, typer.Option("--json", help="Lines of JSON on standard output, for machines.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show nothing but errors.")] = False,
    *,
    settings: dict[str, Any],
) -> None:
    """Train a network on a table, and show how good it is.

    Nothing but the target has to be set. Of the rows, 80 % train, 10 % validate and 10 % test.
    Writes the model, its history, its metrics, a report, and run.toml, from which the run can be
    repeated to the bit. Ctrl-C saves the best model so far.
    """
    from chainrule.cli.telling import teller
    from chainrule.runs.duration import seconds_of
    from chainrule.runs.fitting import Interrupted
    from chainrule.runs.folder import RunFolder
    from chainrule.runs.training import Run

    limit = None if time_limit is None else seconds_of("--time-limit", time_limit)
    chosen = _config(table, config, settings)
    run = Run.prepare(chosen)
    folder = RunFolder(out)
    folder.create()
    tell = teller(json, quiet)
    tell.understood(run)
    try:
        trained = (
            _train(run, folder, tell)
            if search is None and limit is None
            else _search(run, folder, tell, search, limit)
        )
    except Interrupted as interrupt:
        if search is None and limit is None:
            _save_interrupted(run, folder, interrupt)
        else:
            again = "the best so far is in it; the same command goes on from here"
            print(f"chainrule: interrupted; {folder.path}: {again}", file=sys.stderr)
        raise typer.Exit(130) from None
    _write(run, trained, folder, report)
    tell.finished(trained, folder, report)


def _config(table: str | None, path: Path | None, settings: dict[str, Any]) -> "RunConfig":
    """Return the run that options and run.toml ask for."""
    from chainrule.errors import InvalidArgumentError
    from chainrule.runs.config import RunConfig

    config = RunConfig() if path is None else RunConfig.read(path)
    given = settings if table is None else {**settings, "table": table}
    # A division of another table, or of this one alone, is none of the file's business any more.
    if path is not None and "test" in given and "split" not in given:
        given["split"] = None
    config = config.updated(given)
    missing = [name for name in ("table", "target") if not getattr(config.data, name)]
    if missing:
        name = "TABLE" if missing[0] == "table" else "--target"
        raise InvalidArgumentError(
            f"{name}: expected {'a table' if name == 'TABLE' else 'the column to predict'}; got "
            "none (see chainrule train --help)"
        )
    return config


def _train(run: "Run", folder: "RunFolder", tell: "Teller") -> "Trained":
    from chainrule.training.consumers import CSVLog

    progress = tell.progress(bool(run.config.training.early_stopping))
    try:
        return run.fit([CSVLog(folder.history), *progress])
    finally:
        tell.close()


def _search(
    run: "Run", folder: "RunFolder", tell: "Teller", trials: int | None, limit: float | None
) -> "Trained":
    from chainrule.runs.search import search

    def better(best: "Run", fitted: "Fitted") -> None:
        # What was found is there whatever happens next.
        TableModel(fitted.network, best.encoder, best.target).save(folder.model)
        folder.write_config(best.config, best.command)

    from chainrule.model.table_model import TableModel

    display = tell.search(trials, limit)
    try:
        found = search(
            run,
            folder.search,
            trials=trials,
            seconds=limit,
            callbacks=display.callbacks,
            told=display.told,
            better=better,
        )
    finally:
        tell.close()
    tell.found(found)
    return found.run.judged(found.fitted)


def _write(run: "Run", trained: "Trained", folder: "RunFolder", report: bool) -> None:
    trained.model.save(folder.model)
    trained.history.to_csv(folder.history)
    folder.write_config(trained.config, trained.command)
    folder.write_scores(trained.scores)
    if report:
        from chainrule.report.page import write_report

        write_report(
            folder.report,
            trained.model,
            run.parts.tables(),
            history=trained.history,
            command=trained.command,
            notes=(*run.notes, *trained.notes),
            versions=trained.model.details["versions"],
            seed=run.config.training.seed,
        )


def _save_interrupted(run: "Run", folder: "RunFolder", interrupt: "Interrupted") -> None:
    from chainrule.model.table_model import TableModel

    fitted = interrupt.fitted
    TableModel(fitted.network, run.encoder, run.target).save(folder.model)
    folder.write_config(run.config, run.command)
    which = "the last finished step" if fitted.best_epoch is None else f"epoch {fitted.best_epoch}"
    print(
        f"chainrule: interrupted; the model of {which} is in {folder.model}, the finished epochs "
        f"are in {folder.history}",
        file=sys.stderr,
    )
