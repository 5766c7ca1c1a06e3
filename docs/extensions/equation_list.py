"""A Sphinx extension: `.. equations::`, the list of all equations, each a link to its box."""

import re
from pathlib import Path

from sphinx.util.docutils import SphinxDirective

_TITLE = re.compile(r"^# (.*)$", re.MULTILINE)
_BOX = re.compile(r"^:::\{container\} equation\n:name: (\w+)\n\n\*\*(.*)\*\*$", re.MULTILINE)
_CHAPTERS = re.compile(r"^```\{toctree\}\n.*?\n\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Equations(SphinxDirective):
    """Read the chapters that the page's table of contents names, in its order."""

    def run(self):
        """Return a list of links for each chapter that has boxes."""
        page = Path(self.env.doc2path(self.env.docname))
        lines = []
        for name in _CHAPTERS.search(page.read_text(encoding="utf-8"))[1].split():
            chapter = page.with_name(f"{name}.md")
            self.env.note_dependency(str(chapter))
            text = chapter.read_text(encoding="utf-8")
            boxes = [f":ref:`{id} <{id.lower()}>` {about}" for id, about in _BOX.findall(text)]
            if boxes:
                lines += [f"**{_TITLE.search(text)[1]}**", "  " + ", ".join(boxes), ""]
        self.state_machine.insert_input(lines, f"equations of {page}")
        return []


def setup(app):
    """Register the directive."""
    app.add_directive("equations", Equations)
    return {"parallel_read_safe": True}
