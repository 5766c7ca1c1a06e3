"""The examples, links and names of the documentation's pages."""

import doctest
import inspect
import re
from pathlib import Path

import pytest

import chainrule
from tests.equations.test_every_equation import EQUATIONS

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(page for page in DOCS.rglob("*.md") if "_build" not in page.parts)
# Its examples read what its commands wrote: test_table_tutorial.py.
WITH_FILES = {DOCS / "tutorial" / "table.md"}
_PYTHON = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize(
    "page",
    [page for page in PAGES if page not in WITH_FILES],
    ids=lambda page: str(page.relative_to(DOCS)),
)
def test_examples_of_a_page_print_what_it_says(page):
    examples = "\n".join(_PYTHON.findall(page.read_text(encoding="utf-8")))
    test = doctest.DocTestParser().get_doctest(examples, {}, page.name, str(page), 0)
    report = []
    doctest.DocTestRunner(verbose=False).run(test, out=report.append)
    assert not report, "".join(report)


def test_api_pages_list_each_public_name_once():
    listed = []
    for page in (DOCS / "reference" / "api").rglob("*.md"):
        text = page.read_text(encoding="utf-8")
        listed += re.findall(r"^\.\. auto\w+:: chainrule\.(\w+)$", text, re.MULTILINE)
    assert sorted(listed) == sorted([*chainrule.__all__, "equations"])


def test_symbols_page_names_parameters_of_the_equations():
    text = (DOCS / "reference" / "symbols.md").read_text(encoding="utf-8")
    column = " ".join(row.split("|")[3] for row in text.splitlines() if row.startswith("| $"))
    # `name`, but not {func}`name`.
    named = {name.removeprefix("state.") for name in re.findall(r"(?<!\})`([\w.]+)`", column)}
    parameters = {name for f in EQUATIONS for name in inspect.signature(f).parameters}
    state = {"V", "S", "t"}
    # What the page leaves out is explained where it is used.
    unlisted = {"draws", "state", "through_activation", "shared_input"}
    assert named == (parameters | state) - unlisted


def test_every_page_that_is_named_outside_the_documentation_exists():
    files = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")]
    for folder, kinds in {"src": "py", "native": "hpp", "benchmarks": "py"}.items():
        files += sorted((ROOT / folder).rglob(f"*.{kinds}"))
    named = {
        path
        for file in files
        for path in re.findall(r"\bdocs/[\w/.-]*\w", file.read_text(encoding="utf-8"))
    }
    assert len(named) > 10
    assert sorted(path for path in named if not (ROOT / path).exists()) == []
