"""Writing the folder of a run, with a progress line for slow steps."""

import contextlib
from typing import TYPE_CHECKING

from chainrule.cli.interrupts import ended, held

if TYPE_CHECKING:
    from chainrule.cli.messages import Teller
    from chainrule.runs.folder import RunFolder
    from chainrule.runs.run import Run


def write_run(trained: "Run", folder: "RunFolder", tell: "Teller", report: bool) -> None:
    """Write the files of a run: the model at once, and then the report, which takes longer.

    An interruption waits until all files but the report are written, and then ends the process,
    with a message that says what there is.
    """
    left = ""
    try:
        with held():
            trained.write_to(folder, report=False)
            left = f"the run is complete in {folder.path}"
            left += ", but has no report" if report else ""
        if report:
            _write_report(trained, folder, tell)
    except (KeyboardInterrupt, SystemExit) as interrupt:
        if not left:  # a second interruption, of the writing
            raise
        raise ended(interrupt, left) from None


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
