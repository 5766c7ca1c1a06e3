"""Requests of a hostile or mistaken page: refused with a short reason, never by a crash."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chainrule.errors import InvalidArgumentError
from tests.playground.inspection.moments import ask, training

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
VALUES = SCALARS | st.lists(SCALARS, max_size=3) | st.dictionaries(st.text(max_size=5), SCALARS)
SUBJECTS = st.fixed_dictionaries(
    {"kind": st.sampled_from(["unit", "weight", "bias", "layer"]), "layer": VALUES},
    optional={"unit": VALUES, "row": VALUES, "column": VALUES},
)


@pytest.fixture(scope="module")
def snapshot():
    return training()[0]


def answered(kind, snapshot, message):
    """Return whether a request was answered; it must be JSON, or refused in a sentence."""
    reason = ""
    try:
        json.dumps(ask(kind, snapshot, message), allow_nan=False)
    except InvalidArgumentError as error:
        reason = str(error)
    assert len(reason) < 500
    return not reason


@settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
@given(subject=VALUES | SUBJECTS)
def test_any_subject_is_answered_or_refused(snapshot, subject):
    answered("inspect", snapshot, {"subject": subject})


@settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
@given(name=VALUES, layer=VALUES, row=VALUES, column=VALUES)
def test_any_parameter_is_answered_or_refused(snapshot, name, layer, row, column):
    message = {"name": name, "layer": layer, "row": row, "column": column}
    answered("gradient_check", snapshot, message)


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(directions=VALUES, seed=VALUES, size=VALUES, span=VALUES)
def test_any_slice_is_answered_or_refused(snapshot, directions, seed, size, span):
    message = {"directions": directions, "seed": seed, "size": size, "span": span}
    answered("surface", snapshot, message)


@pytest.mark.parametrize("example", ["1", 1.5, True, [1], {}])
def test_an_example_that_is_no_number_is_refused(snapshot, example):
    assert not answered("inspect", snapshot, {"example": example})


def test_a_long_text_is_not_repeated_in_the_reason(snapshot):
    assert not answered("inspect", snapshot, {"subject": "x" * 1_000_000})
