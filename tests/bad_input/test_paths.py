"""Names that no file can have, wherever Python takes a path."""

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import InvalidArgumentError
from chainrule.files.model_file import describe_model_file
from chainrule.files.outputs import check_outputs
from chainrule.runs.config import RunConfig

X = np.arange(8, dtype=np.float32).reshape(4, 2)


def network():
    return cr.Network([2, cr.Dense(1, "identity")], "mse", seed=0)


def fitted_estimator(path):
    cr.MLPRegressor(max_iter=1).fit(X, X[:, 0], checkpoint=path)


def named(path, ending):
    return path + ending if isinstance(path, str) else path


GIVEN = {
    "fit": lambda path: network().fit(X, X[:, 0], epochs=1, checkpoint=path),
    "an estimator's fit": fitted_estimator,
    "load": cr.load,
    "describe": describe_model_file,
    "save": lambda path: network().save(path),
    "to_csv": lambda path: network().fit(X, X[:, 0], epochs=1).to_csv(path),
    "CSVLog": cr.CSVLog,
    "export": lambda path: cr.export(network(), named(path, ".py"), "numpy"),
    "a trace": lambda path: network().trace(X[:1], X[:1, 0]).save(named(path, ".tex")),
    "run.toml": RunConfig.read,
    "an output": lambda path: check_outputs([("path", path)]),
    "an input": lambda path: check_outputs([], [("path", path)]),
}


@pytest.mark.parametrize("path", ["a\0b", "\udfff", "half\ud800of a pair", 5, b"model"])
@pytest.mark.parametrize("where", GIVEN)
def test_what_is_no_files_name_is_refused_by_the_arguments_name(where, path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InvalidArgumentError, match=r"^(path|checkpoint|config): expected the path"):
        GIVEN[where](path)
    assert list(tmp_path.iterdir()) == []


def test_a_run_toml_whose_table_has_a_nul_in_its_name_is_refused(tmp_path):
    from typer.testing import CliRunner

    from chainrule.cli.app import app

    table = tmp_path / "t.csv"
    table.write_text("a,y\n" + "".join(f"{i},{i * i}.5\n" for i in range(40)))
    config, out = tmp_path / "run.toml", tmp_path / "out"
    for text in (
        'table = "a\\u0000b"\ntarget = "y"',
        f'table = "{table}"\ntest = "a\\u0000b"\ntarget = "y"',
    ):
        config.write_text(f"[data]\n{text}\n")
        outcome = CliRunner().invoke(app, ["train", "--config", str(config), "--out", str(out)])
        assert outcome.exit_code == 2
        assert "expected the path of a file" in outcome.stderr
        assert outcome.stderr.count("\n") == 1
        assert not out.exists()
