"""Messages as JSON texts."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import chainrule as cr
from chainrule.playground.server.wire import decoded, encoded

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=8,
)


def request_or_refusal(text):
    """Return the request that a text is, or the sentence with which it is refused."""
    try:
        return decoded(text)
    except cr.InvalidArgumentError as error:
        return str(error)


@given(PLAIN)
def test_whatever_json_comes_is_a_request_or_refused_with_a_sentence(value):
    found = request_or_refusal(json.dumps(value))
    if isinstance(found, str):
        assert found.startswith("message: expected")
    else:
        assert isinstance(value, dict)
        assert isinstance(found.type, str)
        assert found.id is None or found.id >= 0


@given(st.text(max_size=30))
def test_whatever_text_comes_is_a_request_or_refused_with_a_sentence(text):
    found = request_or_refusal(text)
    assert not isinstance(found, str) or found.startswith("message: expected")


def test_a_request_is_its_type_number_and_fields():
    request = decoded('{"type":"set","id":7,"learning_rate":0.1}')
    assert (request.type, request.id) == ("set", 7)
    assert request.fields["learning_rate"] == 0.1


def finite(value):
    if isinstance(value, dict):
        return {name: finite(each) for name, each in value.items()}
    if isinstance(value, list):
        return [finite(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


@given(st.dictionaries(st.text(max_size=3), PLAIN))
def test_a_message_arrives_as_it_was_sent_and_numbers_that_are_not_finite_as_null(message):
    assert json.loads(encoded(message)) == finite(message)


def test_arrays_and_numbers_of_numpy_arrive_as_lists_and_numbers():
    message = {"a": np.arange(3, dtype=np.float32), "b": np.int32(4), "c": np.array([np.nan, 1.0])}
    assert json.loads(encoded(message)) == {"a": [0.0, 1.0, 2.0], "b": 4, "c": [None, 1.0]}


def test_what_is_no_value_of_a_message_is_a_mistake_of_its_author():
    with pytest.raises(TypeError, match="object is no value of a message"):
        encoded({"a": object()})
