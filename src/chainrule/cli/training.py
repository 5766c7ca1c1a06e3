"""The commands train and resume."""

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from chainrule.cli.live import LiveOption, showing
from chainrule.cli.options import NamingCommand
from chainrule.cli.preparation import ready
from chainrule.cli.ranks import begun, check_ranks, follow, ranks_of_process
from chainrule.cli.settings import takes_settings
from chainrule.cli.shared_search import check_shared, share
from chainrule.cli.workers import WorkersOption, chosen_workers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from chainrule.cli.messages import Teller
    from chainrule.communication.communicator import Communicator
    from chainrule.ensembles.members import MemberEnded
    from chainrule.runs.config import RunConfig
    from chainrule.runs.folder import RunFolder
    from chainrule.runs.run_fit import Checkpointing, FittedNetwork
    from chainrule.runs.training import PreparedRun
    from chainrule.training.events import Callback
    from chainrule.workers.base import Workers

_EXAMPLES = """Examples:

chainrule train data.csv --target price --out run

chainrule train train.csv --target income --test test.csv --preset thorough

chainrule train visits.csv --target ill --group patient --ignore name,address --split 0.7,0.1,0.2

chainrule train data.csv --target price --quality best --time-limit 60s

chainrule train data.csv --target price --search 50 --time-limit 10m

chainrule train data.csv --target price --search 50 --workers dask://host:8786

chainrule train data.csv --target price --search 50 --shared --out /mnt/shared/run

chainrule train data.csv --target price --checkpoint --out run

chainrule train --config run/run.toml
"""


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command(epilog=_EXAMPLES, cls=NamingCommand)(takes_settings(train))
    app.command(epilog="Example: chainrule resume run")(resume)


def train(
    table: Annotated[
        str | None,
        typer.Argument(
            metavar="TABLE",
            help="The table to learn from: CSV, TSV, Parquet, Arrow or JSON lines; - for standard "
            "input; 'data/*.parquet' for files that are read while training.",
            show_default=False,
        ),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="A run.toml to start from; other options override it.",
            show_default=False,
        ),
    ] = None,
    search: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=1,
            help="Try N configurations and keep the best. The same command continues an earlier "
            "search.",
            rich_help_panel="Search",
            show_default=False,
        ),
    ] = None,
    shared: Annotated[
        bool,
        typer.Option(
            "--shared",
            help="Share the N trials with the processes that are given the same command, on this "
            "machine or on others, with --out on a shared folder. The result depends on time.",
            rich_help_panel="Search",
        ),
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Folder to write to; created if missing. By default a new one, such as "
            "runs/data-price-1.",
            show_default=False,
        ),
    ] = None,
    overwrite: Annotated[
        bool,
        typer.Option(
            "--overwrite",
            help="Replace the run in DIR, finished or not, and files of the same names.",
        ),
    ] = False,
    checkpoint: Annotated[
        bool,
        typer.Option(
            "--checkpoint",
            help="Write checkpoints, so that chainrule resume DIR can continue the run after any "
            "interruption.",
        ),
    ] = False,
    every: Annotated[
        str,
        typer.Option(
            metavar="TIME", help="Time between checkpoints: 60s, 5m, or a number of steps."
        ),
    ] = "60s",
    workers: WorkersOption = None,
    live: LiveOption = False,
    report: Annotated[
        bool, typer.Option("--report/--no-report", help="Whether to write report.html.")
    ] = True,
    json: Annotated[
        bool, typer.Option("--json", help="Write JSON lines to standard output.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show nothing but errors.")] = False,
    *,
    settings: dict[str, Any],
) -> None:
    """Train a network on a table, and show how good it is.

    Only the target is required. By default, 80 % of the rows are for training, 10 % for validation
    and 10 % for testing. Writes the model, its history, its metrics, a report, and run.toml, from
    which the run can be repeated to the bit. Ctrl-C saves the best model so far.
    """
    from chainrule.cli.messages import teller
    from chainrule.communication.agreement import ending_all, same_outcome
    from chainrule.ensembles.members import BEST
    from chainrule.errors import InvalidArgumentError
    from chainrule.playground.installation import require_extra
    from chainrule.runs.folder import Outputs, RunFolder
    from chainrule.settings.duration import seconds_of

    ranks = ranks_of_process()
    with same_outcome(ranks):
        chosen = _config(table, config, settings, checkpoint)
        best = chosen.training.quality == BEST
        limit = None
        if not best:  # of an ensemble, it is a setting of the run
            given = chosen.training.time_limit
            limit = None if given is None else seconds_of("--time-limit", given)
            chosen = chosen.updated({"time_limit": None})
        searches = search is not None or limit is not None
        if best and searches:
            raise InvalidArgumentError(
                "--search: a search tries single networks; leave out one of --search and "
                "--quality best"
            )
        if checkpoint and searches:
            raise InvalidArgumentError(
                "--checkpoint: a search continues when the same command is given again; leave "
                "--checkpoint out"
            )
        if live and searches:
            raise InvalidArgumentError(
                "--live: a search trains many networks, and the page shows one training; leave "
                "--live out"
            )
        if live:
            _check_shown(chosen)
            require_extra("--live")
        if ranks is not None:
            check_ranks(ranks, best=best, searches=searches, live=live)
        if shared:
            check_shared(search, out, overwrite=overwrite, workers=workers)
        elsewhere = chosen_workers(workers, best or searches)
    if ranks is not None and ranks.rank > 0:
        follow(ranks, chosen, Path("checkpoint") if checkpoint else None, every)
        return
    tell, outputs = teller(json, quiet), Outputs(report, searches, checkpoint)
    read = None if overwrite else config
    folder = None if out is None else RunFolder(out)
    if shared and folder is not None and search is not None:
        share(chosen, folder, outputs, tell, search, limit, read)
        return
    beginning = ready("--out", folder, outputs, chosen, every, tell, read, overwrite=overwrite)
    with begun(beginning, ranks) as given:
        run, folder, checkpointing = given
        with ending_all(ranks):
            tell.understood(run)
        if searches:
            from chainrule.cli.search import search_and_write

            search_and_write(run, folder, tell, search, limit, report, elsewhere)
        else:
            with showing(folder, live, quiet) as watchers:
                train_and_write(
                    run, folder, tell, report, checkpointing, watchers, ranks, elsewhere
                )


def resume(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of an interrupted run.")],
    every: Annotated[
        str,
        typer.Option(
            metavar="TIME", help="Time between checkpoints: 60s, 5m, or a number of steps."
        ),
    ] = "60s",
    workers: WorkersOption = None,
    live: LiveOption = False,
    report: Annotated[
        bool, typer.Option("--report/--no-report", help="Whether to write report.html.")
    ] = True,
    json: Annotated[
        bool, typer.Option("--json", help="Write JSON lines to standard output.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show nothing but errors.")] = False,
) -> None:
    """Continue an interrupted run of train --checkpoint.

    The result has the same bits as that of a run without the interruption.
    """
    from chainrule.cli.messages import teller
    from chainrule.communication.agreement import ending_all, same_outcome
    from chainrule.ensembles.members import BEST
    from chainrule.errors import InvalidArgumentError
    from chainrule.runs.config import RunConfig
    from chainrule.runs.folder import Outputs, RunFolder

    where, outputs = RunFolder(folder), Outputs(report, checkpoints=True)
    ranks = ranks_of_process()
    with same_outcome(ranks):
        if ranks is not None:
            check_ranks(ranks, best=False, searches=False, live=live)
        if where.config.is_file():
            data = RunConfig.read(where.config).data
            _check_tables((data.table, data.test), f"{where.config} names")
        if not where.has_checkpoint():
            finished = where.model.exists() and where.metrics.exists()
            reason = "the run in it is finished" if finished else "it has no checkpoint"
            raise InvalidArgumentError(
                f"{folder}: nothing to go on with: {reason} (train --checkpoint writes checkpoints)"
            )
        chosen, tell = RunConfig.read(where.config), teller(json, quiet)
        elsewhere = chosen_workers(workers, chosen.training.quality == BEST)
        if live:
            _check_shown(chosen)
    if ranks is not None and ranks.rank > 0:
        follow(ranks, chosen, where.checkpoint, every, resume=True)
        return
    with begun(ready("DIR", where, outputs, chosen, every, tell, resume=True), ranks) as given:
        run, _, checkpointing = given
        with ending_all(ranks):
            tell.understood(run)
        with showing(where, live, quiet) as watchers:
            train_and_write(run, where, tell, report, checkpointing, watchers, ranks, elsewhere)


def train_and_write(
    run: "PreparedRun",
    folder: "RunFolder",
    tell: "Teller",
    report: bool,
    checkpointing: "Checkpointing | None",
    watchers: "Sequence[Callback]" = (),
    ranks: "Communicator | None" = None,
    workers: "Workers | None" = None,
) -> None:
    """Train, and write and tell everything there is to know; an interruption ends the process."""
    from chainrule.cli.interrupts import Ended, ended, held
    from chainrule.cli.writing import write_run
    from chainrule.communication.agreement import ending_all
    from chainrule.errors import ChainruleError
    from chainrule.runs.run_fit import Interrupted
    from chainrule.training.consumers import CSVLog
    from chainrule.training.signals import stop_at_checkpoint

    told: Callable[[MemberEnded], object] | None = None
    with ending_all(ranks):
        if checkpointing is not None:
            folder.write_config(run.config, run.command)  # what resume reads
        callbacks: list[Callback] = [CSVLog(folder.history)]
        if run.is_ensemble:
            told = tell.members()
        else:
            callbacks += tell.progress(bool(run.config.training.early_stopping))
        callbacks += watchers
    # With checkpoints, the first signal waits for one; without, the model as it is is saved.
    signals: contextlib.AbstractContextManager[None] = (
        contextlib.nullcontext() if checkpointing is None else stop_at_checkpoint()
    )
    fitted, written = None, False
    try:
        with signals:
            fitted = run.train(callbacks, checkpointing, told, communicator=ranks, workers=workers)
        tell.close()
        with tell.working("computing the scores"):
            trained = run.judged(fitted)
        write_run(trained, folder, tell, report)
        written = True
        if checkpointing is not None:
            with held():
                folder.forget_checkpoint()
        tell.finished(run, trained, folder, report)
    except (KeyboardInterrupt, SystemExit) as interrupt:
        if isinstance(interrupt, Ended):
            raise
        if written:
            raise ended(interrupt, f"the run is complete in {folder.path}") from None
        with contextlib.suppress(OSError):  # of a terminal that was closed
            tell.close()
        if isinstance(interrupt, Interrupted):
            fitted = interrupt.fitted
        if fitted is None:
            _forget_empty(folder.history)
            raise
        left = _save_interrupted(run, folder, fitted, checkpointing is not None)
        raise ended(interrupt, left) from None
    except ChainruleError:
        if fitted is None:  # nothing was learned: no run is left in the folder
            _forget_empty(folder.history)
        raise
    finally:
        tell.close()


def _check_shown(config: "RunConfig") -> None:
    """Raise if a page cannot show the training of a run."""
    from chainrule.ensembles.members import BEST
    from chainrule.errors import InvalidArgumentError

    if config.training.quality == BEST:
        raise InvalidArgumentError(
            "--live: --quality best trains many networks at the same time, and the page shows one "
            "training; leave --live out"
        )


def _forget_empty(path: Path) -> None:
    with contextlib.suppress(OSError):
        if path.stat().st_size == 0:
            path.unlink()


def _check_tables(tables: "Iterable[str]", begin: str) -> None:
    """Raise if a table of a run can be read no second time: opening a pipe could wait for ever."""
    from chainrule.errors import InvalidArgumentError
    from chainrule.tables.sources import can_be_read_again

    for table in tables:
        if table and not can_be_read_again(table):
            raise InvalidArgumentError(
                f"{begin} the table {table!r}, a pipe, which cannot be read a second time; write "
                "its bytes to a file and train with that"
            )


def _config(
    table: str | None, path: Path | None, settings: dict[str, Any], checkpoint: bool
) -> "RunConfig":
    """Return the run that options and run.toml ask for."""
    from chainrule.errors import InvalidArgumentError
    from chainrule.runs.config import RunConfig
    from chainrule.runs.program_name import calling

    config = RunConfig() if path is None else RunConfig.read(path)
    given = settings if table is None else {**settings, "table": table}
    # A division of another table, or of this one alone, is none of the file's business any more.
    if path is not None and "test" in given and "split" not in given:
        given["split"] = None
    try:
        config = config.updated(given)
    except InvalidArgumentError as error:
        # As the option is written.
        name, colon, rest = str(error).partition(":")
        option = f"--{name.replace('_', '-')}" if name in given else name
        raise InvalidArgumentError(f"{option}{colon}{rest}") from error
    missing = [name for name in ("table", "target") if not getattr(config.data, name)]
    if missing:
        name = "TABLE" if missing[0] == "table" else "--target"
        raise InvalidArgumentError(
            f"{name}: expected {'a table' if name == 'TABLE' else 'the column to predict'}; got "
            f"none (see {calling('train', '--help')})"
        )
    data = config.data
    if path is not None and table is None:
        _check_tables((data.table, "" if "test" in given else data.test), f"{path} names")
    if checkpoint:
        _check_tables((data.table, data.test), "--checkpoint: resume would need")
    return config


def _save_interrupted(
    run: "PreparedRun", folder: "RunFolder", fitted: "FittedNetwork", resumable: bool
) -> str:
    """Save the model of an interrupted training; return what is left of the run."""
    from chainrule.runs.program_name import calling

    run.model_of(fitted).save(folder.model)
    folder.write_config(run.config, run.command)
    which = "the last finished step" if fitted.best_epoch is None else f"epoch {fitted.best_epoch}"
    if fitted.out_of_fold is not None:
        which = f"the first {fitted.out_of_fold.summary.networks} networks"
    again = f"; {calling('resume', folder.path)} continues from here" if resumable else ""
    return (
        f"the model of {which} is in {folder.model}, without scores, calibration and the "
        "distributions that chainrule drift needs; the finished epochs are in "
        f"{folder.history}{again}"
    )
