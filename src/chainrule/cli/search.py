"""chainrule train --search: a search for the best settings, and its results."""

from dataclasses import replace
from typing import TYPE_CHECKING

import typer

from chainrule.cli.streams import say_sentence

if TYPE_CHECKING:
    from chainrule.assessment.comparison import Comparison
    from chainrule.cli.messages import Teller
    from chainrule.runs.folder import RunFolder
    from chainrule.runs.run_fit import FittedNetwork
    from chainrule.runs.training import PreparedRun


def search_and_write(
    run: "PreparedRun",
    folder: "RunFolder",
    tell: "Teller",
    trials: int | None,
    limit: float | None,
    report: bool,
) -> None:
    """Search, and write and show the best run; an interruption ends the process."""
    from chainrule.cli.interrupts import exit_code, terminated_as_interrupted
    from chainrule.cli.writing import write_run
    from chainrule.runs.search import is_default, search

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
    try:
        with terminated_as_interrupted():
            found = search(
                run,
                folder.search,
                trials=trials,
                seconds=limit,
                callbacks=display.callbacks,
                earlier=display.earlier,
                told=display.told,
                better=better,
            )
    except (KeyboardInterrupt, SystemExit) as interrupt:
        tell.close()
        same = bool(best_so_far and default) and best_so_far[0][1] is default[0]
        if best_so_far and default and not same and not isinstance(interrupt, SystemExit):
            tell.compared(_compared(run, *best_so_far[0], default[0], "the best so far"))
        say_sentence(
            f"chainrule: interrupted; the best model so far is in {folder.path}, and the same "
            "command continues the search",
            error=True,
        )
        raise typer.Exit(exit_code(interrupt)) from None
    finally:
        tell.close()
    tell.found(found)
    with tell.working("computing the scores"):
        trained = found.run.judged(found.fitted)
        if found.default is not None and not found.is_default:
            name = f"trial {found.best.number}"
            comparison = _compared(run, found.run, found.fitted, found.default, name)
            trained = replace(trained, comparison=comparison)
    write_run(trained, folder, tell, report)
    tell.finished(found.run, trained, folder, report)


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
