"""The declaration of a periodic embedding, and what others learn from it."""

import math

import numpy as np
import polars as pl
import pytest

import chainrule as cr
from chainrule.errors import InvalidArgumentError
from chainrule.model.background import Background
from chainrule.model.table_model import TableModel
from chainrule.network.layers import LAYER_KINDS, CategoryEmbedding, Dense, PeriodicEmbedding
from chainrule.network.parameters import initial_parameters, views
from chainrule.network.spec import NetworkSpec
from chainrule.tables.encoder import TableEncoder
from chainrule.tables.target import TargetEncoder

X = np.random.default_rng(0).standard_normal((9, 3))
LAYER = PeriodicEmbedding([2, 0], frequencies=3, size=3)


def network(*layers, n=3):
    layers = layers or (LAYER,)
    return cr.Network([n, *layers, cr.Dense(2, "identity")], cost="mse", seed=0, dtype="float64")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"columns": []}, r"^columns: expected a list of indices .* got an empty one: leave"),
        ({"columns": 3}, r"^columns: expected a list of indices .* got 3$"),
        ({"columns": "abc"}, r"^columns: expected a list of indices .* got 'abc'$"),
        ({"columns": [-1]}, r"^columns: index: expected a whole number of at least 0; got -1$"),
        ({"columns": [True]}, r"^columns: index: expected a whole number .* got True$"),
        ({"columns": [0.5]}, r"^columns: index: expected a whole number .* got 0\.5$"),
        ({"columns": [1, 2, 1]}, r"^columns: expected each index once; got 1 2 times$"),
        ({"frequencies": 0}, r"^frequencies: expected a whole number of at least 1; got 0$"),
        ({"frequencies": 4097}, r"^frequencies: expected a whole number of at most 4096"),
        ({"size": 1}, r"^size: expected a whole number of at least 2; got 1$"),
        ({"size": 2.5}, r"^size: expected a whole number .* got 2\.5$"),
        ({"scale": 0}, r"^scale: expected a finite number > 0; got 0$"),
        ({"scale": math.nan}, r"^scale: expected a finite number > 0; got nan$"),
        ({"learning_rate_factor": -1}, r"^learning_rate_factor: expected a finite number > 0"),
    ],
)
def test_arguments_that_describe_no_layer_are_refused(given, message):
    with pytest.raises(InvalidArgumentError, match=message):
        PeriodicEmbedding(**given)


@pytest.mark.parametrize("below", [(), (Dense(3),), (CategoryEmbedding([(1, 4, 1)]),)])
def test_a_unit_that_the_layer_below_has_not_is_refused_wherever_the_layer_is(below):
    with pytest.raises(
        InvalidArgumentError, match=r"^columns: expected indices from 0 to 2, since .* got 3 in"
    ):
        network(*below, PeriodicEmbedding([0, 3]))


def test_more_units_than_a_layer_can_have_are_refused():
    with pytest.raises(InvalidArgumentError, match=r"^size: expected at most 2147483647 units"):
        network(PeriodicEmbedding(size=4096), n=2**20)


def test_it_is_written_and_read_again():
    layer = PeriodicEmbedding((np.int64(2), 0), np.int32(3), 5, np.float32(0.5), 2)
    assert layer.columns == (0, 2)
    for one in (layer, PeriodicEmbedding()):
        assert eval(repr(one)) == one
        assert hash(eval(repr(one))) == hash(one)
        spec = NetworkSpec(3, (one, Dense(2)), "mse")
        assert NetworkSpec.from_json(spec.to_json()) == spec
    assert LAYER_KINDS["periodic_embedding"] is PeriodicEmbedding


def test_its_units_are_those_below_and_then_the_values_of_each_embedded_one():
    assert LAYER.output_units(3) == 7
    assert LAYER.input_sources(3).tolist() == [0, 1, 2, 0, 0, 2, 2]
    assert LAYER.input_names(["a", "b", "c"]) == [
        *("a", "b", "c"),
        *("a periodic 1", "a periodic 2", "c periodic 1", "c periodic 2"),
    ]
    everything = PeriodicEmbedding(size=2)
    assert everything.output_units(3) == 6
    assert everything.input_sources(3).tolist() == [0, 1, 2, 0, 1, 2]


def test_its_parameters_are_all_penalised_and_have_its_factor_of_the_learning_rate():
    blocks = PeriodicEmbedding([1], 4, 3, learning_rate_factor=0.1).blocks(3, "zeros")
    assert [(block.name, block.shape) for block in blocks] == [
        ("w", (1, 4)),
        ("c", (1, 4)),
        ("V", (1, 8)),
        ("d", (1, 2)),
    ]
    assert all(block.penalised and block.learning_rate_factor == 0.1 for block in blocks)


def test_it_starts_as_its_source_says():
    layer = PeriodicEmbedding(frequencies=16, size=4, scale=0.3)
    spec = NetworkSpec(500, (layer, Dense(1)), "mse", dtype="float64")
    w, c, V, d = views(spec, initial_parameters(spec, 0))[0]
    # A standard deviation of n draws errs by about 1/√(2n), below 1 % here.
    assert w.std() == pytest.approx(0.3, rel=0.03)
    assert np.abs(w).max() > 3 * 0.3
    for array, limit in ((c, math.pi), (V, 0.25), (d, 0.25)):
        assert 0.99 * limit < np.abs(array).max() <= limit
        assert array.std() == pytest.approx(limit / math.sqrt(3), rel=0.05)


def test_its_outputs_are_those_of_a_worked_example():
    layer = PeriodicEmbedding([1], frequencies=2, size=2)
    net = cr.Network([2, layer, cr.Dense(3, "identity")], cost="mse", dtype="float64", seed=0)
    # w, c, V, d; then W the identity and b 0.
    own = [1.0, 0.5, 0.0, math.pi / 2, 3.0, 5.0, 10.0]
    net.parameters[:] = [*own, *np.eye(3).ravel(), 0, 0, 0]
    # cos 2πx and cos(πx + π/2), at x of 0, 1/4 and 1/2: 1, 0, −1, and 0, −√½, −1.
    expected = [[7, 0.0, 13], [8, 0.25, 10 - 5 * math.sqrt(0.5)], [9, 0.5, 2]]
    found = net.predict(np.array([[7, 0.0], [8, 0.25], [9, 0.5]]))
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-14)


@pytest.mark.parametrize(
    "layers",
    [
        (LAYER,),
        (PeriodicEmbedding(size=2), cr.Dense(4, "tanh"), LAYER, cr.Dense(3, "softmax"), LAYER),
        (CategoryEmbedding([(1, 4, 2)]), PeriodicEmbedding([0, 3]), cr.Dense(4, "tanh")),
        (cr.Scale(), PeriodicEmbedding([1])),
    ],
)  # fmt: skip
def test_its_gradients_equal_differences_wherever_it_is(layers):
    codes = X.copy()
    codes[:, 1] = np.arange(9) % 4
    check = network(*layers).check_gradients(codes, np.ones((9, 2)))
    assert check
    names = [block.name.split("[")[0] for block in check.blocks]
    assert set(names) >= {"w", "c", "V", "d"}


def test_a_trace_shows_its_equations():
    terms = {term.name: term for term in network().trace(X, np.ones((9, 2))).terms}
    assert terms["ψ[1]"].equation == "PE1"
    assert terms["ψ[1]"].value.shape == (6, 9)
    assert terms["A[1]"].equation == "PE2"
    equations = [terms[f"∂J/∂{name}[1]"].equation for name in ("w", "c", "V", "d")]
    assert equations == ["PE5", "PE6", "PE7", "PE8"]


def test_penalties_in_a_trace_count_all_that_they_apply_to():
    net = network()
    penalised = net.parameters.copy()
    penalised[-2:] = 0  # b
    terms = {term.name: term for term in net.trace(X, np.ones((9, 2)), l2=0.5).terms}
    assert terms["P"].value == pytest.approx(0.25 * (penalised**2).sum(), rel=1e-12)
    assert terms["P"].formula.startswith("the sum over all w[1], c[1], V[1], d[1], W[2] of P1")


def test_a_drawing_names_its_units_behind_an_embedding_of_categories():
    spec = network(CategoryEmbedding([(1, 4, 2)]), PeriodicEmbedding([0, 3], size=2)).spec
    assert spec.unit_names(["a", "b", "c"]) == [
        *("a", "c", "b 1", "b 2"),
        *("a periodic 1", "b 2 periodic 1"),
    ]


def table_model(layers, **settings):
    random = np.random.default_rng(0)
    table = pl.DataFrame(
        {
            "size": random.standard_normal(60),
            "kind": random.choice(["a", "b", "c", "d"], 60),
            "much": random.standard_normal(60),
        }
    )
    y = pl.Series("y", np.sin(3 * table["size"].to_numpy()) + (table["kind"] == "a").to_numpy())
    encoder = TableEncoder(**settings).fit(table)
    target = TargetEncoder.fit(y, "regression")
    net = cr.Network([encoder.n_inputs, *layers, cr.Dense(1, "identity")], "mse", seed=0)
    rows = encoder.transform(table)
    net.fit(rows, target.encode(y), epochs=5)
    return TableModel(net, encoder, target, background=Background.of_rows(net, rows)), table


@pytest.mark.parametrize("behind_lookup", [False, True])
@pytest.mark.parametrize("method", ["shapley", "expected_gradients"])
def test_explanations_are_shares_of_the_columns_that_add_up(method, behind_lookup, tmp_path):
    periodic = PeriodicEmbedding([0, 1], frequencies=4, scale=1.0)
    layers, settings = [periodic, cr.Dense(6, "tanh")], {}
    if behind_lookup:
        layers, settings = [CategoryEmbedding([(1, 5, 2)]), *layers], {"embed_above": 2}
    model, table = table_model(layers, **settings)
    explained = model.explain(table, rows=[1, 2], method=method)
    for row in explained.rows:
        assert {effect.column for effect in row.effects} == {"size", "kind", "much"}
        total = sum(effect.effect for effect in row.effects)
        assert row.baseline + total == pytest.approx(row.value, abs=1e-3)
    model.save(tmp_path / "model.safetensors")
    again = cr.load(tmp_path / "model.safetensors")
    np.testing.assert_array_equal(again.predict(table), model.predict(table))


def test_a_short_description_leaves_out_the_indices():
    assert PeriodicEmbedding([4, 1]).brief == "PeriodicEmbedding(16 frequencies of 2 units)"
    assert PeriodicEmbedding(frequencies=3).brief == "PeriodicEmbedding(3 frequencies of all units)"
