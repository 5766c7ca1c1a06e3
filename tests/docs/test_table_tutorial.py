"""The tutorial on a table: each command, in order, prints what the page shows below it."""

import doctest
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "tutorial" / "table.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(sh|text|python)\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)

_NUMBER = re.compile(r"-?\d+(?:,\d{3})*(?:\.\d+)?")


def same(shown, printed):
    """Tell whether a line is what was printed; numbers may have fewer digits, but right ones."""
    numbers, others = _NUMBER.findall(shown), _NUMBER.findall(printed)
    return _NUMBER.sub("#", shown) == _NUMBER.sub("#", printed) and all(
        number == other or ("." in number and rounded_alike(number, other))
        for number, other in zip(numbers, others, strict=True)
    )


def rounded_alike(number, other):
    """Tell whether a number with many decimals is another one, within a few units of the last."""
    decimals = len(number.partition(".")[2])
    return decimals == 4 and abs(value(number) - value(other)) < 5e-4


def value(number):
    """Return a number, or two fields of a CSV line that look like one with thousands."""
    return float(number.replace(",", ""))


def missing(shown, printed):
    """Return the first line that is not printed, where "…" stands for any lines; "" if all are."""
    lines = iter([line.rstrip() for line in printed.splitlines()])
    free = False
    for line in shown.splitlines():
        if line == "…":
            free = True
        elif free:
            if not any(same(line, other) for other in lines):
                return line
            free = False
        elif not same(line, next(lines, "")):
            return line
    return "" if free or not list(lines) else "(the end)"


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    """Follow the page in a folder of its own; return each command with both texts."""
    folder = tmp_path_factory.mktemp("tutorial")
    (folder / "examples").mkdir()
    shutil.copy(ROOT / "examples" / "flights.csv", folder / "examples")
    path = f"{Path(sys.prefix, 'bin')}{os.pathsep}{os.environ['PATH']}"
    followed, here = [], folder
    for (kind, content), (_, below) in zip(BLOCKS, [*BLOCKS[1:], ("", "")], strict=True):
        if kind == "sh" and content.startswith("cd "):
            here = folder / content.split()[1]
        elif kind == "sh":
            run = subprocess.run(
                ["/bin/sh", "-c", content], cwd=here, stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT, text=True,
                env={**os.environ, "PATH": path, "COLUMNS": "80", "LANG": "C.UTF-8"},
            )  # fmt: skip
            assert run.returncode == 0, run.stdout
            followed.append((content, below, run.stdout))
        elif content.startswith("month,day"):
            (here / "today.csv").write_text(content, encoding="utf-8")
    return here, followed


def test_each_command_prints_what_is_shown_below_it(session):
    _, followed = session
    assert len(followed) == 5
    for command, shown, printed in followed:
        assert missing(shown, printed) == "", f"{command}\n{printed}"


def test_the_blocks_of_python_print_what_the_page_says(session, monkeypatch):
    folder, _ = session
    monkeypatch.chdir(folder)
    code = "\n".join(content for kind, content in BLOCKS if kind == "python")
    test = doctest.DocTestParser().get_doctest(code, {}, "table.md", None, 0)
    report = []
    doctest.DocTestRunner(verbose=False).run(test, out=report.append)
    assert not report, "".join(report)


def test_comparing_notices_a_wrong_number_a_missing_line_and_a_missing_end():
    assert missing("a 1\n…\nc 0.1234\n", "a 1\nb\nc 0.12344\n") == ""
    assert missing("a 1\n", "a 2\n") == "a 1"
    assert missing("…\nx\n", "a\nb\n") == "x"
    assert missing("a\n", "a\nb\n") == "(the end)"
    assert missing("…\nc 0.1254\n", "c 0.12344\n") == "c 0.1254"
    assert missing("110,105.8736\n", "110,105.87360205\n") == ""
    assert missing("110,105.8736\n", "110,106.87360205\n") == "110,105.8736"
