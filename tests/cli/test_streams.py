import os
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from chainrule.cli.app import app
from chainrule.cli.streams import say_sentence

COMMAND = [sys.executable, "-m", "chainrule"]


@pytest.fixture
def training(wdbc, tmp_path):
    arguments = ["train", str(wdbc), "--target", "diagnosis", "--epochs", "1", "--no-report"]
    return [*arguments, "--out", str(tmp_path)]


def test_training_shows_its_network_in_the_encoding_that_python_is_given(training):
    result = subprocess.run(
        [*COMMAND, *training],
        capture_output=True,
        env=os.environ | {"PYTHONIOENCODING": "ascii"},
        timeout=120,
    )
    assert result.returncode == 0, result.stderr
    assert b"columns -> 128 silu" in result.stdout


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252"])
def test_training_shows_its_network_in_any_encoding(training, encoding):
    result = CliRunner(charset=encoding).invoke(app, training)
    assert result.exit_code == 0, result.stderr_bytes
    assert b"columns -> 128 silu" in result.stdout_bytes


@pytest.mark.skipif(os.name == "nt", reason="a shell of Unix closes the stream")
def test_predictions_to_a_closed_output_are_refused_in_a_sentence(model, wdbc):
    command = f'"{sys.executable}" -m chainrule predict "{model}" "{wdbc}" >&-'
    result = subprocess.run(["sh", "-c", command], stderr=subprocess.PIPE, text=True, timeout=120)
    assert result.returncode == 2
    assert result.stderr.startswith("chainrule: --out: standard output is closed")
    assert result.stderr.count("\n") == 1


@pytest.mark.skipif(os.name == "nt", reason="Unix alone has such terminals")
def test_a_message_is_broken_between_words_in_a_terminal():
    import pty

    ours, theirs = pty.openpty()
    command = [*COMMAND, "train", "no-such-table.csv", "--target", "y", "--out", "a-longer-name"]
    process = subprocess.Popen(command, stderr=theirs, env=os.environ | {"COLUMNS": "40"})
    os.close(theirs)
    shown = b""
    try:
        while piece := os.read(ours, 65536):
            shown += piece
    except OSError:  # how Linux says that the other side is closed
        pass
    os.close(ours)
    assert process.wait(timeout=60) == 2
    assert shown.decode().splitlines() == [
        "chainrule: no-such-table.csv: cannot be",
        "read (No such file or directory)",
    ]


def test_a_message_is_one_line_outside_a_terminal(capsys):
    say_sentence("many words " * 30, error=True)
    assert capsys.readouterr().err.count("\n") == 1


def test_help_that_is_piped_ends_with_its_last_line():
    command = [sys.executable, "-m", "chainrule", "drift", "--help"]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "b'" not in shown
    assert shown.rstrip().endswith("--json")
