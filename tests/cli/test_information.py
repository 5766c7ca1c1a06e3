import types

import numpy as np
import pytest

import chainrule as cr
from chainrule.engines import extension


def test_info_shows_the_versions_and_the_engines(chainrule):
    out = chainrule("info").out
    for text in (cr.__version__, np.__version__, "reference", "(auto: ", "compiled core"):
        assert text in out


def test_info_shows_what_the_compiled_core_finds(chainrule, monkeypatch):
    core = types.SimpleNamespace(
        cpu_info=lambda: {"instruction_sets": ["sse2", "avx2"], "cores": 8},
        instruction_set=lambda: "avx2",
    )
    monkeypatch.setattr(extension, "native", core)
    assert "sse2, avx2; 8 cores" in chainrule("info").out


def test_info_says_why_there_is_no_compiled_core(chainrule, monkeypatch):
    monkeypatch.setattr(extension, "native", None)
    monkeypatch.setattr(extension, "reason", "it was forgotten")
    out = " ".join(chainrule("info").out.split())
    assert "works on the reference engine, since it was forgotten" in out


def test_info_shows_what_is_in_a_model_file(chainrule, model):
    out = " ".join(chainrule("info", model).out.split())
    for text in (
        "classification",
        "target diagnosis",
        "classes B, M",
        "30 columns mean_radius, mean_texture",
        "30, Dense(24, 'relu'), Dense(24, 'relu'), Dense(2, 'softmax')",
        "1,394 of float32",
        "epochs trained 20",
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
    for command in ("train", "predict", "evaluate", "explain", "check", "info"):
        assert command in outcome.out


@pytest.mark.parametrize("command", ["train", "predict", "evaluate", "explain", "check", "info"])
def test_every_command_has_help_with_an_example(chainrule, command):
    outcome = chainrule(command, "--help")
    assert outcome.code == 0
    assert f"Example: chainrule {command} " in " ".join(outcome.out.split())
