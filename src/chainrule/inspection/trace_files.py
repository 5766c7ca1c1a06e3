"""Writing a trace to a file: as a page, a PDF, LaTeX or text."""

from collections.abc import Sequence
from html import escape
from pathlib import Path

from chainrule.checks import file_path
from chainrule.errors import InvalidArgumentError
from chainrule.files.atomic import atomic_path
from chainrule.inspection.terms import Term
from chainrule.inspection.trace_html import to_html
from chainrule.inspection.trace_latex import latex_document
from chainrule.inspection.trace_pdf import write_pdf
from chainrule.inspection.trace_text import to_text
from chainrule.printable import printable

FORMATS = (".pdf", ".html", ".tex", ".txt")

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ font: 16px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem;
       padding: 0 1rem; overflow-wrap: anywhere; }}
h1 {{ font-size: 1.5rem; }}
summary {{ cursor: pointer; }}
@media print {{ body {{ margin: 0; }} h3, div {{ break-inside: avoid; }} }}
</style>
</head>
<body>
<h1>{title}</h1>
{trace}
</body>
</html>
"""


def page(title: str, trace: str) -> str:
    """Return a self-contained page around the HTML of a trace."""
    return _PAGE.format(title=escape(title), trace=trace)


def format_of(path: str | Path) -> str:
    """Return the format that a file's suffix stands for.

    Raises
    ------
    InvalidArgumentError
        If it stands for none.
    """
    ending = Path(file_path("path", path)).suffix.lower()
    if ending not in FORMATS:
        raise InvalidArgumentError(
            f"path: expected a name ending in {', '.join(FORMATS)}; got {str(path)!r}"
        )
    return ending


def write(
    path: str | Path,
    ending: str,
    heads: Sequence[str],
    terms: Sequence[Term],
    digits: int | None = None,
) -> None:
    """Write a trace to a file in one of the `FORMATS`, whole or not at all.

    Parameters
    ----------
    path : str or Path
    ending : str
        The format.
    heads : sequence of str
        What the trace is of: a title, and further sentences.
    terms : sequence of Term
    digits : int, optional
        Significant digits; by default all.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    heads = list(map(printable, heads))
    with atomic_path(path) as temporary:
        if ending == ".pdf":
            write_pdf(temporary, heads, terms, digits)
            return
        if ending == ".html":
            text = page(heads[0], to_html(heads[1:], terms, digits))
        elif ending == ".tex":
            text = latex_document(heads, terms, digits)
        else:
            text = to_text(heads, terms, digits) + "\n"
        temporary.write_text(text, encoding="utf-8")
