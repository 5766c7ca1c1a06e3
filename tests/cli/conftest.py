"""A table, and a run of the command line on it, that the tests of the commands share."""

from pathlib import Path
from typing import NamedTuple

import pytest
from typer.testing import CliRunner

from chainrule.cli.app import app

WDBC = Path(__file__).parents[2] / "examples" / "wdbc.csv"


class Outcome(NamedTuple):
    """What a command left."""

    code: int
    out: str
    err: str

    @property
    def sentence(self):
        """The one line that a mistake is answered with."""
        assert self.code == 2
        assert self.err.startswith("chainrule: ")
        assert self.err.count("\n") == 1
        return self.err


@pytest.fixture(scope="session")
def chainrule():
    """The command line, called in this process."""

    def run(*arguments):
        result = CliRunner().invoke(app, [str(argument) for argument in arguments])
        if not isinstance(result.exception, SystemExit | None):
            raise result.exception
        return Outcome(result.exit_code, result.stdout, result.stderr)

    return run


@pytest.fixture(scope="session")
def wdbc():
    return WDBC


@pytest.fixture(scope="session")
def trained(chainrule, tmp_path_factory):
    """The outcome of a short training on the breast cancer table, and its folder."""
    folder = tmp_path_factory.mktemp("trained") / "run"
    outcome = chainrule(
        *("train", WDBC, "--target", "diagnosis", "--epochs", "20", "--no-report", "--out", folder)
    )
    return outcome, folder


@pytest.fixture(scope="session")
def light(chainrule, tmp_path_factory):
    """The folder of a run with small layers: to explain, check or draw a large model takes long."""
    folder = tmp_path_factory.mktemp("light") / "run"
    outcome = chainrule(
        *("train", WDBC, "--target", "diagnosis", "--layers", "16,8", "--epochs", "20"),
        *("--no-report", "--out", folder),
    )
    assert outcome.code == 0
    return folder


@pytest.fixture(scope="session")
def model(light):
    return light / "model.safetensors"


@pytest.fixture(scope="session")
def regression(chainrule, tmp_path_factory):
    """A regression's table and its model file."""
    folder = tmp_path_factory.mktemp("regression")
    table = folder / "houses.csv"
    rows = "".join(f"{size},{size % 7},{100 + 3 * size}.5\n" for size in range(60))
    table.write_text("size,rooms,price\n" + rows, encoding="utf-8")
    outcome = chainrule(
        "train", table, "--target", "price", "--epochs", "3", "--no-report", "--out", folder
    )
    assert outcome.code == 0
    return table, folder / "model.safetensors", outcome
