"""How the documentation is built: `sphinx-build -W -b html docs docs/_build/html`.

The package must be installed. Nothing in the pages comes from another host, and their mathematics
are drawn here (extensions/mathematics.py): a page has its final height as soon as it is loaded.
"""

import importlib
import re
import sys
from importlib.metadata import version as installed_version
from pathlib import Path

from sphinx.errors import ExtensionError
from sphinx.util.docutils import SphinxDirective

sys.path.insert(0, str(Path(__file__).with_name("extensions")))

project = "chainrule"
author = "The chainrule developers"
project_copyright = author
release = version = installed_version("chainrule")

extensions = [
    "sphinx.ext.autodoc",
    "myst_parser",
    "numpydoc",
    "matplotlib.sphinxext.plot_directive",
    "mathematics",
    "equation_list",
    "image_sizes",
]
html_math_renderer = "pictures"
exclude_patterns = ["_build"]

# Markdown pages: $…$ for mathematics, :::{name} for boxes, :Name: lists in them.
myst_enable_extensions = ["dollarmath", "colon_fence", "fieldlist", "deflist"]
myst_heading_anchors = 3

default_role = "py:obj"  # `fit` in a docstring is a link where it can be one, and code where not
autodoc_member_order = "bysource"
autodoc_typehints = "none"  # numpydoc's sections name the types, with shapes
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False

# A link to a function that does not exist is an error, not a dead link.
nitpicky = True
nitpick_ignore_regex = [(r"py:class", r".*"), (r"py:obj", r".*")]

plot_formats = [("svg", 90)]
plot_html_show_formats = False
plot_html_show_source_link = False

html_theme = "furo"
html_title = f"chainrule {release}"
html_static_path = ["_static"]
html_css_files = ["equations.css"]
html_copy_source = False
html_show_sphinx = False
html_theme_options = {"navigation_with_keys": True}

_EQUATION = re.compile(r"^(?P<id>[A-Z]{1,2}\d{1,2}[es]?)(?P<kind> \w+)?: (?P<formula>.*)$")
_LOADED = re.compile(r"<(script|link|img|iframe)\b[^>]*\b(src|href)=.(https?:)?//[^>]*>")


def link_equation(app, what, name, obj, options, lines):
    """Turn "BP2: …" at the start of a docstring into a link to that box of the mathematics."""
    if not name.startswith("chainrule.equations.") or not lines:
        return
    end = lines.index("") if "" in lines else len(lines)
    match = _EQUATION.match(" ".join(line.strip() for line in lines[:end]))
    if match:
        formula = re.sub(r"([\\*`|])", r"\\\1", match["formula"])
        kind = match["kind"] or ""
        lines[:end] = [f":ref:`{match['id']} <{match['id'].lower()}>`{kind}: {formula}"]


def skip_bare_fields(app, what, name, obj, skip, options):
    """Leave out named-tuple fields that say nothing but their position."""
    return True if (getattr(obj, "__doc__", "") or "").startswith("Alias for field") else None


class ModulesOf(SphinxDirective):
    """`.. modules-of:: module:ROWS`: every module that a function of the rows is in."""

    required_arguments = 1

    def run(self):
        """Hand `automodule` each name, once."""
        module, _, name = self.arguments[0].partition(":")
        rows = getattr(importlib.import_module(module), name).values()
        lines = []
        for name in dict.fromkeys(row.function.__module__ for row in rows):
            lines += [f".. automodule:: {name}", "   :members:", ""]
        self.state_machine.insert_input(lines, f"modules of {self.arguments[0]}")
        return []


def refuse_other_hosts(app, exception):
    """Fail the build if a page would load anything from another host."""
    for page in [] if exception else Path(app.outdir).rglob("*.html"):
        loaded = _LOADED.search(page.read_text(encoding="utf-8"))
        if loaded:
            raise ExtensionError(f"{page.name} loads from another host: {loaded[0]}")


def setup(app):
    """Register the hooks, the first before numpydoc reads the docstring."""
    app.connect("autodoc-process-docstring", link_equation, priority=400)
    app.connect("autodoc-skip-member", skip_bare_fields)
    app.connect("build-finished", refuse_other_hosts)
    app.add_directive("modules-of", ModulesOf)
