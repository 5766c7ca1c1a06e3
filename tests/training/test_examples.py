"""Inputs as users hand them in."""

import numpy as np
import pytest

from chainrule.engines.base import Examples
from chainrule.errors import InvalidArgumentError
from chainrule.network.layers import Dense
from chainrule.network.spec import NetworkSpec
from chainrule.training.examples import as_examples, as_features, as_weights

SPEC = NetworkSpec(3, (Dense(2, "softmax"),), "cross_entropy")
ONE_FEATURE = NetworkSpec(1, (Dense(2, "softmax"),), "cross_entropy")
X = np.arange(12, dtype=np.float32).reshape(4, 3)


class HasAnArray:
    """Something that only knows how to become an array, as data frames do."""

    def __array__(self, dtype=None, copy=None):
        return X.astype(np.float64)


@pytest.fixture
def mapped(tmp_path):
    path = tmp_path / "X.bin"
    X.tofile(path)
    return np.memmap(path, np.float32, "r", shape=(4, 3))


def read_only(array):
    array = array.copy()
    array.flags.writeable = False
    return array


def test_an_array_of_the_right_kind_is_taken_as_it_is():
    assert as_features(SPEC, X) is X


def test_a_read_only_array_is_taken_without_a_copy():
    array = read_only(X)
    assert np.shares_memory(as_features(SPEC, array), array)


def test_a_memory_mapped_array_is_taken_without_a_copy(mapped):
    assert np.shares_memory(as_features(SPEC, mapped), mapped)


def test_targets_and_weights_of_the_right_kind_are_taken_without_a_copy():
    Y, weights = np.full((4, 2), 0.5, np.float32), np.ones(4, np.float32)
    examples = as_examples(SPEC, X, Y, weights)
    for taken, given in zip(examples, (X, Y, weights), strict=True):
        assert np.shares_memory(taken, given)


@pytest.mark.parametrize(
    "array",
    [
        X.tolist(),
        tuple(map(tuple, X.tolist())),
        list(X),
        X.astype(np.int64),
        X.astype(np.uint8),
        X.astype(np.float16),
        X.astype(np.float64),
        X.astype(np.longdouble),
        X.astype(">f4"),
        X.astype(">i8"),
        X.astype(object),
        np.asfortranarray(X),
        np.repeat(X, 2, axis=1)[:, ::2],
        np.flip(np.flip(X, 0).copy(), 0),
        X[None, :, :][0],
        np.ma.MaskedArray(X),
        HasAnArray(),
    ],
    ids=lambda array: f"{type(array).__name__} {getattr(array, 'dtype', '')}",
)
def test_the_same_numbers_in_another_form_are_the_same_inputs(array):
    features = as_features(SPEC, array)
    assert features.dtype == np.float32
    assert features.dtype.isnative
    assert features.flags.c_contiguous
    assert type(features) is np.ndarray
    np.testing.assert_array_equal(features, X)


def test_truth_values_are_zeros_and_ones():
    np.testing.assert_array_equal(as_features(SPEC, X > 5), (X > 5).astype(np.float32))


def test_what_was_handed_in_is_not_changed():
    given = np.asfortranarray(X.astype(np.float64))
    before = given.copy()
    as_features(SPEC, given)[...] = 0
    np.testing.assert_array_equal(given, before)


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (X[0], r"^X: expected shape \(examples, 3\).*got \(3,\); for one example use X\.reshape"),
        (X[:, 0], r"^X: expected shape \(examples, 3\), one example per row; got \(4,\)$"),
        (X[:, :2], r"^X: expected shape \(examples, 3\), one example per row; got \(4, 2\)$"),
        (X.T, r"^X: expected shape \(examples, 3\), one example per row; got \(3, 4\)$"),
        (X[None], r"^X: .*got \(1, 4, 3\)$"),
        (5.0, r"^X: .*got \(\)$"),
        ([], r"^X: .*got \(0,\)$"),
        (X[:0], r"^X: expected at least one example \(row\); got none$"),
        ([[1, 2, 3], [4, 5]], r"^X: cannot be read as an array \("),
        (None, r"^X: "),
        ("text", r"^X: expected numbers; got an array of <U4 \(encode text"),
        ([["1", "2", "3"]], r"^X: expected numbers; got an array of <U1 \(encode text"),
        ([[b"1", b"2", b"3"]], r"^X: expected numbers; got an array of \|S1"),
        (np.array([["a", 2, 3]], object), r"^X: expected numbers; got an array of object"),
        (np.array([["1", "2", "3"]], object), r"^X: expected numbers; got an array of object"),
        (np.array([[{}, 2, 3]], object), r"^X: expected numbers; got an array of object"),
        ([[10**400, 1, 2]], r"^X: "),
        (X + 1j, r"^X: expected numbers; got an array of complex"),
        (X.astype("M8[s]"), r"^X: expected numbers; got an array of datetime64"),
        (np.zeros(4, "f4,f4,f4"), r"^X: expected numbers; got an array of"),
        ({"a": [1, 2, 3]}, r"^X: expected numbers; got an array of object"),
    ],
)
def test_inputs_that_cannot_be_used_are_refused_with_what_would(array, message):
    with pytest.raises(InvalidArgumentError, match=message):
        as_features(SPEC, array)


def test_a_single_column_of_one_feature_gets_the_right_advice():
    message = r"got \(4,\); for one feature use X\.reshape\(-1, 1\)$"
    with pytest.raises(InvalidArgumentError, match=message):
        as_features(ONE_FEATURE, X[:, 0])


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_number_that_is_not_finite_is_named_with_its_row_and_column(value):
    array = X.astype(np.float64)
    array[2, 1] = array[3, 0] = value
    message = rf"^X: .*finite.*float32; got {value} at row 2, column 1 \(2 such values in all\)"
    with pytest.raises(InvalidArgumentError, match=message):
        as_features(SPEC, array)


def test_a_missing_value_among_objects_is_named_with_its_place():
    array = X.astype(object)
    array[1, 2] = None
    with pytest.raises(InvalidArgumentError, match=r"got nan at row 1, column 2"):
        as_features(SPEC, array)


def test_infinities_that_cancel_in_the_sum_are_found():
    array = X.copy()
    array[0, 0], array[1, 1] = np.inf, -np.inf
    with pytest.raises(InvalidArgumentError, match=r"got inf at row 0, column 0 \(2 such"):
        as_features(SPEC, array)


def test_a_number_too_large_for_float32_is_refused_and_not_made_infinite():
    array = X.astype(np.float64)
    array[3, 2] = 1e39
    with pytest.raises(InvalidArgumentError, match=r"in the range of float32; got inf at row 3"):
        as_features(SPEC, array)


def test_large_finite_numbers_whose_sum_overflows_are_fine():
    array = np.full((4, 3), 3e38, np.float32)
    assert as_features(SPEC, array) is array


def test_the_argument_s_own_name_is_in_the_message():
    with pytest.raises(InvalidArgumentError, match=r"^validation_data\[0\]: expected shape"):
        as_features(SPEC, X.T, "validation_data[0]")


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([1, 1, 1], r"^sample_weight: expected shape \(4,\); got \(3,\)$"),
        (np.ones((4, 1)), r"^sample_weight: expected shape \(4,\); got \(4, 1\)$"),
        (2.0, r"^sample_weight: expected shape \(4,\); got \(\)$"),
        (
            [1, 2, -1, 0],
            r"^sample_weight: expected weights ≥ 0.*values from -1\.0 to 2\.0, the least at row 2$",
        ),
        ([0, 0, 0, 0], r"^sample_weight: .*at least one of them > 0; got values from 0\.0 to 0"),
        ([1, np.nan, 1, 1], r"^sample_weight: expected finite numbers.*got nan at row 1 \("),
        ([1, np.inf, 1, 1], r"^sample_weight: expected finite numbers.*got inf at row 1 \("),
        (["a"] * 4, r"^sample_weight: expected numbers; got an array of <U1"),
    ],
)
def test_weights_that_cannot_be_used_are_refused(weights, message):
    with pytest.raises(InvalidArgumentError, match=message):
        as_weights(weights, 4, "float32")


def test_weights_may_be_whole_numbers_and_truth_values():
    np.testing.assert_array_equal(as_weights([2, 0, 1, 1], 4, "float32"), [2, 0, 1, 1])
    np.testing.assert_array_equal(as_weights([True, False], 2, "float32"), [1, 0])


def test_no_weights_stay_none():
    assert as_examples(SPEC, X, [0, 1, 1, 0]).weights is None


def test_examples_of_another_precision_hold_the_same_numbers():
    examples = Examples(X, X[:, :1], None).astype("float64")
    assert examples.X.dtype == examples.Y.dtype == np.float64
    np.testing.assert_array_equal(examples.X, X)
    assert examples.weights is None
