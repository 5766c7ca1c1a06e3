import json
import re
import types

import numpy as np
import pytest

import chainrule as cr
from chainrule.engines import extension

COMMANDS = [
    *(
        "train",
        "resume",
        "predict",
        "evaluate",
        "explain",
        "importance",
        "drift",
        "trace",
        "check",
        "export",
        "info",
    )
]


def test_info_shows_the_versions_and_the_engines(chainrule):
    out = chainrule("info").out
    for text in (cr.__version__, np.__version__, "reference", "(auto: ", "compiled core"):
        assert text in out


def test_info_shows_what_the_compiled_core_finds(chainrule, monkeypatch):
    core = types.SimpleNamespace(
        cpu_info=lambda: {
            "features": ["avx2", "amx_bf16"],
            "instruction_sets": ["generic", "avx2"],
            "cores": 8,
            "precisions": ["mixed"],
        },
        instruction_set=lambda: "avx2",
    )
    monkeypatch.setattr(extension, "native", core)
    out = " ".join(chainrule("info").out.split())
    assert (
        "this CPU offers generic, avx2; 8 cores; precisions full, mixed; "
        "no kernels use its amx_bf16"
    ) in out


def test_info_says_why_there_is_no_compiled_core(chainrule, monkeypatch):
    monkeypatch.setattr(extension, "native", None)
    monkeypatch.setattr(extension, "reason", "it was forgotten")
    out = " ".join(chainrule("info").out.split())
    assert "none (it was forgotten); everything runs on the reference engine" in out


def test_info_shows_what_is_in_a_model_file(chainrule, trained):
    model = trained[1] / "model.safetensors"
    epochs = len((trained[1] / "history.csv").read_text().splitlines()) - 1
    out = " ".join(chainrule("info", model).out.split())
    for text in (
        "classification",
        "target diagnosis",
        "classes B, M",
        "30 columns mean_radius, mean_texture",
        "30, PiecewiseLinearEmbedding(240 bins of 30 units), Scale(64.0), Dense(128, 'silu')",
        "68,111 of float32",
        f"epochs trained {epochs}",
        "trained by chainrule train",
        "--target diagnosis --epochs 20",
        "train 455",
        "test scores accuracy 0.",
        f"chainrule {cr.__version__}",
    ):
        assert text in out


def test_info_shows_a_regression_and_a_network_alone(chainrule, regression, tmp_path):
    _, model, _ = regression
    assert "mean ± deviation" in chainrule("info", model).out
    cr.load(model).network.save(tmp_path / "network.safetensors")
    out = chainrule("info", tmp_path / "network.safetensors").out
    assert "a network" in out
    assert "target" not in out


@pytest.mark.parametrize("option", ["--version", "--help", "-h"])
def test_version_and_help_answer_at_once(chainrule, option):
    outcome = chainrule(option)
    assert outcome.code == 0
    assert ("chainrule 0" in outcome.out) == (option == "--version")


def test_without_a_command_the_help_is_shown(chainrule):
    outcome = chainrule()
    assert outcome.code == 0
    for command in COMMANDS:
        assert command in outcome.out


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(chainrule, command):
    outcome = chainrule(command, "--help")
    assert outcome.code == 0
    out = " ".join(outcome.out.split())
    assert re.search(rf"Examples?: chainrule {command}\b", out)


def test_info_speaks_json(chainrule, model):
    facts = json.loads(chainrule("info", model, "--json").out)
    assert facts["target"] == "diagnosis"
    assert facts["file"] == str(model)


def test_info_shows_what_strange_details_it_can(chainrule, model, tmp_path):
    loaded = cr.load(model)
    strange = {"command": 3, "rows": [1], "scores": {"test": "good"}, "versions": None}
    cr.TableModel(loaded.network, loaded.encoder, loaded.target, strange).save(tmp_path / "m")
    outcome = chainrule("info", tmp_path / "m")
    assert outcome.code == 0
    assert "trained by" not in outcome.out
