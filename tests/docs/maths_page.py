"""Read the chapters of docs/explanation/maths: their boxes and tables of worked steps."""

import re
from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).parents[2] / "docs" / "explanation" / "maths"

_BOX = re.compile(r"^:::\{container\} equation\n:name: (\w+)\n(.*?)^:::$", re.MULTILINE | re.DOTALL)
_TAG = re.compile(r"\\tag\{(\w+)\}")
_FUNCTION = re.compile(r"\{func\}`~([\w.]+)`")
_TEST = re.compile(r"(?<!\})`([\w/]+\.py::\w+)`")
_STEPS = re.compile(r"^### (O\d): .*?\n\n((?:\|.*\n)+)", re.MULTILINE)


class Box(NamedTuple):
    """A box of a chapter: its anchor, and what stands in it."""

    id: str
    tags: list[str]
    functions: list[str]
    """Dotted names."""
    tests: list[str]
    """"path::name", the path from tests/equations."""


def read_chapters():
    """Return the text of all chapters, in the order in which they are listed."""
    index = (FOLDER / "index.md").read_text(encoding="utf-8")
    names = re.search(r"^```\{toctree\}\n.*?\n\n(.*?)^```$", index, re.MULTILINE | re.DOTALL)[1]
    return {name: (FOLDER / f"{name}.md").read_text(encoding="utf-8") for name in names.split()}


def read_boxes(text):
    """Return every equation's box, in the order of the text."""
    return [
        Box(id, _TAG.findall(body), _FUNCTION.findall(body), _TEST.findall(body))
        for id, body in _BOX.findall(text)
    ]


def read_worked_steps(text):
    """Return, for each optimizer's id, its table as one dict of texts a row."""
    tables = {}
    for id, table in _STEPS.findall(text):
        head, _, *rows = (
            [cell.strip(" $") for cell in line.strip("|").split("|")] for line in table.splitlines()
        )
        tables[id] = [dict(zip(head, row, strict=True)) for row in rows]
    return tables
