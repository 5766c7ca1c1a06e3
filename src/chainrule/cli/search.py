"""chainrule train --search: a search for the best settings, and its results."""

from typing import TYPE_CHECKING

import typer

from chainrule.cli.streams import say

if TYPE_CHECKING:
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
    from chainrule.runs.search import search

    def better(best: "PreparedRun", fitted: "FittedNetwork") -> None:
        # Saved at once, so that an interruption loses nothing.
        best.model_of(fitted).save(folder.model)
        folder.write_config(best.config, best.command)

    display = tell.search(trials, limit)
    try:
        with terminated_as_interrupted():
            found = search(
                run,
                folder.search,
                trials=trials,
                seconds=limit,
                callbacks=display.callbacks,
                told=display.told,
                better=better,
            )
    except (KeyboardInterrupt, SystemExit) as interrupt:
        tell.close()
        say(
            f"chainrule: interrupted; the best model so far is in {folder.path}, and the same "
            "command continues the search",
            error=True,
        )
        raise typer.Exit(exit_code(interrupt)) from None
    finally:
        tell.close()
    tell.found(found)
    trained = found.run.judged(found.fitted)
    trained.write_to(folder, report)
    tell.finished(trained, folder, report)
