import math

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule.errors import InvalidTableError
from chainrule.tables.notations import Numbers, Text, notation_from_json
from chainrule.tables.row_numbers import RowNumbers
from chainrule.tables.table_notations import TableReading

FINITE = st.floats(-1e12, 1e12).map(lambda x: round(x, 2))


def read(texts, **columns):
    """Return how a column is written, its values, and what is told of it."""
    table = pl.DataFrame({"a": texts, **columns})
    reading, found, notes = TableReading.decide(table, separator=",")
    return (
        reading.notations["a"],
        found["a"].to_list(),
        [n.reason for n in notes if n.column == "a"],
    )


def grouped(number, decimal, group):
    """Write a number with marks as people do."""
    text = f"{abs(number):,.2f}".replace(".", "\0").replace(",", group).replace("\0", decimal)
    return f"-{text}" if number < 0 else text


@pytest.mark.parametrize(
    ("texts", "notation", "values"),
    [
        (["1,234.5", "12.25"], Numbers(".", ","), [1234.5, 12.25]),
        (["1.299,99", "87,50"], Numbers(",", "."), [1299.99, 87.5]),
        (["1 234,50", "7,25"], Numbers(",", " "), [1234.5, 7.25]),
        (["1\u00a0234,50", "1\u202f234\u2009567,25"], Numbers(",", " "), [1234.5, 1234567.25]),
        (["1'234.50", "7.25"], Numbers(".", "'"), [1234.5, 7.25]),
        (["1’234.50", "7.25"], Numbers(".", "'"), [1234.5, 7.25]),
        (["1,23,456", "12,34,567.5"], Numbers(".", "indian"), [123456, 1234567.5]),
        (["12%", "7.5 %"], Numbers(units=("%",)), [12, 7.5]),
        (["$1,234.50", "$7"], Numbers(".", ",", ("$",)), [1234.5, 7]),
        (["12,50 EUR", "7,25 EUR"], Numbers(",", "", ("EUR",)), [12.5, 7.25]),
        (["CHF 20.-", "CHF 7.50"], Numbers(units=("CHF",)), [20, 7.5]),
        (["34 years", "1 year"], Numbers(units=("year", "years")), [34, 1]),
        (["12 kg", "7.5kg"], Numbers(units=("kg",)), [12, 7.5]),
        (["(37)", "12"], Numbers(), [-37, 12]),
        (["37-", "12"], Numbers(), [-37, 12]),
        (["\u221237", "12"], Numbers(), [-37, 12]),
        (["-$5", "$-6", "($7)", "$8"], Numbers(units=("$",)), [-5, -6, -7, 8]),
        (["'123", "'45"], Numbers(), [123, 45]),
        (["1.5e3", "2E-2"], Numbers(), [1500, 0.02]),
        (["+3", ".5", "5."], Numbers(), [3, 0.5, 5]),
        (["0,123", "0,5"], Numbers(","), [0.123, 0.5]),
    ],
)
def test_numbers_are_read_as_people_write_them(texts, notation, values):
    assert read(texts * 10)[:2] == (notation, values * 10)


@given(
    st.lists(FINITE, min_size=3, max_size=30),
    st.sampled_from([(".", ","), (",", "."), (",", " "), (".", "'")]),
)
def test_what_is_written_with_marks_reads_as_the_number(numbers, marks):
    texts = [grouped(number, *marks) for number in [*numbers, 1234567.25]]
    values = Numbers(*marks).parse(pl.Series(texts)).to_list()
    assert values == [*numbers, 1234567.25]
    assert read(texts)[1] == values


@given(st.lists(FINITE, min_size=1, max_size=30))
def test_plain_numbers_are_what_python_reads(numbers):
    texts = [repr(number) for number in numbers]
    assert Numbers().parse(pl.Series(texts)).to_list() == numbers


def test_one_mark_holds_for_the_whole_column_and_is_never_guessed_row_by_row():
    # 1,234 alone may be either; 87,5 beside it decides.
    assert read(["1,234", "87,5"] * 10)[1][:2] == [1.234, 87.5]
    assert read(["1,234", "1,234,567"] * 10)[1][:2] == [1234, 1234567]
    _, values, notes = read(["1,234", "5,678"] * 10)
    assert values[:2] == [1234, 5678]
    assert "may be a decimal mark or a thousands separator" in notes[0]


def test_the_other_columns_decide_where_a_column_does_not():
    prices = [f"{n},5" for n in range(20)]
    assert read(["1,234", "5,678"] * 10, b=prices)[1][:2] == [1.234, 5.678]
    assert read(["1.234", "5.678"] * 10, b=prices)[1][:2] == [1234, 5678]
    assert read(["1.234", "5.678"] * 10)[1][:2] == [1.234, 5.678]


def test_thousands_by_points_show_where_small_numbers_have_none():
    texts = [f"{n}.{100 + n}" if n % 3 else f"{n}" for n in range(1, 90)]
    notation, values, _ = read(texts)
    assert notation == Numbers(",", ".")
    assert values[:3] == [1101, 2102, 3]


@pytest.mark.parametrize("word", ["NA", "?", "n/a", "-", "null", "#DIV/0!", "unknown", ""])
@pytest.mark.parametrize("share", [0.6, 0.95])
def test_a_column_is_numbers_although_most_of_it_is_missing(word, share):
    texts = [f"{n % 40}.5" if n % 100 >= 100 * share else word for n in range(1000)]
    notation, values, notes = read(texts)
    assert notation == Numbers()
    assert sum(value is None for value in values) == round(1000 * share)
    assert notes == []


def test_numbers_that_come_late_are_numbers():
    texts = ["NA"] * 2500 + [f"{n % 37}.25" for n in range(500)]
    assert read(texts)[0] == Numbers()


def test_what_is_no_number_is_named_counted_and_missing():
    texts = [f"{n}.5" for n in range(300)]
    texts[250] = "12O.5"
    notation, values, notes = read(texts)
    assert (notation, values[250]) == (Numbers(), None)
    assert "'12O.5' in row 251" in notes[0]
    texts[10] = texts[11] = "<0.5"
    assert (
        "3 values that cannot be read ('<0.5' 2 times, '12O.5'; the first in row 11)"
        in (read(texts)[2][0])
    )


def test_more_than_a_share_of_other_texts_makes_a_column_text():
    texts = [f"{n}.5" if n % 10 else f"word {n}" for n in range(300)]
    assert read(texts)[0] == Text()


def test_a_repeated_word_among_few_numbers_is_a_category():
    texts = ["0", "1", "2"] * 98 + ["3+"] * 6
    assert read(texts)[0] == Text()


@pytest.mark.parametrize(
    "texts",
    [
        ["00501", "01234", "90210"],
        ["007", "008", "123"],
        ["12345678901234567890123", "12345678901234567890124"],
        [str(2**53 + 1), str(2**53 + 3)],
    ],
)
def test_codes_and_ids_stay_what_they_are(texts):
    assert read(texts * 10)[:2] == (Text(), texts * 10)


def test_whole_numbers_that_no_float_tells_apart_are_ids_in_every_format():
    ids = [2**53 + n for n in range(30)]
    reading, table, _ = TableReading.decide(pl.DataFrame({"a": ids}))
    assert reading.notations["a"] == Text()
    assert table["a"].to_list() == [str(n) for n in ids]


@pytest.mark.parametrize("texts", [["5 kg", "12 lb"], ["$5", "€6"], ["5 USD", "6 EUR"]])
def test_several_units_are_text_and_a_note_says_so(texts):
    notation, _, notes = read(texts * 10)
    assert notation == Text()
    assert "numbers in several units" in notes[0]


def test_magnitudes_multiply():
    assert read(["5k", "3M", "1.5K"] * 10)[1][:3] == [5000, 3_000_000, 1500]


@pytest.mark.parametrize(
    "texts",
    [
        ["Room 1", "Room 2"],
        ["#1", "#2"],
        ["1/2", "3/4"],
        ["18-24", "25-34"],
        ["192.168.0.1", "10.0.0.1"],
        ["1.2.3", "1.4.5"],
        ["A1", "B2"],
        ["10 Downing Street", "5 Main Road"],
    ],
)
def test_what_only_has_digits_is_text_without_a_note(texts):
    assert read(texts * 10) == (Text(), texts * 10, [])


def test_a_trained_model_refuses_what_its_notation_cannot_be():
    with pytest.raises(
        InvalidTableError, match=r"'1\.5' in row 7, where the model needs numbers w"
    ):
        Numbers(",", ".").read_all(pl.Series("a", ["1.5"]), RowNumbers.counted(1, 7))
    with pytest.raises(InvalidTableError, match="holds values of type List"):
        Numbers().read_all(pl.Series("a", [[1]]))


@pytest.mark.parametrize("notation", [Numbers(), Numbers(",", "."), Numbers(units=("€",))])
def test_reading_twice_is_reading_once_and_values_pass_through(notation):
    once = notation.read(pl.Series("a", ["1", "2", None, "3"]))
    assert notation.read(once).to_list() == once.to_list() == [1, 2, None, 3]
    assert notation.read(pl.Series("a", [1.5, math.nan])).to_list() == [1.5, None]


def test_whole_numbers_stay_whole():
    assert Numbers(".", ",").parse(pl.Series(["1,234", "5"])).dtype == pl.Int64
    assert Numbers().parse(pl.Series(["1", "2.5"])).dtype == pl.Float64


@pytest.mark.parametrize(
    "entry",
    [
        {"kind": "numbers", "decimal": "x"},
        {"kind": "numbers", "decimal": ",", "group": ","},
        {"kind": "numbers", "decimal": ",", "group": "indian"},
        {"kind": "numbers", "units": ["5x"]},
        {"kind": "numbers", "units": "kg"},
        {"kind": "numbers", "missing": [None]},
        {"kind": "numbers", "more": 1},
        {"kind": "numerals"},
        {"kind": ["numbers"]},
        [],
    ],
)
def test_a_notation_that_cannot_be_is_refused(entry):
    with pytest.raises(ValueError, match=r"notation|mark|unit"):
        notation_from_json(entry)


def test_a_notation_is_the_same_after_a_file():
    notation = Numbers(",", ".", ("€", "Euro"), (-999.0,))
    assert notation_from_json(notation.to_json()) == notation
    assert Numbers().to_json() == {"kind": "numbers"}
