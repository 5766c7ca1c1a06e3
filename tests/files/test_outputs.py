"""No output is an input, and every output can be written, before anything starts."""

import os

import pytest

import chainrule as cr
from chainrule.files.outputs import check_outputs


@pytest.fixture
def table(tmp_path):
    (tmp_path / "table.csv").write_text("x\n1\n")
    return tmp_path / "table.csv"


def other_name(table, how):
    """Return another name of a file."""
    other = table.with_name("other.csv")
    if how == "dots":
        return table.parent / ".." / table.parent.name / table.name
    if how == "link":
        other.symlink_to(table.name)
    elif how == "hard link":
        os.link(table, other)
    elif how == "linked folder":
        table.with_name("folder").symlink_to(table.parent)
        return table.parent / "folder" / table.name
    return other


@pytest.mark.parametrize("how", ["dots", "link", "hard link", "linked folder"])
@pytest.mark.parametrize("turned", [False, True])
def test_an_input_under_any_name_is_no_output(table, how, turned):
    names = [table, other_name(table, how)]
    output, given = names[::-1] if turned else names
    with pytest.raises(cr.InvalidArgumentError, match=r"--out: .* is read as TABLE, under the nam"):
        check_outputs([("--out", output)], [("TABLE", given)])


def test_the_input_itself_is_no_output(table):
    with pytest.raises(cr.InvalidArgumentError, match="is read as TABLE; choose another"):
        check_outputs([("--out", str(table))], [("MODEL", "other"), ("TABLE", table)])


def test_two_outputs_are_two_files(tmp_path):
    with pytest.raises(cr.InvalidArgumentError, match=r"--latex: .*a is the same file as"):
        check_outputs([("--html", tmp_path / "a"), ("--latex", tmp_path / "." / "a")])


def test_other_files_and_devices_are_let_through(table):
    check_outputs([("--out", table.with_name("new.csv"))], [("TABLE", table)])
    check_outputs([("--out", os.devnull)], [("TABLE", os.devnull)])


def test_a_folder_that_is_not_there_is_named_with_the_remedy(tmp_path):
    with pytest.raises(cr.FileWriteError, match=r"--out: .*there is no folder .*none; create it"):
        check_outputs([("--out", tmp_path / "none" / "a.csv")])
    with pytest.raises(IsADirectoryError):
        check_outputs([("--out", tmp_path)])
