import math
import tomllib
from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule.errors import InvalidArgumentError
from chainrule.runs.config import RunConfig
from chainrule.runs.options import SECTIONS, settings_of

# Whatever TOML can hold: no lone surrogates.
TEXT = st.text(st.characters(blacklist_categories=("Cs",)))


@given(
    table=TEXT,
    target=TEXT,
    ignore=st.lists(TEXT).map(tuple),
    l2=st.floats(0, 1e300),
    rate=st.floats(1e-300, 1e300),
    layers=st.lists(st.integers(1, 10**6)).map(tuple),
    seed=st.integers(0, 2**32 - 1),
    flag=st.booleans(),
)
def test_what_is_written_is_read_back(table, target, ignore, l2, rate, layers, seed, flag):
    values = {"table": table, "target": target, "ignore": ignore, "l2": l2, "layers": layers}
    values |= {"learning_rate": rate, "seed": seed, "batch_norm": flag, "skip_bad_rows": flag}
    config = RunConfig.of(values)
    assert RunConfig.from_toml(config.to_toml()) == config


def test_every_setting_has_help_and_one_home():
    names = [one.name for section in SECTIONS for one in settings_of(section)]
    assert len(names) == len(set(names))
    for section in SECTIONS:
        for one in settings_of(section):
            about = one.metadata["about"]
            assert len(about() if callable(about) else about) > 10
            assert one.metadata["kind"] in (
                *("text", "whole", "number", "flag", "texts", "wholes", "numbers", "names"),
            )


def test_sections_hold_what_belongs_to_them():
    document = tomllib.loads(RunConfig.of({"target": "y", "l1": 1, "scaling": "none"}).to_toml())
    assert document["data"]["target"] == "y"
    assert document["training"]["l1"] == 1
    assert document["encoding"] == {"scaling": "none"}


def test_no_hidden_layer_is_told_from_nothing_said():
    assert "layers = []" in RunConfig.of({"layers": ()}).to_toml()
    assert RunConfig.from_toml("[training]\nlayers = []").training.layers == ()
    assert RunConfig.from_toml("").training.layers is None


def test_one_number_stands_for_a_list_of_one():
    assert RunConfig.from_toml("[training]\ndropout = 0.5").training.dropout == (0.5,)
    assert RunConfig.from_toml('[data]\nignore = "a"').data.ignore == ("a",)


def test_activations_are_one_name_or_a_list_with_one_for_each_hidden_layer():
    several = RunConfig.from_toml('[training]\nactivation = ["tanh", "elu(alpha=2)"]\n')
    assert several.training.activation == ("tanh", "elu(alpha=2)")
    assert RunConfig.from_toml(several.to_toml()) == several
    assert 'activation = ["tanh", "elu(alpha=2)"]' in several.to_toml()
    one = RunConfig.from_toml('[training]\nactivation = "relu"\n')
    assert one.training.activation == "relu"
    with pytest.raises(InvalidArgumentError, match=r"activation: expected one of .*; got 'rely'"):
        RunConfig.from_toml('[training]\nactivation = ["tanh", "rely"]\n')
    with pytest.raises(InvalidArgumentError, match="activation: expected a name or a list"):
        RunConfig.from_toml("[training]\nactivation = []\n")


def test_a_name_that_is_no_unicode_cannot_be_written():
    config = RunConfig.of({"table": "caf\udce9.csv", "target": "y"})
    with pytest.raises(InvalidArgumentError, match=r"table: .* is not Unicode text"):
        config.to_toml()


@pytest.mark.parametrize("name", ["l2", "learning_rate", "tolerance", "max_grad_norm"])
@pytest.mark.parametrize("value", [math.inf, -1.0])
def test_numbers_without_sense_are_refused(name, value):
    with pytest.raises(InvalidArgumentError, match=f"{name}: expected"):
        RunConfig.of({name: value})


def test_an_update_checks_what_it_gets():
    with pytest.raises(
        InvalidArgumentError, match="there is no setting 'epoch'; did you mean 'epochs'"
    ):
        RunConfig().updated({"epoch": 3})
    config = RunConfig().updated({"epochs": 3}).updated({"seed": 4})
    assert (config.training.epochs, config.training.seed) == (3, 4)


def test_every_training_setting_can_be_set_and_read_back():
    values = {
        "text": {
            "preset": "fast", "activation": "relu", "loss": "huber", "optimizer": "adamw",
            "schedule": "cosine", "class_weight": "balanced", "init": "he_normal",
            "quality": "best", "time_limit": "90s",
            "dtype": "float64", "precision": "mixed", "engine": "reference", "calibrate": "on",
        },
        "whole": 7, "number": 0.5, "flag": True, "wholes": (3,), "numbers": (0.25,),
        "names": "tanh",
    }  # fmt: skip
    given = {}
    for one in fields(SECTIONS["training"]):
        value = values[one.metadata["kind"]]
        given[one.name] = value[one.name] if isinstance(value, dict) else value
    config = RunConfig.of(given)
    assert RunConfig.from_toml(config.to_toml()) == config


@pytest.mark.parametrize("digits", [400, 5000])
@pytest.mark.parametrize("name", ["l2", "epochs", "layers", "dropout"])
def test_whole_numbers_beyond_all_sense_are_refused(name, digits):
    with pytest.raises(InvalidArgumentError, match=r"^run\.toml: "):
        RunConfig.from_toml(f"[training]\n{name} = {'9' * digits}")


def test_a_file_of_a_run_before_the_bins_means_the_network_that_it_had():
    # Runs write all of these, and since there are bins, those too.
    written = "layers = [4]\nepochs = 9\nbatch_size = 32\ninit = 'default'\nshuffle = true\n"
    old = RunConfig.from_toml(f"[training]\n{written}").training
    assert (old.bins, old.scale_layer, old.width_scaling, old.ema_decay) == (0, False, False, 0.0)
    new = RunConfig.from_toml(f"[training]\n{written}bins = 8\n").training
    assert (new.bins, new.scale_layer, new.ema_decay) == (8, None, None)
    by_hand = RunConfig.from_toml("[training]\nlayers = [4]\n").training
    assert (by_hand.bins, by_hand.ema_decay) == (None, None)
