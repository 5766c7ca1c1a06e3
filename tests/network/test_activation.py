"""Activations as text: parsing, the one spelling, errors."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule.errors import InvalidArgumentError
from chainrule.network.activation import bound_equations, canonical_activation, parse_activation
from tests.strategies_networks import ACTIVATION_NAMES, activation_texts


@pytest.mark.parametrize("name", ACTIVATION_NAMES)
def test_every_activation_is_known_by_its_name(name):
    assert parse_activation(name)[0] == name
    assert canonical_activation(name) == name


def test_parameters_left_out_take_their_defaults():
    assert parse_activation("leaky_relu") == ("leaky_relu", {"slope": 0.01})
    assert parse_activation("elu") == ("elu", {"alpha": 1.0})
    assert parse_activation("elu()") == ("elu", {"alpha": 1.0})
    assert parse_activation("tanh") == ("tanh", {})


@pytest.mark.parametrize(
    "text", ["leaky_relu(slope=0.2)", " leaky_relu ( slope = 0.2 ) ", "leaky_relu(slope=2e-1)"]
)
def test_spaces_and_notation_of_numbers_do_not_matter(text):
    assert parse_activation(text) == ("leaky_relu", {"slope": 0.2})
    assert canonical_activation(text) == "leaky_relu(slope=0.2)"


def test_a_parameter_at_its_default_is_left_out_of_the_one_spelling():
    assert canonical_activation("leaky_relu(slope=0.01)") == "leaky_relu"
    assert canonical_activation("elu(alpha=1)") == "elu"


@given(text=activation_texts())
def test_the_one_spelling_means_the_same_and_stays(text):
    once = canonical_activation(text)
    assert parse_activation(once) == parse_activation(text)
    assert canonical_activation(once) == once


@pytest.mark.parametrize(
    "text", ["", "rrelu", "ReLU", "leaky_relu(", "leaky_relu(slope=0.2", "relu relu", "relu)", "("]
)
def test_what_is_no_activation_is_refused_with_the_names_that_exist(text):
    with pytest.raises(InvalidArgumentError, match=r"^activation: expected one of identity, .*got"):
        parse_activation(text)


@pytest.mark.parametrize("value", [None, 3, b"relu", ["relu"], math.tanh])
def test_an_activation_that_is_no_text_is_refused(value):
    with pytest.raises(InvalidArgumentError, match=r"^activation: expected one of"):
        parse_activation(value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("relu(slope=0.2)", r"^activation: relu takes no parameters; got 'slope=0\.2'$"),
        ("tanh(2)", r"^activation: tanh takes no parameters; got '2'$"),
        ("leaky_relu(alpha=1)", r"^activation: leaky_relu takes slope=<number>; got 'alpha=1'$"),
        ("leaky_relu(0.2)", r"^activation: leaky_relu takes slope=<number>; got '0\.2'$"),
        ("elu(alpha=big)", r"^activation: elu's alpha must be a finite number; got 'big'$"),
        ("elu(alpha=)", r"^activation: elu's alpha must be a finite number; got ''$"),
        ("elu(alpha)", r"^activation: elu's alpha must be a finite number; got ''$"),
        ("elu(alpha=nan)", r"^activation: elu's alpha must be a finite number; got 'nan'$"),
        ("elu(alpha=inf)", r"^activation: elu's alpha must be a finite number; got 'inf'$"),
        ("elu(alpha=-1e999)", r"^activation: elu's alpha must be a finite number"),
        ("elu(alpha=1, alpha=2)", r"^activation: elu.*alpha.*twice"),
    ],
)
def test_a_wrong_parameter_is_refused_by_name(text, message):
    with pytest.raises(InvalidArgumentError, match=message):
        parse_activation(text)


@given(text=st.text(max_size=30))
def test_any_text_is_an_activation_or_an_error_of_ours(text):
    try:
        name, _ = parse_activation(text)
    except InvalidArgumentError:
        return
    assert name in ACTIVATION_NAMES


def test_the_equations_get_the_parameters_of_the_text():
    sigma, derivative = bound_equations("leaky_relu(slope=0.25)")
    np.testing.assert_array_equal(sigma(np.array([-4.0, 4.0])), [-1.0, 4.0])
    np.testing.assert_array_equal(derivative(np.array([-4.0, 4.0])), [0.25, 1.0])


def test_softmax_has_no_derivative_but_a_jacobian():
    assert bound_equations("softmax")[1] is None
