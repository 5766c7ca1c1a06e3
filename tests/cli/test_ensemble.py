import json
import signal
import subprocess
import sys

import numpy as np
import polars as pl
import pytest

import chainrule as cr
from chainrule.files.checkpoint_store import CheckpointStore

QUICK = ("--quality", "best", "--layers", "8,8", "--epochs", "6")


@pytest.fixture(scope="module")
def ensemble(chainrule, wdbc, tmp_path_factory):
    """The outcome of training a small ensemble on the breast cancer table, and its folder."""
    folder = tmp_path_factory.mktemp("ensemble") / "run"
    return chainrule("train", wdbc, "--target", "diagnosis", *QUICK, "--out", folder), folder


def test_an_ensemble_is_trained_and_told_of(ensemble):
    outcome = ensemble[0]
    assert outcome.code == 0
    told = " ".join(outcome.out.split())
    assert "Ensemble: up to 40 networks: 8 variations of these settings, each on 5 folds" in told
    assert "on rows that they did not learn from, the loss is 0." in told
    lines = outcome.err.splitlines()
    assert lines[0].startswith("network 1/40  loss on its fold ")
    assert lines[-1].startswith("network 40/40  ")
    assert "ensemble 0." in lines[-1]


def test_the_model_of_an_ensemble_is_one_file_that_every_command_takes(
    ensemble, chainrule, wdbc, tmp_path
):
    model = ensemble[1] / "model.safetensors"
    for arguments in (
        ("predict", model, wdbc, "-o", tmp_path / "predictions.csv"),
        ("evaluate", model, wdbc),
        ("explain", model, wdbc, "--row", "3"),
        ("trace", model, wdbc, "--row", "3"),
        ("importance", model, wdbc),
        ("info", model),
        ("drift", model, wdbc),
        ("export", model, tmp_path / "model.onnx"),
        ("export", model, tmp_path / "model.c"),
        ("export", model, tmp_path / "model.py"),
    ):
        outcome = chainrule(*arguments)
        assert outcome.code == 0, outcome
    assert pl.read_csv(tmp_path / "predictions.csv").height == 569


def test_the_validation_scores_are_of_networks_that_did_not_learn_from_these_rows(tmp_path):
    # A column of noise and a class that nothing tells: what is learned by heart is worth nothing.
    random = np.random.default_rng(0)
    table = pl.DataFrame(
        {
            "noise": random.random(400),
            "more": random.random(400),
            "y": random.choice(["a", "b"], 400),
        }
    )
    run = cr.train(
        *(table, "y"),
        quality="best",
        layers=[64, 64],
        epochs=60,
        early_stopping=False,
        l2=0.0,
        verbose=False,
        split=[0.4, 0.5, 0.1],
    )
    assert run.scores["validation"]["accuracy"] < 0.62
    found = pl.concat(list(_held_out(run)))
    rows = found.filter(pl.col("part") == "validation")
    right = (rows["target"] == rows["prediction"]).mean()
    assert right == pytest.approx(run.scores["validation"]["accuracy"])


def _held_out(run):
    from chainrule.runs.held_out import held_out_predictions

    return held_out_predictions(run.model, run.parts, run.validating)


def test_the_first_networks_epochs_are_the_history(ensemble):
    assert pl.read_csv(ensemble[1] / "history.csv")["epoch"].to_list() == [1, 2, 3, 4, 5, 6]


def test_machines_are_told_of_each_network(chainrule, wdbc, tmp_path):
    outcome = chainrule(
        *("train", wdbc, "--target", "diagnosis", *QUICK, "--json", "--no-report"),
        *("--out", tmp_path / "run"),
    )
    lines = [json.loads(line) for line in outcome.out.splitlines()]
    networks = [line for line in lines if line["event"] == "network"]
    assert [line["trained"] for line in networks] == list(range(1, 41))
    assert "place" not in networks[0]
    assert {(line["variation"], line["fold"]) for line in networks} == {
        (variation, fold) for variation in range(8) for fold in range(5)
    }


def test_a_run_toml_repeats_an_ensemble_to_the_bit(ensemble, chainrule, tmp_path):
    again = tmp_path / "again"
    chainrule("train", "--config", ensemble[1] / "run.toml", "--out", again)
    one, other = ((folder / "model.safetensors").read_bytes() for folder in (ensemble[1], again))
    assert one == other


def test_python_trains_the_same_ensemble(ensemble, wdbc, tmp_path):
    run = cr.train(wdbc, "diagnosis", quality="best", layers=[8, 8], epochs=6, verbose=False)
    run.model.save(tmp_path / "model.safetensors")
    model = cr.load(ensemble[1] / "model.safetensors")
    assert np.array_equal(run.model.network.parameters, model.network.parameters)


@pytest.mark.parametrize(
    ("settings", "column"), [({"group": "who"}, "who"), ({"time": "when"}, "when")]
)
def test_folds_keep_groups_and_times_together(settings, column):
    random = np.random.default_rng(0)
    table = pl.DataFrame(
        {
            "x": random.random(300),
            "who": random.integers(0, 40, 300),
            "when": random.integers(0, 60, 300),
            "y": random.random(300),
        }
    )
    from chainrule.runs.config import RunConfig
    from chainrule.runs.training import PreparedRun

    run = PreparedRun.prepare(RunConfig.of({"target": "y", "quality": "best", **settings}), table)
    folds = run._ensemble_rows().folds
    values = np.concatenate([run.parts.train[column], run.parts.validation[column]])
    assert set(folds) == {0, 1, 2, 3, 4}
    for value in set(values.tolist()):
        assert len(set(folds[values == value])) == 1


def test_a_time_limit_is_a_setting_of_the_run(chainrule, wdbc, tmp_path):
    folder = tmp_path / "run"
    outcome = chainrule(
        *("train", wdbc, "--target", "diagnosis", "--quality", "best", "--time-limit", "1s"),
        *("--no-report", "--out", folder),
    )
    assert outcome.code == 0
    assert 'time_limit = "1s"' in (folder / "run.toml").read_text(encoding="utf-8")
    details = cr.load(folder / "model.safetensors").details
    assert details["ensemble"]["trained"] < 40
    assert not details["ensemble"]["complete"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--search", "3"), "--search: a search tries single networks"),
        (("--live",), "--live: --quality best trains many networks"),
        (("--optimizer", "lbfgs"), "quality: best trains by steps"),
        (("--time-limit", "soon"), "--time-limit: expected a time such as 90s"),
        (("--activation", "softmax"), "layers: expected layers of which several networks"),
    ],
)
def test_what_does_not_suit_an_ensemble_is_one_sentence(
    chainrule, wdbc, tmp_path, arguments, message
):
    outcome = chainrule(
        *("train", wdbc, "--target", "diagnosis", *QUICK, *arguments, "--out", tmp_path / "run")
    )
    assert message in outcome.sentence


def test_the_report_says_what_was_trained(ensemble):
    page = (ensemble[1] / "report.html").read_text(encoding="utf-8")
    assert "The model is an ensemble of" in page
    assert "the settings as given" in page
    assert "learning rate × 0.7, weight decay × 0.5, dropout 0.2, no L2 penalty" in page


def test_an_ensemble_cannot_be_shown_as_one_training(ensemble, chainrule, tmp_path):
    outcome = chainrule("animate", ensemble[1], tmp_path / "page.html")
    assert "train one network, with quality standard" in outcome.sentence


def test_an_interrupted_ensemble_cannot_be_watched_when_it_is_resumed(
    ensemble, chainrule, tmp_path
):
    (tmp_path / "run.toml").write_bytes((ensemble[1] / "run.toml").read_bytes())
    store = CheckpointStore(tmp_path / "checkpoint")
    store.save({}, {})
    store.close()
    outcome = chainrule("resume", tmp_path, "--live")
    assert "--live: --quality best trains many networks" in outcome.sentence


def test_a_time_limit_without_an_ensemble_is_refused_in_python(wdbc):
    with pytest.raises(cr.InvalidArgumentError, match="time_limit: expected none without quality"):
        cr.train(wdbc, "diagnosis", time_limit="5s", verbose=False)


def test_python_shows_each_network(capsys):
    table = pl.DataFrame({"x": np.arange(100.0), "y": np.arange(100.0) % 7})
    cr.train(table, "y", quality="best", layers=[4], epochs=2)
    assert capsys.readouterr().err.startswith("network 1/40  loss on its fold ")


# Sends itself a signal once so many networks are trained. It writes each network to the checkpoint,
# for else SIGKILL would leave none: a checkpoint is written at most once a second.
INTERRUPTED = """
import os, sys
from chainrule.cli import progress
from chainrule.ensembles import store
number, after = int(sys.argv.pop(1)), int(sys.argv.pop(1))
store._SECONDS, store._SHARE = 0.0, float("inf")
text_of = progress.member_text
def text(ended):
    if ended.trained == after:
        os.kill(os.getpid(), number)
    return text_of(ended)
progress.member_text = text
from chainrule.cli import main
main()
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_an_interrupted_ensemble_goes_on_to_the_same_file(
    ensemble, chainrule, wdbc, tmp_path, number
):
    folder = tmp_path / "run"
    command = [sys.executable, "-c", INTERRUPTED, str(int(number)), "4"]
    command += ["train", str(wdbc), "--target", "diagnosis", *QUICK, "--checkpoint", "--no-report"]
    ended = subprocess.run([*command, "--out", str(folder)], capture_output=True, text=True)
    assert ended.returncode in (130, 143, -signal.SIGKILL), ended.stderr
    assert "network 1/40" in ended.stderr
    assert "network 40/40" not in ended.stderr
    assert (folder / "checkpoint").exists()
    resumed = chainrule("resume", folder, "--no-report")
    assert resumed.code == 0
    assert "network 40/40" in resumed.err
    assert (folder / "model.safetensors").read_bytes() == (
        ensemble[1] / "model.safetensors"
    ).read_bytes()
    assert not (folder / "checkpoint").exists()
