"""A trace as an HTML page or a LaTeX file."""

from pathlib import Path

from chainrule.files.atomic import atomic_path
from chainrule.inspection.trace import Trace
from chainrule.report.markup import text

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ font: 16px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 75rem;
       padding: 0 1rem; }}
table {{ border-collapse: collapse; }}
caption {{ text-align: left; padding-bottom: .5rem; }}
h1, p {{ overflow-wrap: anywhere; }}
th, td {{ padding: .35rem .8rem .35rem 0; border-bottom: 1px solid #8884; }}
pre {{ font: 13px/1.4 ui-monospace, monospace; overflow-x: auto; }}
/* Narrow screens: an array is a block of id, name and shape, the equation, and the numbers. */
@media screen and (max-width: 62rem) {{
  table, tbody, caption {{ display: block; }}
  thead {{ display: none; }}
  tr {{ display: grid; grid-template-columns: auto auto 1fr; gap: .2rem 1rem; padding: .6rem 0;
       border-bottom: 1px solid #8884; }}
  td {{ padding: 0; border: 0; min-width: 0; }}
  td:empty {{ display: none; }}
  td:nth-child(n+4) {{ grid-column: 1 / -1; }}
  pre {{ font-size: min(13px, 2.35vw); white-space: pre; }}
}}
</style>
</head>
<body>
<h1>{title}</h1>
<p>{lead}</p>
{trace}
</body>
</html>
"""


def write_trace_page(trace: Trace, path: str | Path, title: str, lead: str) -> None:
    """Write a trace as a self-contained HTML page."""
    page = _PAGE.format(title=text(title), lead=text(lead), trace=trace.to_html())
    with atomic_path(path) as temporary:
        temporary.write_text(page, encoding="utf-8")


def write_trace_latex(trace: Trace, path: str | Path) -> None:
    """Write a trace as LaTeX, to be included in a document that uses amsmath."""
    with atomic_path(path) as temporary:
        temporary.write_text(trace.to_latex() + "\n", encoding="utf-8")
