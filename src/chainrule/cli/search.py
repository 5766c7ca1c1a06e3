"""chainrule train --search: a search for the best settings, and its results."""

import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chainrule.assessment.comparison import Comparison
    from chainrule.cli.messages import Teller
    from chainrule.runs.folder import RunFolder
    from chainrule.runs.run import Run
    from chainrule.runs.run_fit import FittedNetwork
    from chainrule.runs.search import Found
    from chainrule.runs.training import PreparedRun
    from chainrule.workers.base import Workers


def search_and_write(
    run: "PreparedRun",
    folder: "RunFolder",
    tell: "Teller",
    trials: int | None,
    limit: float | None,
    report: bool,
    workers: "Workers | None" = None,
) -> None:
    """Search, and write and show the best run; an interruption ends the process."""
    from chainrule.cli.interrupts import Ended, ended
    from chainrule.cli.writing import write_run
    from chainrule.runs.search import Listeners, is_default, search

    best_so_far: list[tuple[PreparedRun, FittedNetwork]] = []
    default: list[FittedNetwork] = []

    def better(best: "PreparedRun", fitted: "FittedNetwork") -> None:
        # Saved at once, so that an interruption loses nothing.
        best.model_of(fitted).save(folder.model)
        folder.write_config(best.config, best.command)
        best_so_far[:] = [(best, fitted)]
        if is_default(best, run):
            default[:] = [fitted]

    display = tell.search(trials, limit)
    found, written = None, False
    try:
        found = search(
            run,
            folder.search,
            trials=trials,
            seconds=limit,
            listeners=Listeners(display.callbacks, display.earlier, display.told, better),
            workers=workers,
        )
        tell.close()
        tell.found(found)
        trained = scored(run, found, tell)
        write_run(trained, folder, tell, report)
        written = True
        tell.finished(found.run, trained, folder, report)
    except (KeyboardInterrupt, SystemExit) as interrupt:
        if isinstance(interrupt, Ended):
            raise
        if written:
            raise ended(interrupt, f"the run is complete in {folder.path}") from None
        with contextlib.suppress(OSError):  # of a terminal that was closed
            tell.close()
        same = bool(best_so_far and default) and best_so_far[0][1] is default[0]
        shows = found is None and not isinstance(interrupt, SystemExit)
        if best_so_far and default and not same and shows:
            tell.compared(_compared(run, *best_so_far[0], default[0], "the best so far"))
        left = "no trial has ended"
        if folder.model.exists():
            left = f"the best model so far is in {folder.path}"
        raise ended(interrupt, f"{left}, and the same command continues the search") from None
    finally:
        tell.close()


def scored(run: "PreparedRun", found: "Found", tell: "Teller") -> "Run":
    """Return the best run of a search with its scores, compared with the default settings."""
    with tell.working("computing the scores"):
        trained = found.run.judged(found.fitted)
        if found.default is None or found.is_default:
            return trained
        name = f"trial {found.best.number}"
        comparison = _compared(run, found.run, found.fitted, found.default, name)
        return replace(trained, comparison=comparison)


def _compared(
    run: "PreparedRun",
    best: "PreparedRun",
    fitted: "FittedNetwork",
    default: "FittedNetwork",
    name: str,
) -> "Comparison":
    """Return the comparison of the best model of a search with that of the default settings."""
    from chainrule.assessment.comparison import compare

    part = "test" if run.parts.test.height else "validation"
    return compare(
        best.model_of(fitted),
        run.model_of(default),
        run.parts.tables()[part],
        (name, "the default"),
        part=part,
        seed=run.config.training.seed,
    )
