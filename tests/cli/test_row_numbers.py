"""A row of a report is the row of the file, whatever has been left out, divided or drawn before."""

import html
import re

import pytest

from chainrule.errors import InvalidTableError
from chainrule.runs.config import RunConfig
from chainrule.runs.parts import divide

ROWS = 240


def written(path, first=0):
    """Write a table in which rows lack the target, are bad, or have line breaks; return its rows.

    The column "id" says which row of the file each is, and "line" on which line it begins.
    """
    lines, rows, line = ["# made for a test", "id,line,x,note,kind"], {}, 3
    for number in range(1, ROWS + 1):
        if number % 17 == 0:
            lines.append("")
            line += 1
        if number % 31 == 0:
            lines.append("a bad row")
            line += 1
            continue
        kind = "" if number % 7 == 0 else "ab"[(number * number) % 5 > 1]
        note = '"two\nlines"' if number % 5 == 0 else "one"
        lines.append(f"n{number + first},{line},{number % 13}.5,{note},{kind}")
        rows[number] = line
        line += 1 + note.count("\n")
    path.write_text("\n".join(lines) + "\n")
    return rows


def checked(table, numbers, first=0):
    """Check the numbers of some rows by what the rows say of themselves."""
    assert numbers.rows.tolist() == [int(name[1:]) - first for name in table["id"].to_list()]
    assert numbers.lines.tolist() == [int(line) for line in table["line"].to_list()]


@pytest.mark.parametrize("extra", [{}, {"time": "line"}, {"group": "x"}])
def test_rows_of_each_part_have_the_numbers_of_the_file(tmp_path, extra):
    path = tmp_path / "t.csv"
    written(path)
    config = RunConfig.of({"table": str(path), "target": "kind", "skip_bad_rows": True, **extra})
    parts = divide(config)
    assert sum(len(one) for one in parts.numbers.values()) < ROWS
    for name, table in parts.tables().items():
        assert len(parts.numbers[name]) == table.height
        checked(table, parts.numbers[name])


def test_rows_of_a_separate_test_table_have_the_numbers_of_that_table(tmp_path):
    path, test = tmp_path / "t.csv", tmp_path / "test.csv"
    written(path)
    written(test, 1000)
    config = RunConfig.of(
        {"table": str(path), "test": str(test), "target": "kind", "skip_bad_rows": True}
    )
    parts = divide(config)
    checked(parts.train, parts.numbers["train"])
    checked(parts.test, parts.numbers["test"], 1000)


def test_an_error_of_a_divided_table_names_the_row_of_the_file(tmp_path):
    path = tmp_path / "t.csv"
    rows = [f"{n},{n % 3},{'' if n == 30 else n}" for n in range(1, 60)]
    rows[9] = "10,1,10"
    rows[4] = "5,,5"  # without a target: row 30 of the file is the 29th that has one
    path.write_text("\n".join(["x,y,when", *rows]) + "\n")
    config = RunConfig.of({"table": str(path), "target": "y", "time": "when"})
    with pytest.raises(InvalidTableError, match=r"has no value in row 30 \(line 31\)"):
        divide(config)


@pytest.fixture(scope="module")
def run(tmp_path_factory, chainrule):
    folder = tmp_path_factory.mktemp("rows")
    table = folder / "t.csv"
    rows = written(table)
    outcome = chainrule(
        *("train", table, "--target", "kind", "--ignore", "id", "--skip-bad-rows"),
        *("--epochs", "3", "--split", "0.4,0.2,0.4", "--out", folder / "run"),
    )
    assert outcome.code == 0, outcome.err
    return folder / "run", table, rows


def cells(page, identifier):
    """Return the rows of a section's first table, as text."""
    section = page[page.index(f'id="{identifier}"') :]
    body = section[: section.index("</table>")]
    rows = re.findall(r"<tr>(.*?)</tr>", body, re.DOTALL)
    texts = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL) for row in rows]
    return [[html.unescape(re.sub("<[^>]*>", "", cell)) for cell in row] for row in texts]


def test_each_worst_mistake_is_the_row_that_explain_shows(run, chainrule):
    folder, table, rows = run
    mistakes = cells((folder / "report.html").read_text(encoding="utf-8"), "mistakes")
    assert mistakes[0][:4] == ["Row", "Line", "True", "Predicted"]
    assert len(mistakes) > 5
    for row, line, true, predicted, *_ in mistakes[1:]:
        assert rows[int(row)] == int(line)
        shown = chainrule(
            "explain", folder / "model.safetensors", table, "--row", row, "--skip-bad-rows"
        )
        assert shown.code == 0, shown.err
        assert f"Row {row} (line {line})" in shown.out
        assert f"Predicted kind: {predicted} (" in shown.out
        assert f"its true value is {true}\n" in shown.out


def test_a_row_that_was_skipped_is_told_from_one_that_the_file_lacks(run, chainrule):
    folder, table, _ = run
    explain = ("explain", folder / "model.safetensors", table, "--skip-bad-rows", "--row")
    assert "--row: row 31 of" in chainrule(*explain, 31).sentence
    assert "expected a number from 1 to 240" in chainrule(*explain, 241).sentence
    assert "expected a number from 1 to 240" in chainrule(*explain, 0).sentence


def test_an_unknown_class_is_named_by_its_row_in_the_file(run, chainrule, tmp_path):
    folder = run[0]
    path = tmp_path / "other.csv"
    path.write_text("x,note,line,kind\n1,one,1,a\n2,one,2,\n\n3,one,3,c\n")
    wrong = chainrule("evaluate", folder / "model.safetensors", path)
    assert "is 'c' in row 3 (line 5)" in wrong.sentence
