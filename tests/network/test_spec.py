"""The specification of a network: what fits together, and how it is written down."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule.errors import InvalidArgumentError
from chainrule.network.layers import Dense
from chainrule.network.spec import NetworkSpec
from tests.strategies_networks import FUSED_PAIRS, OUTPUT_PAIRS, specs


def spec(**changes):
    fields = {"n_features": 3, "layers": (Dense(2, "softmax"),), "cost": "cross_entropy"}
    return NetworkSpec(**{**fields, **changes})


@given(original=specs())
def test_json_and_back_is_the_identity(original):
    again = NetworkSpec.from_json(original.to_json())
    assert again == original
    assert hash(again) == hash(original)
    assert again.to_json() == original.to_json()


@given(one=specs(), other=specs())
def test_specs_are_equal_exactly_when_their_json_is(one, other):
    assert (one == other) == (one.to_json() == other.to_json())


def test_json_holds_every_field_in_plain_sight():
    written = json.loads(spec(layers=(Dense(4, "elu(alpha=2)"), Dense(2, "softmax"))).to_json())
    assert written == {
        "n_features": 3,
        "layers": [
            {"kind": "dense", "units": 4, "activation": "elu(alpha=2.0)", "init": None},
            {"kind": "dense", "units": 2, "activation": "softmax", "init": None},
        ],
        "cost": "cross_entropy",
        "init": "auto",
        "dtype": "float32",
        "fused": True,
    }


def test_a_spec_is_frozen():
    with pytest.raises(AttributeError):
        spec().cost = "mse"


def test_sizes_go_from_the_features_to_the_outputs():
    network = spec(layers=(Dense(7), Dense(5), Dense(2, "softmax")))
    assert network.sizes == (3, 7, 5, 2)
    assert network.n_outputs == 2
    assert network.output_activation == "softmax"


def test_layers_in_a_list_make_the_same_spec_as_in_a_tuple():
    assert hash(spec(layers=[Dense(2, "softmax")])) == hash(spec())
    assert spec(layers=[Dense(2, "softmax")]) == spec()


@pytest.mark.parametrize("pair", OUTPUT_PAIRS, ids=" and ".join)
def test_every_output_activation_fits_its_costs(pair):
    activation, cost = pair
    assert spec(layers=(Dense(2, activation),), cost=cost).cost == cost


@pytest.mark.parametrize("pair", OUTPUT_PAIRS, ids=" and ".join)
def test_fused_equations_are_used_where_there_are_some_and_only_if_asked(pair):
    activation, cost = pair
    network = spec(layers=(Dense(2, activation),), cost=cost)
    assert (network.fused_pair is not None) == (pair in FUSED_PAIRS)
    assert spec(layers=network.layers, cost=cost, fused=False).fused_pair is None


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"n_features": 0}, r"^layers: the number of features must be at least 1; got 0$"),
        ({"n_features": -2}, r"^layers: the number of features must be at least 1; got -2$"),
        ({"n_features": 2.0}, r"^layers: the first entry is the number of features.*got 2\.0$"),
        ({"n_features": True}, r"^layers: the first entry is the number of features.*got True$"),
        ({"n_features": "3"}, r"^layers: the first entry is the number of features.*got '3'$"),
        ({"layers": ()}, r"^layers: expected at least one layer.*Dense\(2, 'softmax'\).*got none$"),
        ({"layers": (2,)}, r"^layers: expected layers such as Dense\(24, 'relu'\); got 2$"),
        ({"layers": (Dense,)}, r"^layers: expected layers such as Dense\(24, 'relu'\); got <class"),
        ({"layers": ("relu",)}, r"^layers: expected layers such as .*got 'relu'$"),
        ({"layers": 3}, r"^layers: expected .*got 3$"),
        ({"cost": "log"}, r"^cost: expected one of mse, binary_cross_entropy, .*got 'log'$"),
        ({"cost": None}, r"^cost: expected one of mse, .*got None$"),
        ({"cost": ["mse"]}, r"^cost: expected one of mse, .*got \['mse'\]$"),
        (
            {"layers": (Dense(2, "relu"),)},
            r"^cost: cross_entropy needs outputs between 0 and 1.*sigmoid or softmax; got 'relu'$",
        ),
        (
            {"layers": (Dense(2, "identity"),), "cost": "binary_cross_entropy"},
            r"^cost: binary_cross_entropy needs outputs between 0 and 1.*got 'identity'$",
        ),
        (
            {"layers": (Dense(1, "softmax"),)},
            r"^cost: cross_entropy needs at least two outputs.*Dense\(1, 'sigmoid'\)",
        ),
        (
            {"layers": (Dense(1, "sigmoid"),)},
            r"^cost: cross_entropy needs at least two outputs.*binary_cross_entropy$",
        ),
        (
            {"init": "he"},
            r"^init: expected auto, zeros, .*nielsen; got 'he'; did you mean 'he_normal'\?$",
        ),
        ({"init": None}, r"^init: expected auto, .*got None$"),
        ({"init": ["auto"]}, r"^init: expected auto, .*got \['auto'\]$"),
        ({"dtype": "float16"}, r"^dtype: expected float32 or float64; got 'float16'"),
        ({"dtype": None}, r"^dtype: expected float32 or float64; got None$"),
        ({"fused": "no"}, r"^fused: expected True or False; got 'no'$"),
        ({"fused": None}, r"^fused: expected True or False; got None$"),
    ],
)
def test_what_does_not_fit_together_is_refused_by_name(changes, message):
    with pytest.raises(InvalidArgumentError, match=message):
        spec(**changes)


def test_features_counted_by_numpy_are_a_whole_number():
    assert spec(n_features=np.int64(3)) == spec()


VALID = json.loads(spec().to_json())


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "3",
        "[]",
        "{}",
        '"spec"',
        "{",
        "[" * 100_000,
        '{"layers": ' * 50_000,
        "\x00",
        json.dumps({**VALID, "layers": None}),
        json.dumps({**VALID, "layers": {}}),
        json.dumps({**VALID, "layers": []}),
        json.dumps({**VALID, "layers": "dense"}),
        json.dumps({**VALID, "layers": [None]}),
        json.dumps({**VALID, "layers": [[]]}),
        json.dumps({**VALID, "layers": [{}]}),
        json.dumps({**VALID, "layers": [{"kind": "dense"}]}),
        json.dumps({**VALID, "layers": [{"kind": "conv", "units": 2}]}),
        json.dumps({**VALID, "layers": [{"kind": ["dense"], "units": 2}]}),
        json.dumps({**VALID, "layers": [{"kind": "__class__", "units": 2}]}),
        json.dumps({**VALID, "layers": [{"kind": "dense", "units": "2"}]}),
        json.dumps({**VALID, "layers": [{"kind": "dense", "units": 2, "exec": "1"}]}),
        json.dumps({**VALID, "layers": [{"kind": "dense", "units": 2, "activation": 1}]}),
        json.dumps({**VALID, "layers": [{"kind": "dense", "units": 2, "init": ["x"]}]}),
        json.dumps({**VALID, "n_features": math.nan}),
        json.dumps({**VALID, "n_features": 1e300}),
        json.dumps({**VALID, "n_features": None}),
        json.dumps({**VALID, "cost": {}}),
        json.dumps({**VALID, "cost": ["mse"]}),
        json.dumps({**VALID, "dtype": ["float32"]}),
        json.dumps({**VALID, "dtype": "object"}),
        json.dumps({**VALID, "fused": "yes"}),
        json.dumps({**VALID, "self": 1}),
        json.dumps({**VALID, "cls": 1}),
        json.dumps({**VALID, "unknown": 1}),
        json.dumps(VALID).replace('"n_features": 3', '"n_features": ' + "9" * 5000),
        *(json.dumps({k: v for k, v in VALID.items() if k != key}) for key in ("layers", "cost")),
    ],
    ids=lambda text: repr(text[:60]),
)
def test_text_that_is_no_spec_is_refused(text):
    with pytest.raises(InvalidArgumentError, match=r"^spec: not a network specification \("):
        NetworkSpec.from_json(text)


@given(
    value=st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
        max_leaves=6,
    ),
    key=st.sampled_from(sorted(VALID)),
)
def test_any_value_in_any_field_makes_a_spec_or_an_error_of_ours(value, key):
    try:
        built = NetworkSpec.from_json(json.dumps({**VALID, key: value}))
    except InvalidArgumentError:
        return
    assert NetworkSpec.from_json(built.to_json()) == built
