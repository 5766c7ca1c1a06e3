"""The program in hints: what is printed works as it stands, typed in a shell."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from chainrule.runs.program_name import called, calling


@pytest.fixture
def program(tmp_path, monkeypatch):
    """Return a chainrule in a folder of its own, with PATH empty but for what a test puts there."""
    path = tmp_path / "my tools" / "chainrule"
    path.parent.mkdir()
    path.write_text('#!/bin/sh\nprintf "%s\\n" "$0" "$@"\n')
    path.chmod(0o755)
    (tmp_path / "nothing").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    monkeypatch.setattr(sys, "argv", [str(path), "train"])
    return path


def test_what_path_finds_goes_by_its_plain_name(program, monkeypatch):
    monkeypatch.setenv("PATH", str(program.parent))
    assert calling("resume", Path("run")) == "chainrule resume run"


def test_a_link_on_path_is_the_program_too(program, tmp_path, monkeypatch):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "chainrule").symlink_to(program)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    assert calling("info") == "chainrule info"


def test_another_of_the_name_on_path_is_not_meant(program, tmp_path, monkeypatch):
    other = tmp_path / "nothing" / "chainrule"
    other.write_text("#!/bin/sh\n")
    other.chmod(0o755)
    assert shlex.split(calling("info")) == [str(program), "info"]


def test_what_was_started_by_its_path_goes_by_it(program, monkeypatch):
    assert calling("resume", Path("run")) == f"'{program}' resume run"
    monkeypatch.setattr(sys, "argv", [".venv/bin/chainrule"])
    assert calling("resume", Path("run")) == ".venv/bin/chainrule resume run"
    monkeypatch.setattr(sys, "argv", ["chainrule"])  # `sh chainrule`, in its folder
    assert calling("info") == "./chainrule info"


def test_the_module_goes_by_its_python(program, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["/somewhere/chainrule/__main__.py"])
    assert shlex.split(calling("info")) == [sys.executable, "-m", "chainrule", "info"]


@pytest.mark.parametrize("argv", [["pytest"], ["-c"], [""], []])
def test_another_program_leaves_the_plain_name(monkeypatch, argv):
    monkeypatch.setattr(sys, "argv", argv)
    assert calling("info") == "chainrule info"


@pytest.mark.skipif(not os.path.exists("/bin/bash"), reason="there is no bash")
@pytest.mark.parametrize(
    "name",
    ["run", "a  b", "it's", "$HOME", "~", "-x", "*", "two\nlines", "\x1b[2J\\", "grün", "\udcff'"],
)
def test_a_shell_understands_the_line(program, name):
    line = calling("resume", Path(name))
    assert "\n" not in line
    run = subprocess.run(
        ["/bin/bash", "-c", line.encode("utf-8", "surrogateescape")], capture_output=True
    )
    given = f"./{name}" if name.startswith("-") else name
    expected = f"{program}\nresume\n{given}\n"
    assert run.stdout == expected.encode("utf-8", "surrogateescape")


def test_a_command_from_a_file_is_shown_as_it_is_called_here(program):
    assert called("chainrule train 'a b.csv'") == f"'{program}' train 'a b.csv'"
    assert called("chainrules train") == "chainrules train"
