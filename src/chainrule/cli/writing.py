"""Writing the folder of a run, with a progress line for slow steps."""

import contextlib
from typing import TYPE_CHECKING

import typer

from chainrule.cli.interrupts import exit_code, terminated_as_interrupted
from chainrule.cli.streams import say_sentence

if TYPE_CHECKING:
    from chainrule.cli.messages import Teller
    from chainrule.runs.folder import RunFolder
    from chainrule.runs.run import Run


def write_run(trained: "Run", folder: "RunFolder", tell: "Teller", report: bool) -> None:
    """Write the files of a run: the model at once, and then the report, which takes longer.

    An interruption of the latter ends the process, with a message that says what there is.
    """
    trained.write_to(folder, report=False)
    if not report:
        return
    try:
        with terminated_as_interrupted():
            _write_report(trained, folder, tell)
    except (KeyboardInterrupt, SystemExit) as interrupt:
        say_sentence(
            f"chainrule: interrupted; the run is complete in {folder.path}, but has no report",
            error=True,
        )
        raise typer.Exit(exit_code(interrupt)) from None


def _write_report(trained: "Run", folder: "RunFolder", tell: "Teller") -> None:
    from chainrule.errors import InvalidArgumentError

    # Values that are too large for their scores are an error of the report.
    with (
        contextlib.suppress(InvalidArgumentError),
        tell.working("comparing the network with simpler models"),
    ):
        _ = trained.judgement
    with tell.working("measuring the importance of the columns, writing the report"):
        trained.report().save(folder.report)
