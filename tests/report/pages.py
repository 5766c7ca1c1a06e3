"""Reports as the tests read them: parsed by the standard library's parser."""

import xml.etree.ElementTree as ET
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

from chainrule.report.page import report_of

_VOID = {"br", "meta", "wbr", "hr", "img", "link"}


class Page(HTMLParser):
    """Tags, attributes and text of a page; raises if its tags do not match."""

    def __init__(self, source: str) -> None:
        super().__init__(convert_charrefs=True)
        self.source = source
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self._open: list[str] = []
        self.feed(source)
        self.close()
        assert not self._open, f"not closed: {self._open}"

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in _VOID:
            self._open.append(tag)

    def handle_endtag(self, tag):
        assert self._open, f"</{tag}> closes nothing"
        assert self._open[-1] == tag, f"</{tag}> closes <{self._open[-1]}>"
        self._open.pop()

    def handle_data(self, data):
        if self._open[-1:] != ["style"]:
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def names(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]

    def pictures(self) -> list[ET.Element]:
        """All pictures, parsed as XML, which forgives nothing."""
        pieces = self.source.split("<svg ")[1:]
        return [ET.fromstring("<svg " + piece.split("</svg>")[0] + "</svg>") for piece in pieces]


def written(folder: Path, given, **arguments) -> Page:
    """The page of a model, parts and history, read from its file."""
    path = folder / "report.html"
    _report(given, **arguments).save(path)
    return Page(path.read_text(encoding="utf-8"))


@cache
def usual_page(given) -> Page:
    """The page of what `given` returns, with the usual arguments; to read only."""
    return Page(_report(given()).html)


def _report(given, **arguments):
    model, parts, history = given
    usual = {"history": history, "command": "chainrule train t.csv", "date": "today"}
    return report_of(model, parts, **usual | arguments)
