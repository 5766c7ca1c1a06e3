"""Exported code, commands, settings and files are run, and compared to the bit."""

import csv
import io
import shlex
import subprocess
import sys
import tomllib

import numpy as np
import pytest
from typer.testing import CliRunner

import chainrule as cr
from chainrule.cli.app import app
from chainrule.errors import InvalidArgumentError
from chainrule.playground.data.tables import OwnTables

from .pages import page_of

TOY = {"data": {"kind": "toy", "name": "circle", "noise": 15}, "inputs": ["x1", "x2_squared"]}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def save(page, kind, folder):
    name, content, _ = page.session.download(kind)
    (folder / name).write_bytes(content)
    return folder / name


def shown(page):
    return page.session._ready().parameters


def by_python(page, folder, monkeypatch):
    """Run the exported Python beside the exported table; return the network."""
    save(page, "data.csv", folder)
    code = save(page, "code.py", folder).read_text(encoding="utf-8")
    exec(compile(code, "code.py", "exec"), {"__name__": "__main__"})
    return cr.load(folder / "model.safetensors").network


def by_command(page, folder):
    save(page, "data.csv", folder)
    words = shlex.split(page.ask("code")["command"])
    assert words[:2] == ["chainrule", "train"]
    run = [*words[1:], "--out", "run", "--no-report", "--quiet", "--overwrite"]
    result = CliRunner().invoke(app, run)
    assert result.exit_code == 0, result.output
    return cr.load(folder / "run").network


def by_toml(page, folder):
    save(page, "data.csv", folder)
    path = save(page, "run.toml", folder)
    return cr.train(config=path, verbose=False).model.network


CASES = {
    "a toy": (TOY, 4),
    "values": ({"data": {"kind": "toy", "name": "multi-gauss"}, "settings": {"l1": 0.1}}, 3),
    "layers of their own": (
        {**TOY, "settings": {"layers": [5, 4], "activation": ["relu", "elu(alpha=0.5)"]}},
        3,
    ),
    "dropout": ({**TOY, "settings": {"layers": [6], "dropout": [0.2], "batch_norm": True}}, 3),
    "a sample": ({"data": {"kind": "sample", "name": "wine"}}, 3),
    "digits": ({"data": {"kind": "sample", "name": "digits"}, "settings": {"layers": [8]}}, 2),
    "a whole schedule": ({**TOY, "settings": {"schedule": "cosine", "epochs": 5}}, 5),
    "lbfgs": ({**TOY, "settings": {"optimizer": "lbfgs"}}, 3),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.filterwarnings("ignore::chainrule.TrainingDiagnosisWarning")
def test_python_command_and_toml_train_the_network_that_is_shown(case, folder, monkeypatch, capsys):
    state, epochs = CASES[case]
    with page_of(state) as page:
        page.steps("epoch", epochs)
        code = page.ask("code")
        assert (code["exact"], code["command_exact"], code["why"]) == (True, True, None)
        for network in (
            by_python(page, folder, monkeypatch),
            by_command(page, folder),
            by_toml(page, folder),
        ):
            assert np.array_equal(network.parameters, shown(page))


def test_changes_on_the_way_are_in_the_python_code(folder, monkeypatch, capsys):
    with page_of(TOY) as page:
        page.ask("edit", name="W", layer=1, row=0, column=1, value=0.125)
        page.until(lambda: page.ask("weights")["layers"][0]["W"][0][1] == 0.125)
        page.steps("epoch", 2)
        page.ask("set", learning_rate=0.02, l2=1.5)
        page.until(lambda: 2 in page.session._trained.changes.values())
        page.steps("epoch", 2)
        code = page.ask("code")
        assert code["exact"]
        assert not code["command_exact"]
        assert code["why"] == "The command cannot make the changes that were made during training."
        assert np.array_equal(by_python(page, folder, monkeypatch).parameters, shown(page))
        assert save(page, "run.toml", folder).read_text(encoding="utf-8").startswith("# This is")


def test_an_epoch_in_the_middle_of_a_schedule_is_reached_by_a_stop(folder, monkeypatch, capsys):
    with page_of({**TOY, "settings": {"schedule": "one_cycle", "epochs": 9}}) as page:
        page.steps("epoch", 4)
        code = page.ask("code")
        assert code["exact"]
        assert "its schedule goes over 9 epochs" in code["why"].lower()
        assert np.array_equal(by_python(page, folder, monkeypatch).parameters, shown(page))


def test_a_rate_that_early_stopping_reduced_is_in_the_python_code(folder, monkeypatch, capsys):
    state = {
        "data": {"kind": "sample", "name": "wdbc"},
        "settings": {"learning_rate": 0.1, "patience": 2, "layers": [4]},
    }
    with page_of(state) as page:
        page.train_to_the_end()
        page.until(lambda: page.status["stopped"] is not None)
        assert page.session._trained.controller.rates
        last = page.status["epoch"]
        for epoch in (last, page.status["travel"] or last):
            page.ask("travel", epoch=epoch if epoch < last else None)
            assert page.ask("code")["exact"]
            assert np.array_equal(by_python(page, folder, monkeypatch).parameters, shown(page))


def test_a_training_that_stopped_by_itself_is_exported_as_it_was_asked_for(
    folder, monkeypatch, capsys
):
    state = {
        "data": {"kind": "sample", "name": "wdbc"},
        "settings": {"learning_rate": 0.1, "patience": 2, "layers": [4]},
    }
    with page_of(state) as page:
        page.train_to_the_end()
        page.until(lambda: page.status["travel"] is not None)
        code = page.ask("code")
        assert (code["exact"], code["command_exact"], code["why"]) == (True, True, None)
        assert "early" not in code["command"]
        for network in (
            by_python(page, folder, monkeypatch),
            by_command(page, folder),
            by_toml(page, folder),
        ):
            assert np.array_equal(network.parameters, shown(page))


def test_an_earlier_epoch_can_be_exported(folder, monkeypatch, capsys):
    with page_of(TOY) as page:
        page.steps("epoch", 8)
        assert page.ask("travel", epoch=3) == {"epoch": 3}
        assert page.status["travel"] == 3
        assert page.ask("weights")["epoch"] == 3
        assert np.array_equal(by_python(page, folder, monkeypatch).parameters, shown(page))
        assert "epochs=3" in page.ask("code")["python"]


def test_what_cannot_be_reproduced_says_why():
    with page_of(TOY) as page:
        code = page.ask("code")
        assert not code["exact"]
        assert code["why"].startswith("Before the first epoch nothing is trained")
        page.steps("epoch", 1)
        page.steps("batch", 2)
        code = page.ask("code")
        assert not code["exact"]
        assert code["why"] == "Epoch 2 is not finished; this trains until the end of epoch 1."


def test_the_model_file_predicts_what_the_page_shows(folder):
    with page_of({"data": {"kind": "sample", "name": "iris"}}) as page:
        page.steps("epoch", 5)
        model = cr.load(save(page, "model.safetensors", folder))
        table = save(page, "data.csv", folder)
        predicted = model.predict(table)
        for index in page.description["points"]["index"][::10]:
            point = page.ask("point", index=index)
            row = int(point["name"].split()[1]) - 1
            assert predicted["prediction"][row] == point["prediction"]
            for name, value in point["probabilities"].items():
                assert predicted[f"probability_{name}"][row] == pytest.approx(value, rel=1e-5)


def test_the_onnx_file_predicts_the_same(folder):
    onnxruntime = pytest.importorskip("onnxruntime")
    with page_of(TOY) as page:
        page.steps("epoch", 5)
        session = onnxruntime.InferenceSession(page.session.download("model.onnx")[1])
        prepared = page.session._trained.prepared
        model = cr.load(save(page, "model.safetensors", folder))
        rows = prepared.parts.validation
        feeds = {one.name: rows[one.name].to_numpy().reshape(-1, 1) for one in session.get_inputs()}
        outputs = {
            one.name: value
            for one, value in zip(session.get_outputs(), session.run(None, feeds), strict=True)
        }
        expected = model.probabilities(rows)
        found = next(value for value in outputs.values() if np.shape(value) == expected.shape)
        assert np.allclose(found, expected, atol=1e-5)


def test_the_history_file_has_a_row_an_epoch():
    with page_of(TOY) as page:
        page.steps("epoch", 4)
        text = page.session.download("history.csv")[1].decode()
        rows = list(csv.DictReader(io.StringIO(text)))
        assert [row["epoch"] for row in rows] == ["1", "2", "3", "4"]
        assert [float(row["loss"]) for row in rows] == page.ask("history")["train"]


def test_an_own_table_is_exported_as_it_came_and_by_its_name(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    text = "size,price\n" + "".join(f"{i},{3 * i + i % 7}\n" for i in range(300))
    path = tmp_path / "houses (1).csv"
    path.write_text(text, encoding="utf-8")
    tables = OwnTables()
    own = tables.add(path, path.name)
    data = {"kind": "table", "table": own.identity, "target": "price"}
    with page_of({"data": data}, tables) as page:
        page.steps("epoch", 2)
        name, content, _ = page.session.download("data.csv")
        assert (name, content) == (path.name, path.read_bytes())
        code = page.ask("code")
        for text in (code["python"], code["command"], code["toml"]):
            assert path.name in text
            assert "chainrule-play-" not in text
        assert tomllib.loads(code["toml"])["data"]["table"] == path.name
        model = page.session.download("model.safetensors")[1]
        assert b"chainrule-play-" not in model
        assert np.array_equal(by_command(page, tmp_path).parameters, shown(page))
        assert np.array_equal(by_python(page, tmp_path, monkeypatch).parameters, shown(page))


def test_there_is_no_other_file():
    with page_of(TOY) as page:
        for kind in ("../code.py", "model", ""):
            with pytest.raises(InvalidArgumentError, match="download: expected one of"):
                page.session.download(kind)


def test_the_code_runs_as_a_program(folder):
    with page_of(TOY) as page:
        page.steps("epoch", 2)
        save(page, "data.csv", folder)
        path = save(page, "code.py", folder)
        subprocess.run([sys.executable, path], cwd=folder, check=True, capture_output=True)
        network = cr.load(folder / "model.safetensors").network
        assert np.array_equal(network.parameters, shown(page))
