import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule.errors import ChainruleError, InvalidArgumentError
from chainrule.playground.data.tables import OwnTables
from chainrule.playground.session.catalog import catalog
from chainrule.playground.session.state import TOY_SETTINGS, wanted

NONE = OwnTables()


def test_what_is_left_out_is_filled_in():
    state = wanted({}, NONE).state
    assert state["data"] == {"kind": "toy", "name": "circle", "noise": 0, "rows": 500, "seed": 0}
    assert state["inputs"] == ["x1", "x2"]
    assert state["settings"] == TOY_SETTINGS


def test_inputs_decide_which_columns_are_ignored():
    chosen = wanted({"inputs": ["sin_x1", "x1"]}, NONE)
    assert chosen.state["inputs"] == ["x1", "sin_x1"]  # in the order of the table
    prepared = chosen.prepared()
    assert prepared.parts.features == ("x1", "sin_x1")
    everything = wanted({"inputs": None}, NONE)
    assert len(everything.prepared().parts.features) == 7
    assert len(everything.state["inputs"]) == 7


def test_a_sample_has_all_its_columns_unless_some_are_chosen():
    assert wanted({"data": {"kind": "sample", "name": "iris"}}, NONE).state["inputs"] is None
    some = {"data": {"kind": "sample", "name": "iris"}, "inputs": ["petal width (cm)"]}
    assert wanted(some, NONE).prepared().parts.features == ("petal width (cm)",)


@pytest.mark.parametrize(
    ("given", "three"),
    [([0.5, 0.5], [0.5, 0.48, 0.02]), ([0.9, 0.1], [0.9, 0.08, 0.02]),
     ([0.98, 0.02], [0.98, 0.01, 0.01]), ([0.6, 0.3, 0.1], [0.6, 0.3, 0.1])],
)  # fmt: skip
def test_two_shares_leave_a_little_aside(given, three):
    chosen = wanted({"settings": {"split": given}}, NONE)
    assert chosen.state["settings"]["split"] == pytest.approx(three)
    parts = chosen.prepared().parts
    assert parts.train.height == pytest.approx(500 * three[0], abs=2)


def test_a_page_s_settings_are_those_of_run_toml():
    settings = {
        "layers": [5], "activation": "gelu", "learning_rate": 1, "l1": 0, "dropout": 0.1,
        "max_categories": 7, "early_stopping": True, "momentum": None,
    }  # fmt: skip
    config = wanted({"settings": settings}, NONE).config
    assert config.training.layers == (5,)
    assert config.training.learning_rate == 1.0
    assert config.training.dropout == (0.1,)
    assert config.encoding.max_categories == 7
    assert config.training.early_stopping is True
    assert config.training.momentum == 0.0  # None leaves it to the default
    assert config.training.calibrate == "off"


@pytest.mark.parametrize("data", [{"kind": "toy", "name": name} for name in ("xor", "plane")])
def test_the_normalised_state_is_json_and_normal(data):
    state = wanted({"data": data}, NONE).state
    assert wanted(json.loads(json.dumps(state)), NONE).state == state


@pytest.mark.parametrize(
    ("state", "message"),
    [
        (None, "state: expected an object"),
        ([], "state: expected an object"),
        ({"date": {}}, "state: expected the entries data, inputs, settings; got 'date'; did you"),
        ({"data": {"kind": "file"}}, "data: expected the kind toy, sample or table"),
        ({"data": {"kind": "toy", "name": "sprial"}}, "did you mean 'spiral'"),
        ({"data": {"kind": "toy", "name": "xor", "nose": 1}}, "got 'nose'"),
        ({"data": {"kind": "toy", "name": "xor", "noise": "5"}}, "noise: expected a number"),
        ({"data": {"kind": "toy", "name": "xor", "rows": 10**9}}, "rows: expected"),
        ({"data": {"kind": "sample"}}, "data: expected one of iris"),
        ({"data": {"kind": "table", "table": "x"}}, "does not have this table"),
        ({"inputs": "x1"}, "inputs: expected a list of columns"),
        ({"inputs": []}, "inputs: expected at least one column"),
        ({"inputs": ["x3"]}, "inputs: expected columns of the table; got 'x3'"),
        ({"inputs": ["class"]}, "inputs: expected columns of the table; got 'class'"),
        ({"settings": []}, "settings: expected an object"),
        ({"settings": {"layer": [3]}}, "there is no setting 'layer'; did you mean 'layers'"),
        ({"settings": {"layers": [3, 0]}}, "^layers: expected a whole number"),
        ({"settings": {"layers": "many"}}, "^layers: expected a list of whole numbers"),
        ({"settings": {"layers": [3000, 3000]}}, "^layers: expected at most 32 layers and"),
        ({"settings": {"layers": [2] * 33}}, "^layers: expected at most 32 layers and"),
        ({"settings": {"activation": ["relu"] * 3}}, "^activation: expected a name, or a list"),
        ({"settings": {"activation": "rleu"}}, "^activation: expected one of"),
        ({"settings": {"dropout": [0.1, 0.1, 0.1]}}, "^dropout: expected a number in"),
        ({"settings": {"target": "x1"}}, "^target: is not a setting here: it is part of the data"),
        ({"settings": {"table": "/etc/passwd"}}, "^table: is not a setting here"),
        ({"settings": {"test": "/etc/passwd"}}, "^test: is not a setting here"),
        ({"settings": {"calibrate": "on"}}, "^calibrate: is not a setting here: the playground"),
        ({"settings": {"split": [0.5, 0.6]}}, "^split: expected two shares"),
        ({"settings": {"split": [0.5, 0.6, 0.1]}}, "^split: expected shares that add up to 1"),
        ({"settings": {"loss": "huber"}}, "^loss: expected log_loss, focal"),
        ({"settings": {"learning_rate": 0}}, "^learning_rate: expected a finite number > 0"),
    ],
)
def test_a_state_without_sense_is_refused_by_its_entry(state, message):
    with pytest.raises(InvalidArgumentError, match=message):
        wanted(state, NONE)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)  # fmt: skip


@given(data=JSON, inputs=JSON, name=st.sampled_from([one["name"] for one in catalog()["settings"]]),
       value=JSON)  # fmt: skip
def test_no_state_makes_anything_but_an_error_in_words(data, inputs, name, value):
    for state in (
        {"data": data, "inputs": inputs},
        {"data": {"kind": "toy", "name": "xor", "noise": data}},
        {"settings": {name: value}},
        data,
    ):
        with suppress(ChainruleError):
            wanted(state, NONE)


def test_the_catalog_names_what_a_state_may_have():
    found = catalog()
    json.dumps(found, allow_nan=False)
    for toy in found["toys"]:
        wanted({"data": {"kind": "toy", "name": toy["name"]}}, NONE)
        assert len(toy["points"]) == 100
        assert all(-1 <= value <= 1 for point in toy["points"] for value in point)
    for sample in found["samples"]:
        assert all(-1 <= value <= 1 for point in sample["points"] for value in point[:2])
    for one in found["settings"]:
        if one["default"] is not None and one["name"] not in ("task", "ignore"):
            wanted({"settings": {one["name"]: one["default"]}}, NONE)
        if one["choices"]:
            assert one["default"] is None or one["default"] in one["choices"]
