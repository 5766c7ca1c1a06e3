"""The declaration of category embeddings."""

import numpy as np
import pytest

from chainrule.errors import InvalidArgumentError
from chainrule.network.layers import LAYER_KINDS, CategoryEmbedding, Dense, Dropout, Layer
from chainrule.network.parameters import initial_parameters, views
from chainrule.network.spec import NetworkSpec

LAYER = CategoryEmbedding([(3, 10, 4), (0, 2, 1)])


def network(*layers, n=5):
    return NetworkSpec(n, (*layers, Dense(2, "softmax")), "cross_entropy", dtype="float64")


def test_category_embedding_is_a_layer_of_its_kind():
    assert isinstance(LAYER, Layer)
    assert LAYER_KINDS["category_embedding"] is CategoryEmbedding


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ([], r"^columns: expected a list of \(column, codes, dimension\).*got an empty one"),
        (3, r"^columns: expected a list .* got 3$"),
        ("abc", r"^columns: expected a list .* got 'abc'$"),
        (["abc"], r"got 'abc' in it$"),
        ([(1, 2)], r"got \(1, 2\) in it$"),
        ([3], r"got 3 in it$"),
        ([(-1, 2, 2)], r"^columns: column: expected a whole number of at least 0; got -1$"),
        ([(1, 0, 2)], r"^columns: codes: expected a whole number of at least 1; got 0$"),
        ([(1, 2, 0)], r"^columns: dimension: expected a whole number of at least 1; got 0$"),
        ([(1, 2.5, 1)], r"^columns: codes: expected a whole number .* got 2\.5$"),
        ([(True, 2, 1)], r"^columns: column: expected a whole number .* got True$"),
        ([(1, 2**24 + 1, 1)], r"^columns: codes: expected at most 16777216, .* got 16777217"),
        ([(1, 2, 2**16 + 1)], r"^columns: dimension: expected .* of at most 65536; got 65537"),
        ([(1, 2, 1), (2, 2, 1), (1, 3, 1)], r"^columns: expected each column once; got 1 2 times"),
    ],
)
def test_what_is_no_list_of_columns_is_refused(columns, message):
    with pytest.raises(InvalidArgumentError, match=message):
        CategoryEmbedding(columns)


def test_its_representation_makes_the_layer_again():
    assert repr(LAYER) == "CategoryEmbedding([(3, 10, 4), (0, 2, 1)])"
    assert eval(repr(LAYER)) == LAYER
    assert hash(eval(repr(LAYER))) == hash(LAYER)


def test_numbers_of_numpy_and_any_sequence_will_do():
    given = ([np.int64(3), np.int32(10), 4], (0, 2, 1))
    assert CategoryEmbedding(given) == LAYER
    assert all(
        type(number) is int for column in CategoryEmbedding(given).columns for number in column
    )


def test_its_units_are_the_inputs_that_pass_and_then_what_is_looked_up():
    assert LAYER.output_units(5) == 8
    assert LAYER.passed(5) == [1, 2, 4]
    names = ["a", "b", "c", "d", "e"]
    assert LAYER.input_names(names) == ["b", "c", "e", "d 1", "d 2", "d 3", "d 4", "a 1"]


def test_its_parameters_are_a_table_for_each_column_in_a_group_of_their_own():
    blocks = LAYER.blocks(5, "zeros")
    assert [(block.name, block.shape, block.group) for block in blocks] == [
        ("E₃", (10, 4), "embeddings"),
        ("E₀", (2, 1), "embeddings"),
    ]
    assert len(LAYER.gradient_equations) == 2


def test_rows_start_with_a_mean_squared_length_of_one():
    spec = network(CategoryEmbedding([(0, 4000, 16), (1, 4000, 3)]))
    for E, dimension in zip(views(spec, initial_parameters(spec, 0))[0], (16, 3), strict=True):
        lengths = (E**2).sum(axis=1)
        # χ² of d degrees over d has the variance 2/d; five standard deviations of a mean of 4000.
        assert abs(lengths.mean() - 1) < 5 * np.sqrt(2 / dimension / 4000)


def test_a_specification_with_embeddings_is_written_and_read_again():
    spec = network(LAYER, Dropout(0.1), Dense(3))
    assert spec.sizes == (5, 8, 8, 3, 2)
    assert NetworkSpec.from_json(spec.to_json()) == spec


@pytest.mark.parametrize("below", [Dense(5), Dropout(0.1), CategoryEmbedding([(4, 2, 2)])])
def test_embeddings_above_another_layer_are_refused(below):
    with pytest.raises(
        InvalidArgumentError, match=r"^layers: a CategoryEmbedding .* must be the first layer; got"
    ):
        network(below, LAYER)


def test_a_column_that_the_inputs_have_not_is_refused():
    with pytest.raises(
        InvalidArgumentError, match=r"^columns: expected columns of X from 0 to 2, .* got 3 in"
    ):
        network(LAYER, n=3)


def test_a_network_may_have_codes_alone():
    spec = network(CategoryEmbedding([(0, 3, 2), (1, 4, 3)]), n=2)
    assert spec.sizes == (2, 5, 2)
    E = views(spec, np.arange(18.0 + 12))[0]
    A = spec.layers[0].forward(E, np.array([[2.0, 0.0], [3.0, 1.0]])).A
    np.testing.assert_array_equal(A, [[4, 0], [5, 1], [15, 9], [16, 10], [17, 11]])
