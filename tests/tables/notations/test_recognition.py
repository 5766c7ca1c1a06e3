"""What a column of text is taken for, as a person would take it."""

import polars as pl
import pytest

from chainrule.tables.table_reading import TableReading


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
