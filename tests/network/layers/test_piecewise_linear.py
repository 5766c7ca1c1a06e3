"""The declaration of a piecewise-linear embedding, its quantiles, and what others learn from it."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import chainrule as cr
from chainrule.errors import InvalidArgumentError
from chainrule.network.layers import LAYER_KINDS, Dense, PiecewiseLinearEmbedding
from chainrule.network.layers.piecewise_linear import quantile_edges
from chainrule.network.spec import NetworkSpec

BINS = PiecewiseLinearEmbedding([(2, [-1.0, 0.0, 2.0]), (0, (0.5, 1.0))])
RANDOM = np.random.default_rng(0)


@pytest.mark.parametrize(
    ("columns", "named"),
    [
        (3, "columns: expected a list"),
        ("ab", "columns: expected a list"),
        ([], "columns: expected a list .* got an empty one"),
        ([(0,)], "columns: expected a list"),
        ([(0, [1.0])], "columns: edges: expected at least two numbers in increasing order"),
        ([(0, [1.0, 1.0])], "columns: edges: expected at least two numbers in increasing order"),
        ([(0, [2.0, 1.0])], "columns: edges: expected at least two numbers in increasing order"),
        ([(0, [0.0, math.nan])], "columns: edges: expected a finite number; got nan"),
        ([(0, [0.0, 1e-40])], "columns: edges: expected at least two numbers .* 1e-30 above"),
        ([(0, [-1e38, 1.0])], "columns: edges: expected a finite number"),
        ([(0, "01")], "columns: edges: expected at least two numbers"),
        ([(-1, [0.0, 1.0])], "columns: column: expected a whole number"),
        ([(0, [0.0, 1.0]), (0, [1.0, 2.0])], "columns: expected each column once; got 0 2 times"),
    ],
)
def test_columns_that_are_none_are_refused(columns, named):
    with pytest.raises(InvalidArgumentError, match=named):
        PiecewiseLinearEmbedding(columns)


def test_a_column_outside_the_layer_below_is_refused():
    with pytest.raises(InvalidArgumentError, match="units of the layer below, from 0 to 1; got 2"):
        cr.Network([2, BINS, cr.Dense(1, "identity")], "mse")


def test_it_is_written_and_read_again():
    assert eval(repr(BINS)) == BINS
    assert LAYER_KINDS["piecewise_linear_embedding"] is PiecewiseLinearEmbedding
    spec = NetworkSpec(3, (BINS, Dense(2)), "mse")
    assert NetworkSpec.from_json(spec.to_json()) == spec
    assert hash(NetworkSpec.from_json(spec.to_json())) == hash(spec)


def test_edges_are_quantiles_and_bins_hold_equally_many_examples():
    X = RANDOM.standard_normal((1000, 2))
    layer = PiecewiseLinearEmbedding.of(X, bins=5)
    for column, edges in layer.columns:
        counts, _ = np.histogram(X[:, column], edges)
        assert np.abs(counts - 200).max() <= 1  # an edge is an example


def test_columns_with_too_few_different_values_have_no_bins():
    X = np.column_stack([np.repeat([0.0, 1.0], 50), np.arange(100.0), np.zeros(100)])
    assert [column for column, _ in PiecewiseLinearEmbedding.of(X, 4).columns] == [1]
    with pytest.raises(InvalidArgumentError, match="got an empty one"):
        PiecewiseLinearEmbedding.of(X, 4, columns=[0, 2])


def test_a_value_that_comes_often_is_one_edge_and_leaves_the_other_edges_to_the_other_values():
    # Nine of ten values are 0: nine quantiles of ten, but a single edge.
    values = np.concatenate([np.zeros(1080), np.repeat(np.arange(1.0, 11.0), 12)])
    assert quantile_edges(values, 4) == (0.0, 1.0, 4.0, 7.0, 10.0)
    # Two frequent values, one of them within the others.
    values = np.concatenate([np.repeat([0.0, 5.0], 450), np.repeat([1.0, 2.0, 8.0, 9.0], 20)])
    assert quantile_edges(values, 4) == (0.0, 1.0, 2.0, 5.0, 9.0)
    # Other values that are too few for bins have none.
    assert quantile_edges(np.concatenate([np.zeros(900), np.arange(1.0, 40.0)]), 8) == (0.0, 39.0)
    values = np.concatenate([np.zeros(900), np.arange(1.0, 81.0)])
    assert quantile_edges(values, 8) == (0.0, 1.0, 40.0, 80.0)
    # Every value of a column with few different ones.
    assert quantile_edges(np.repeat(np.arange(5.0), 20), 8) == (0.0, 1.0, 2.0, 3.0, 4.0)
    assert quantile_edges(np.repeat([3.0], 20), 8) == (3.0,)


@given(
    st.lists(st.sampled_from([0.0, 0.0, 0.0, 1.0, 2.5, -4.0, 7.0, 8.0, 100.0]), min_size=1),
    st.integers(2, 12),
    st.data(),
)
def test_edges_are_values_with_the_extremes_among_them_and_a_weight_is_as_many_rows(
    values, bins, data
):
    counts = data.draw(st.lists(st.integers(0, 60), min_size=len(values), max_size=len(values)))
    if not sum(counts):
        return
    values = np.array(values)
    repeated = np.repeat(values, counts)
    edges = quantile_edges(values, bins, np.array(counts, float))
    assert edges == quantile_edges(repeated, bins)
    assert set(edges) <= set(repeated)
    assert (edges[0], edges[-1]) == (repeated.min(), repeated.max())
    assert 1 <= len(edges) <= bins + 1
    assert (np.diff(edges) > 0).all()


def test_edges_that_float32_could_not_tell_apart_are_one():
    values = np.concatenate([np.full(50, 1e6), 1e6 + 1e-3 * np.arange(50), [0.0]])
    assert quantile_edges(values, 10) == (0.0, 1e6)


@pytest.mark.parametrize("scale", [1e-45, 1e-300, 1e33, 1e39, 1e308])
def test_values_that_float32_lacks_give_no_bins_that_divide_by_nothing(scale):
    for edges in (quantile_edges(RANDOM.uniform(-1, 1, 200) * scale, 4), (0.0, 1.0)):
        if len(edges) > 2:
            PiecewiseLinearEmbedding([(0, edges)])
        assert np.isfinite(np.diff(np.float32(edges))).all()
        assert (np.diff(np.float32(edges)) > 0).all()


def test_a_table_that_is_none_is_refused():
    for X in ([1.0, 2.0], [[math.nan]], np.empty((0, 2))):
        with pytest.raises(InvalidArgumentError, match=r"^X: expected a table of finite numbers"):
            PiecewiseLinearEmbedding.of(X)


def test_a_dense_layer_above_it_learns_any_function_that_is_linear_between_the_edges():
    x = np.linspace(-1.0, 1.0, 201)[:, None]
    layer = PiecewiseLinearEmbedding([(0, [-1.0, -0.5, 0.25, 1.0])])
    net = cr.Network([1, layer, cr.Dense(1, "identity")], "mse", dtype="float64")
    # Values −2, 1, 0, 4 at the edges: slope 0 of x itself, and the differences.
    (W,), (b,) = net.weights, net.biases
    W[...], b[...] = [[0.0, 3.0, -1.0, 4.0]], -2.0
    expected = np.interp(x[:, 0], [-1.0, -0.5, 0.25, 1.0], [-2.0, 1.0, 0.0, 4.0])
    np.testing.assert_allclose(net.predict(x)[:, 0], expected, atol=1e-13)


def test_names_and_sources_of_its_units_tell_the_columns():
    assert BINS.input_names(["a", "b", "c"]) == ["a", "b", "c", "c bin 1", "c bin 2", "a bin 1"]
    assert BINS.input_sources(3).tolist() == [0, 1, 2, 2, 2, 0]
    assert BINS.output_units(3) == 6


def test_gradients_are_those_of_central_differences():
    layers = [3, cr.Dense(4, "tanh"), BINS, cr.Dense(5, "gelu"), cr.Dense(2, "softmax")]
    net = cr.Network(layers, "cross_entropy", seed=0, dtype="float64")
    X, y = RANDOM.standard_normal((20, 3)), RANDOM.integers(0, 2, 20)
    assert net.check_gradients(X, y)
