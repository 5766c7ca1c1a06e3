"""Activations as text: parsing, the one spelling, errors."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule.errors import InvalidArgumentError
from chainrule.network.activation import activation_of
from tests.strategies_networks import ACTIVATION_NAMES, activation_texts


def named(text):
    """Return the name and the parameters in a text."""
    sigma = activation_of(text)
    return sigma.name, sigma.parameters


@pytest.mark.parametrize("name", ACTIVATION_NAMES)
def test_every_activation_is_known_by_its_name(name):
    assert activation_of(name).name == name
    assert str(activation_of(name)) == name


def test_parameters_left_out_take_their_defaults():
    assert named("leaky_relu") == ("leaky_relu", {"slope": 0.01})
    assert named("elu") == ("elu", {"alpha": 1.0})
    assert named("elu()") == ("elu", {"alpha": 1.0})
    assert named("tanh") == ("tanh", {})


@pytest.mark.parametrize(
    "text", ["leaky_relu(slope=0.2)", " leaky_relu ( slope = 0.2 ) ", "leaky_relu(slope=2e-1)"]
)
def test_spaces_and_notation_of_numbers_do_not_matter(text):
    assert named(text) == ("leaky_relu", {"slope": 0.2})
    assert str(activation_of(text)) == "leaky_relu(slope=0.2)"


def test_a_parameter_at_its_default_is_left_out_of_the_one_spelling():
    assert str(activation_of("leaky_relu(slope=0.01)")) == "leaky_relu"
    assert str(activation_of("elu(alpha=1)")) == "elu"


@given(text=activation_texts())
def test_the_one_spelling_means_the_same_and_stays(text):
    once = str(activation_of(text))
    assert activation_of(once) == activation_of(text)
    assert str(activation_of(once)) == once


@pytest.mark.parametrize(
    "text", ["", "rrelu", "ReLU", "leaky_relu(", "leaky_relu(slope=0.2", "relu relu", "relu)", "("]
)
def test_what_is_no_activation_is_refused_with_the_names_that_exist(text):
    with pytest.raises(InvalidArgumentError, match=r"^activation: expected one of identity, .*got"):
        activation_of(text)


@pytest.mark.parametrize("value", [None, 3, b"relu", ["relu"], math.tanh])
def test_an_activation_that_is_no_text_is_refused(value):
    with pytest.raises(InvalidArgumentError, match=r"^activation: expected one of"):
        activation_of(value)


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
        activation_of(text)


@given(text=st.text(max_size=30))
def test_any_text_is_an_activation_or_an_error_of_ours(text):
    try:
        sigma = activation_of(text)
    except InvalidArgumentError:
        return
    assert sigma.name in ACTIVATION_NAMES


def test_the_equations_get_the_parameters_of_the_text():
    sigma = activation_of("leaky_relu(slope=0.25)")
    np.testing.assert_array_equal(sigma.function(np.array([-4.0, 4.0])), [-1.0, 4.0])
    np.testing.assert_array_equal(sigma.derivative(np.array([-4.0, 4.0])), [0.25, 1.0])


def test_softmax_has_no_derivative_but_a_jacobian():
    assert activation_of("softmax").derivative is None
    assert activation_of("softmax").of_layer
