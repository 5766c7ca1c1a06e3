"""The trace of a table's row as a page, a PDF or LaTeX."""

from pathlib import Path

from chainrule.inspection.trace import Trace
from chainrule.inspection.trace_files import write


def write_trace(trace: Trace, path: str | Path, ending: str, title: str, lead: str) -> None:
    """Write a trace under a title and a sentence about the row.

    Parameters
    ----------
    trace : Trace
    path : str or Path
    ending : {".html", ".pdf", ".tex"}
        The format.
    title, lead : str
    """
    write(path, ending, [title, lead, trace.title, trace.losses], trace.terms)
