"""What a column of text is taken for, as a person would take it."""

import polars as pl
import pytest

from chainrule.exports import numpy_columns
from chainrule.tables.table_notations import TableReading


def read(texts, **more):
    reading, table, notes = TableReading.decide(pl.DataFrame({"c": texts, **more}))
    return reading.notations["c"], table["c"], [f"{n.reason}; {n.advice}" for n in notes]


@pytest.mark.parametrize("words", [["true", "false", "0", "1"], ["True", "False", "None", ""]])
def test_ones_and_zeros_beside_true_and_false_are_truth(words):
    notation, values, reasons = read(words * 30)
    assert notation.kind == "truth"
    assert values.to_list()[:2] == [True, False]
    assert not reasons


def test_one_typing_error_among_true_and_false_is_named():
    notation, values, reasons = read(["True", "False"] * 50 + ["Flase"])
    assert notation.kind == "truth"
    assert values.null_count() == 1
    assert "'Flase' in row 101" in reasons[0]


@pytest.mark.parametrize(
    ("sentinel", "others"),
    [
        ("-999", range(-20, 36)),
        ("-99", range(-20, 36)),
        ("-99.9", range(0, 15)),
        ("-999.99", range(0, 15)),
        ("999.9", range(0, 15)),
        ("-9", range(9)),
        ("99", range(1, 6)),
    ],
)
def test_repeated_nines_far_outside_are_missing_values(sentinel, others):
    texts = [*map(str, others), sentinel] * 9
    notation, values, reasons = read(texts)
    assert notation.missing == (float(sentinel),)
    assert values.null_count() == 9
    assert "is taken as missing" in reasons[0]


@pytest.mark.parametrize(
    ("value", "others"),
    [
        ("99", range(18, 95)),
        ("-1", range(0, 9)),
        ("-9", range(-8, 9)),
        ("-99", range(-90, 90)),
        ("999", range(100, 3000, 7)),
        ("9.9", range(0, 9)),
    ],
)
def test_nines_among_others_are_values(value, others):
    notation, values, _ = read([*map(str, others), value] * 4)
    assert notation.missing == ()
    assert values.null_count() == 0


def test_words_for_missing_alone_are_no_values():
    _, values, _ = read(["NA", "n/a", "-", ""] * 10)
    assert values.null_count() == 40


@pytest.mark.parametrize(
    ("texts", "right"),
    [
        (["€110.5M", "€500K", "€0"], [110.5e6, 5e5, 0]),
        (["1.2K", "500", "-3K"], [1200, 500, -3000]),
        (["2,5 Mio. €", "800 Tsd. €", "(1,5 Mio. €)"], [2.5e6, 8e5, -1.5e6]),
        (["5M$", "7K$", "2B$"], [5e6, 7e3, 2e9]),
        (["3.5 Lakh", "1.2 Crore", "90000"], [3.5e5, 1.2e7, 9e4]),
        (["$55.5 million", "$80 million", "$1 million"], [55.5, 80, 1]),
        (["12.5 m", "8 m", "7"], [12.5, 8, 7]),
        (["1,5 kg", "2 kg", "0,25 kg"], [1.5, 2, 0.25]),
    ],
)
def test_magnitudes_multiply_where_they_differ_and_the_file_of_numpy_does_so_too(texts, right):
    notation, values, reasons = read(texts * 30)
    assert notation.kind == "numbers"
    assert values.to_list()[:3] == pytest.approx(right)
    assert "read as" in reasons[0]
    entry = notation.to_json()
    assert [numpy_columns.as_number(text, entry) for text in texts] == values.to_list()[:3]


def test_two_currencies_are_no_unit():
    notation, _, reasons = read([f"{'$€'[n % 2]}{n}" for n in range(90)])
    assert notation.kind == "text"
    assert "several units" in reasons[0]


def test_numbers_without_the_unit_of_the_others_are_counted():
    notation, values, reasons = read(["12%", "0.12", "15%"] * 30)
    assert notation.units == ("%",)
    assert values.to_list()[:3] == [12, 0.12, 15]
    assert "30 of its 90 without %, such as '0.12'" in reasons[0]


@pytest.mark.parametrize(
    ("texts", "seconds"),
    [
        (["27:30", "3:05", "0:00", "24:01"], [99000, 11100, 0, 86460]),
        (["2 days 03:04:05", "0 days 00:00:00.5", "1 day, 1:00:00"], [183845, 0.5, 90000]),
        (["1:02:03", "59:59", "-0:30"], [3723, 3599, -30]),
        (["1h 20m", "45 min", "2 h"], [4800, 2700, 7200]),
        (["PT1H30M", "P1DT2S", "PT0.5S"], [5400, 86402, 0.5]),
    ],
)
def test_lengths_of_time_are_durations_and_the_file_of_numpy_has_the_same_seconds(texts, seconds):
    notation, values, reasons = read(texts * 30)
    assert notation.kind == "durations"
    found = values.dt.total_microseconds() / 1e6
    assert found.to_list()[: len(texts)] == seconds
    assert "lengths of time" in reasons[0]
    entry = notation.to_json()
    assert [numpy_columns.as_number(text, entry) for text in texts] == seconds
    assert type(notation).from_json(entry) == notation
    assert notation.parse(pl.Series(seconds, dtype=pl.Float64)).equals(values.head(len(texts)))


def test_times_of_day_are_no_lengths_of_time():
    assert read([f"{n % 24}:{n % 60:02d}" for n in range(200)])[0].kind == "dates"


@pytest.mark.parametrize(
    "texts",
    [
        [f"+4930{n:07d}" for n in range(60)],
        ["12345", "54321"] * 999 + ["01234", "00501"],
        [str(10**17 + n % 9) for n in range(60)],
    ],
    ids=["telephones", "zip codes with zeros at the end", "long ids"],
)
def test_digits_that_name_something_are_text(texts):
    notation, values, _ = read(texts)
    assert notation.kind == "text"
    assert values.to_list() == texts


def test_one_number_with_zeros_in_front_is_noted():
    notation, values, reasons = read([*map(str, range(1, 900)), "00123"])
    assert notation.kind == "numbers"
    assert values[-1] == 123
    assert "'00123', with leading zeros" in reasons[0]


@pytest.mark.parametrize(
    ("texts", "told"),
    [
        (["<0.5", *[f"{n}.5" for n in range(4)]], "10 of 50 values that are not (such as '<0.5')"),
        (["Refused", "refused", "1", "2", "3"], "20 of 50 values that are not (such as 'Refu"),
        (["10.0.0.{}", "10.0.1.{}"], "begins like numbers or dates ('10.0.0.0')"),
        (["3. Juni 2{:03d}", "4. Mai 2{:03d}"], "begins like numbers or dates"),
    ],
)
def test_what_begins_as_numbers_and_is_read_as_text_is_told(texts, told):
    texts = [
        text.format(n) if "{" in text else text + str(n) * text[-1:].isdigit() * (text[0] != "<")
        for n in range(10 if len(texts) == 5 else 25)
        for text in texts
    ]
    notation, _, reasons = read(texts)
    assert notation.kind == "text"
    assert told in reasons[0]
