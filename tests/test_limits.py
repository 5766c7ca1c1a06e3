"""What values a limit takes, and how it says so."""

import math

import numpy as np
import pytest

from chainrule.errors import InvalidArgumentError
from chainrule.limits import FLAG, Choice, Either, Number, Other, Readable, Whole, listed

NAMES = Choice.of("adam", "sgd")


def even(value):
    if value % 2:
        raise InvalidArgumentError(f"even: {value} is odd")


@pytest.mark.parametrize(
    ("limit", "taken", "refused"),
    [
        (Number(), [0, 0.5, 10**300, np.float32(3)], [-1e-300, math.inf, math.nan, True, "1", 1j]),
        (Number(0, open_low=True), [5e-324, 1], [0, -0.0, None]),
        (Number(0, 1), [0, 0.999], [1, 1.0, -0.1, 10**400]),
        (Number(0, 1, open_high=False), [0, 1], [math.nextafter(1, 2)]),
        (Whole(1), [1, np.int64(7), 10**400], [0, 1.0, True, np.True_, "1", None, math.inf]),
        (Whole(0, 5), [0, 5], [-1, 6]),
        (FLAG, [True, False, np.True_], [0, 1, "True", None, np.array([True, False])]),
        (NAMES, ["adam", "sgd"], ["Adam", "", None, 3, ["adam"]]),
        (Either(Whole(1), ("auto",)), [1, "auto"], [0, "auto ", None, np.array([1, 2])]),
        (Either(Whole(1), (math.inf,)), [1, math.inf, np.float64("inf")], [-math.inf, 0, 1.5]),
        (Either(NAMES, (FLAG, None)), ["sgd", True, None], [1, "no"]),
        (Other(callable, "a function", "callable"), [len], [3]),
        (Readable(even), [2], [3]),
    ],
)
def test_a_limit_takes_these_and_refuses_those(limit, taken, refused):
    assert [value for value in taken if not limit.fits(value)] == []
    assert [value for value in refused if limit.fits(value)] == []
    for value in refused:
        with pytest.raises(InvalidArgumentError):
            limit.require(value, "x: expected")


@pytest.mark.parametrize(
    ("limit", "value", "sentence"),
    [
        (Number(), -1, "x: expected a finite number ≥ 0; got -1"),
        (Number(open_low=True), 0, "x: expected a finite number > 0; got 0"),
        (Number(0, 1), 2.5, "x: expected a number in [0, 1); got 2.5"),
        (Number(0, 1, open_low=True), 0, "x: expected a number between 0 and 1; got 0"),
        (Whole(1), 1.5, "x: expected a whole number of at least 1; got 1.5"),
        (Whole(0, 9), 10, "x: expected a whole number from 0 to 9; got 10"),
        (Either(Whole(1), (math.inf,)), 0, "x: expected a whole number of at least 1 or infinity; "
         "got 0"),
        (Either(Whole(1), ("auto", None)), 0, "x: expected a whole number of at least 1 or 'auto' "
         "or None; got 0"),
        (NAMES, "adamm", "x: expected one of 'adam', 'sgd'; got 'adamm'; did you mean 'adam'?"),
        (NAMES, 3, "x: expected one of 'adam', 'sgd'; got 3"),
        (Either(NAMES, (None,)), "sdg", "x: expected one of 'adam', 'sgd' or None; got 'sdg'; did "
         "you mean 'sgd'?"),
        (Either(Readable(even), (None,)), 3, "even: 3 is odd"),
    ],
)  # fmt: skip
def test_a_refusal_says_what_was_expected_and_what_was_probably_meant(limit, value, sentence):
    with pytest.raises(InvalidArgumentError) as refusal:
        limit.require(value, "x: expected")
    assert str(refusal.value) == sentence


def test_without_quotes_names_are_listed_as_in_a_sentence():
    with pytest.raises(InvalidArgumentError, match=r"^x: expected adam or sgd; got 'x'$"):
        NAMES.require("x", "x: expected", quoted=False)
    assert [listed(names) for names in ((), ("a",), ("a", "b", "c"))] == ["", "a", "a, b or c"]
