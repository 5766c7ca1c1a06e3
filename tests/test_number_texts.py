import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule import number_texts


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0, "0"),
        (-0.0, "0"),
        (0.12345, "0.123"),
        (12.345, "12.3"),
        (-1234.5, "−1,234"),
        (99999.0, "99,999"),
        (1.5e9, "1.50e9"),
        (-2.5e-7, "−2.50e−7"),
        (math.nan, "–"),
        (math.inf, "–"),
    ],
)
def test_numbers_have_three_digits(value, expected):
    assert number_texts.number(value) == expected


@given(st.floats(-1e6, 1e6).filter(lambda value: abs(value) > 1e-3 or value == 0))
def test_a_number_is_off_by_its_third_digit_at_most(value):
    shown = float(number_texts.number(value).replace(",", "").replace(number_texts.MINUS, "-"))
    assert abs(shown - value) <= 0.0051 * abs(value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0.5, "50.0%"), (-0.0001, "0.0%"), (-0.25, "−25.0%"), (1, "100.0%"), (math.nan, "–")],
)
def test_shares_are_percent(value, expected):
    assert number_texts.share(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"), [(0, "0"), (1e-6, "<0.1%"), (0.001, "0.1%"), (0.5, "50.0%")]
)
def test_hardly_any_is_not_none(value, expected):
    assert number_texts.small_share(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0.123, "+12.3"), (-0.123, "−12.3"), (0.0, "0.0"), (-0.0001, "0.0"), (math.nan, "–")],
)
def test_points_have_a_sign(value, expected):
    assert number_texts.points(value) == expected


@pytest.mark.parametrize(
    ("value", "sign", "expected"),
    [
        (0.5, False, "0.500"),
        (0.5, True, "+0.500"),
        (-0.5, False, "−0.500"),
        (-1e-9, True, "0.000"),
        (0.0, True, "0.000"),
        (math.nan, True, "–"),
    ],
)
def test_fixed_numbers(value, sign, expected):
    assert number_texts.fixed(value, sign=sign) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [(3.0, "3"), (1234567, "1,234,567"), (-0.25, "−0.25"), (1 / 3, "0.333333"), (1e20, "1e+20")],
)
def test_values_of_a_table(value, expected):
    assert number_texts.plain(value) == expected


@pytest.mark.parametrize(
    ("size", "decimals"), [(0.94, 3), (9.4, 2), (94, 1), (940, 0), (1e9, 0), (0, 3), (math.nan, 3)]
)
def test_decimals_for_three_digits(size, decimals):
    assert number_texts.decimals_for(size) == decimals


def test_words_agree_with_their_number():
    assert number_texts.count(1, "row") == "1 row"
    assert number_texts.count(1200, "row") == "1,200 rows"
    assert number_texts.count(2, "class", "classes") == "2 classes"
    assert number_texts.listed([]) == ""
    assert number_texts.listed(["a"]) == "a"
    assert number_texts.listed(["a", "b", "c"]) == "a, b and c"
