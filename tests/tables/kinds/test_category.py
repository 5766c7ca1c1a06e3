import warnings

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.preprocessing import OneHotEncoder

from chainrule.tables.encoder import TableEncoder
from chainrule.tables.kinds import CategoryColumn


def column(categories=("a", "b"), other=True, missing=True, as_codes=False):
    return CategoryColumn("c", tuple(categories), other, missing, as_codes)


def encoded(kind, values):
    series = values if isinstance(values, pl.Series) else pl.Series(kind.name, values)
    out = np.full((len(series), kind.width), 7, np.float32)
    kind.encode(series, out)
    return out.astype(int).tolist()


def test_each_category_has_an_input_and_so_have_the_others_and_missing_values():
    inputs = encoded(column(), ["b", "z", None, "a"])
    assert inputs == [[0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1], [1, 0, 0, 0]]
    assert column().feature_names() == ("c=a", "c=b", "c=(other)", "c=(missing)")


@pytest.mark.parametrize(
    ("kind", "inputs"),
    [
        (column(other=False), [[0, 1, 0], [0, 0, 0], [0, 0, 1]]),
        (column(missing=False), [[0, 1, 0], [0, 0, 1], [0, 0, 0]]),
        (column(other=False, missing=False), [[0, 1], [0, 0], [0, 0]]),
        (column(categories=()), [[1, 0], [1, 0], [0, 1]]),
    ],
)
def test_what_training_rows_did_not_have_is_a_row_of_zeros(kind, inputs):
    assert encoded(kind, ["b", "z", None]) == inputs


def test_codes_count_from_0_for_the_unknown():
    assert encoded(column(as_codes=True), ["b", "z", None, "a"]) == [[2], [0], [3], [1]]
    without = column(as_codes=True, missing=False)
    assert encoded(without, ["b", "z", None, "a"]) == [[2], [0], [0], [1]]
    assert column(as_codes=True).embedding.codes == 4
    assert without.embedding.codes == 3
    assert column().embedding is None
    assert column(as_codes=True).feature_names() == ("c",)


@pytest.mark.parametrize(("categories", "dimension"), [(2, 3), (100, 21), (100_000, 50)])
def test_an_embedding_grows_slowly_with_its_categories(categories, dimension):
    kind = column(map(str, range(categories)), missing=False, as_codes=True)
    assert kind.embedding.dimension == dimension


@pytest.mark.parametrize("count", [200, 253, 254, 255, 256, 300, 65_533, 65_534, 65_535, 70_000])
def test_no_number_of_categories_is_too_many_for_the_codes(count):
    kind = column([f"{place:05}" for place in range(count)], as_codes=True)
    values = ["00000", f"{count - 1:05}", None, "unknown"]
    assert encoded(kind, values) == [[1], [count], [count + 1], [0]]


@pytest.mark.parametrize(
    "values",
    [
        [1, 20, None],
        [1.0, 20.0, float("nan")],
        ["1", "20", ""],
        pl.Series("c", ["1", "20", None], dtype=pl.Categorical),
        pl.Series("c", [1, 20, None], dtype=pl.Int8),
    ],
)
def test_categories_go_by_their_text_whatever_the_type(values):
    assert encoded(column(categories=("1", "20")), values) == [
        [1, 0, 0, 0],
        [0, 1, 0, 0],
        [0, 0, 0, 1],
    ]


def test_a_column_without_values_is_missing():
    assert encoded(column(), pl.Series("c", [None])) == [[0, 0, 0, 1]]


def test_inputs_are_written_into_a_part_of_a_matrix_alone():
    matrix = np.full((3, 9), 7, np.float32)
    column().encode(pl.Series("c", ["b", "a", None]), matrix[:, 3:7])
    assert (matrix[:, [0, 1, 2, 7, 8]] == 7).all()
    assert matrix[:, 3:7].tolist() == [[0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 1]]
    transposed = np.zeros((4, 3), np.float32).T
    column().encode(pl.Series("c", ["b", "a", None]), transposed)
    assert np.array_equal(transposed, matrix[:, 3:7])


WORDS = st.lists(st.sampled_from("abcdefgh"), min_size=3, max_size=60)


@given(training=WORDS, later=WORDS, least=st.integers(1, 5))
def test_rare_and_unknown_categories_are_those_of_scikit_learn(training, later, least):
    counts = {word: training.count(word) for word in training}
    if len(counts) < 2 or max(counts.values()) < least:
        return  # left out here
    encoder = TableEncoder(min_frequency=least, categorical=["c"])
    ours = encoder.fit(pl.DataFrame({"c": training})).transform(pl.DataFrame({"c": later}))
    oracle = OneHotEncoder(
        min_frequency=least, handle_unknown="infrequent_if_exist", sparse_output=False
    ).fit(np.array(training).reshape(-1, 1))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # unknown categories
        theirs = oracle.transform(np.array(later).reshape(-1, 1))
    assert np.array_equal(ours, theirs)


@given(words=WORDS, most=st.integers(1, 6))
def test_the_most_frequent_categories_have_inputs_of_their_own(words, most):
    counts = {word: words.count(word) for word in words}
    if len(counts) < 2:
        return
    encoder = TableEncoder(max_categories=most, min_frequency=1, categorical=["c"])
    (kind,) = encoder.fit(pl.DataFrame({"c": words})).columns_
    ranked = sorted(counts, key=lambda word: (-counts[word], word))[:most]
    assert kind.categories == tuple(sorted(ranked))
    assert kind.other == (len(counts) > most)
