"""Writing the folder of a run, with a progress line for slow steps."""

import contextlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chainrule.cli.messages import Teller
    from chainrule.runs.folder import RunFolder
    from chainrule.runs.run import Run


def write_run(trained: "Run", folder: "RunFolder", tell: "Teller", report: bool) -> None:
    """Write the files of a run: the model at once, and then the report, which takes longer."""
    from chainrule.errors import InvalidArgumentError

    trained.write_to(folder, report=False)
    if not report:
        return
    # Values that are too large for their scores are an error of the report.
    with (
        contextlib.suppress(InvalidArgumentError),
        tell.working("comparing the network with simpler models"),
    ):
        _ = trained.judgement
    with tell.working("measuring the importance of the columns, writing the report"):
        trained.report().save(folder.report)
