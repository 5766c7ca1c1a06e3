"""Targets as users hand them in: one-hot, class indices, values."""

import numpy as np
import pytest

from chainrule.engines.base import Examples
from chainrule.errors import InvalidArgumentError
from chainrule.network.layers import Dense
from chainrule.network.spec import NetworkSpec
from chainrule.training.examples import as_targets


def network(units, activation, cost):
    return NetworkSpec(2, (Dense(units, activation),), cost)


SOFTMAX = network(3, "softmax", "cross_entropy")
SIGMOIDS = network(3, "sigmoid", "binary_cross_entropy")
SIGMOID = network(1, "sigmoid", "binary_cross_entropy")
VALUE = network(1, "identity", "mse")
VALUES = network(3, "identity", "mse")

INDICES = [2, 0, 1, 2]
ONE_HOT = np.array([[0, 0, 1], [1, 0, 0], [0, 1, 0], [0, 0, 1]], np.float32)


def rows_of(spec, targets):
    """Return targets as an engine's equations read them."""
    inputs = np.zeros((len(targets), spec.n_features), spec.dtype)
    return Examples(inputs, targets).targets(spec.n_outputs)


@pytest.mark.parametrize("spec", [SOFTMAX, SIGMOIDS, network(3, "softmax", "mse")])
@pytest.mark.parametrize(
    "Y",
    [
        INDICES,
        np.array(INDICES, np.uint8),
        np.array(INDICES, np.float64),
        np.array(INDICES, object),
        np.array(INDICES)[:, None],
        ONE_HOT,
        ONE_HOT.tolist(),
        ONE_HOT.astype(bool),
        np.asfortranarray(ONE_HOT),
    ],
    ids=["list", "uint8", "float64", "objects", "column", "one-hot", "lists", "bools", "fortran"],
)
def test_classes_as_indices_or_one_hot_are_the_same_targets(spec, Y):
    targets = as_targets(spec, Y, 4)
    assert targets.dtype == (np.int32 if targets.ndim == 1 else np.float32)
    assert targets.flags.c_contiguous
    np.testing.assert_array_equal(rows_of(spec, targets), ONE_HOT)


@pytest.mark.parametrize("spec", [SIGMOID, VALUE])
@pytest.mark.parametrize("Y", [[0, 1, 1, 0], [[0], [1], [1], [0]], [False, True, True, False]])
def test_a_single_output_takes_a_column_or_a_plain_list(spec, Y):
    np.testing.assert_array_equal(as_targets(spec, Y, 4), [[0], [1], [1], [0]])


def test_soft_targets_are_values_and_stay_so():
    Y = np.array([[0.2, 0.3, 0.5], [0.0, 2.0, 1.0]], np.float32)
    assert as_targets(SOFTMAX, Y, 2) is Y


def test_as_many_classes_as_examples_are_still_classes():
    np.testing.assert_array_equal(rows_of(SOFTMAX, as_targets(SOFTMAX, [0, 1, 2], 3)), np.eye(3))


def test_a_single_example_may_be_a_single_class():
    np.testing.assert_array_equal(rows_of(SOFTMAX, as_targets(SOFTMAX, [1], 1)), [[0, 1, 0]])


@pytest.mark.parametrize(
    ("spec", "Y", "message"),
    [
        (SOFTMAX, INDICES[:3], r"^Y: expected one target for each of the 4 examples.*\(3,\)$"),
        (SOFTMAX, 1, r"^Y: expected one target for each of the 4 examples; got shape \(\)$"),
        (SOFTMAX, [], r"^Y: expected one target for each of the 4 examples; got shape \(0,\)$"),
        (
            SOFTMAX,
            np.zeros((4, 2)),
            r"^Y: expected \(4, 3\) values or \(4,\) class indices from 0 to 2; got \(4, 2\)$",
        ),
        (VALUES, [0.1] * 4, r"^Y: expected \(4, 3\) values; got \(4,\)$"),
        (VALUES, np.zeros((4, 1)), r"^Y: expected \(4, 3\) values; got \(4, 1\)$"),
        (VALUE, np.zeros((4, 2)), r"^Y: expected \(4, 1\) values or \(4,\) values; got \(4, 2\)$"),
        (VALUE, np.zeros((4, 1, 1)), r"^Y: .*got \(4, 1, 1\)$"),
        (SOFTMAX, [0, 1, 3, 1], r"^Y: class indices.*from 0 to 2.*3 outputs\).*3.* at row 2$"),
        (SOFTMAX, [0, -1, 2, 1], r"^Y: class indices must be whole.*-1.* at row 1$"),
        (SOFTMAX, [0, 0.5, 2, 1], r"^Y: class indices must be whole.*0\.5.* at row 1$"),
        (SOFTMAX, [0, np.nan, 2, 1], r"^Y: expected finite numbers.*nan at row 1 \("),
        (SOFTMAX, ["a", "b", "c", "a"], r"^Y: expected numbers; got an array of <U1 \(encode"),
        (SOFTMAX, np.array(list("abca"), object), r"^Y: expected numbers; got an array of object"),
        (SOFTMAX, [[0, 1], [2]], r"^Y: cannot be read as an array \("),
        (SOFTMAX, ONE_HOT - 0.5, r"^Y: the cost cross_entropy expects targets ≥ 0 .*from -0\.5"),
        (SIGMOIDS, ONE_HOT * 2, r"^Y: .*binary_cross_entropy expects targets in \[0, 1\].*to 2\.0"),
        (SIGMOIDS, ONE_HOT - 1, r"^Y: .*binary_cross_entropy expects targets in \[0, 1\].*-1\.0"),
        (SIGMOID, [1, 2, 1, 2], r"^Y: .*binary_cross_entropy expects targets in \[0, 1\]; got"),
        (VALUE, [1, np.inf, 2, 3], r"^Y: expected finite numbers.*inf at row 1, column 0"),
    ],
)
def test_targets_that_cannot_fit_are_refused_with_what_would(spec, Y, message):
    with pytest.raises(InvalidArgumentError, match=message):
        as_targets(spec, Y, 4)


def test_a_wrong_class_is_shown_as_the_number_that_it_is():
    with pytest.raises(InvalidArgumentError, match=r"; got 7 at row 1$"):
        as_targets(SOFTMAX, np.array([0, 7, 1]), 3)


def test_values_may_be_any_for_the_squared_error():
    np.testing.assert_array_equal(as_targets(VALUE, [-5, 7], 2), [[-5], [7]])
