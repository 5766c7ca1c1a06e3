"""Commands given the file of an estimator."""

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

import chainrule as cr
from chainrule.cli.app import app

TABLE = pl.DataFrame(
    {"size": np.arange(40.0), "kind": ["a", "b"] * 20, "sold": ["no"] * 20 + ["yes"] * 20}
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    TABLE.write_csv(folder / "table.csv")
    model = cr.NetworkClassifier(random_state=0, max_iter=30)
    model.fit(TABLE.drop("sold"), TABLE["sold"]).save(folder / "table.safetensors")
    model.fit(TABLE["size"].to_numpy().reshape(-1, 1), TABLE["sold"])
    model.save(folder / "array.safetensors")
    return folder


def run(*words):
    return CliRunner().invoke(app, [str(word) for word in words])


def test_an_estimator_of_a_table_predicts_files(folder):
    out = folder / "out.csv"
    assert (
        run("predict", folder / "table.safetensors", folder / "table.csv", "-o", out).exit_code == 0
    )
    model = cr.load(folder / "table.safetensors")
    assert pl.read_csv(out)["prediction"].to_list() == model.predict(TABLE).tolist()


@pytest.mark.parametrize(
    ("command", "options"), [("evaluate", ()), ("explain", ("--row", 3)), ("trace", ("--row", 3))]
)
def test_other_commands_take_it_too(folder, command, options):
    found = run(command, folder / "table.safetensors", folder / "table.csv", *options)
    assert found.exit_code == 0, found.output


def test_info_describes_an_estimator(folder):
    found = run("info", folder / "table.safetensors", "--json").output
    for text in ("NetworkClassifier(max_iter=30, random_state=0)", "no, yes", "size, kind"):
        assert text in found


def test_an_estimator_of_an_array_is_refused_with_the_reason(folder):
    found = run("predict", folder / "array.safetensors", folder / "table.csv")
    assert found.exit_code != 0
    assert "fitted to an array" in f"{found.output}{found.exception}"
