"""Columns that give the target away together: found where they are, and nowhere else."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from threadpoolctl import threadpool_limits

from chainrule.tables.combined_leakage import combined_leaks

EXAMPLES = Path(__file__).parents[2] / "examples"
ROWS = 3000
RANDOM = np.random.default_rng(1)
A, B, C = RANDOM.normal(size=(3, ROWS))
PRICE, COUNT = RANDOM.uniform(1, 50, ROWS).round(2), RANDOM.integers(0, 9, ROWS)
LETTERS, OTHERS = RANDOM.choice([*"abcdef"], ROWS), RANDOM.choice([*"uvwxyz"], ROWS)
NOISE = {f"noise {i}": RANDOM.normal(size=ROWS) for i in range(12)}
HOURS, MINUTES = RANDOM.integers(0, 24 * 60, (2, ROWS))


def clock(minutes):
    return minutes % (24 * 60) // 60 * 100 + minutes % 60


def leaks(columns, target, task="regression", known=()):
    table = pl.DataFrame({**columns, **NOISE})
    return combined_leaks(table, pl.Series("y", target), task, known)


VALUES = {
    "a difference": ({"a": A, "b": B}, A - B),
    "a sum of three": ({"a": A, "b": B, "c": C}, A + B + C),
    "a product": ({"count": COUNT + 1, "price": PRICE}, PRICE * (COUNT + 1)),
    "a product with zeros": ({"count": COUNT, "price": PRICE}, PRICE * COUNT),
    "a product with both signs": ({"a": A, "price": PRICE}, PRICE * A),
    "a ratio": ({"count": COUNT + 1, "price": PRICE}, PRICE / (COUNT + 1)),
    "a body mass index": (
        {"height": 1 + COUNT / 20, "weight": PRICE},
        PRICE / (1 + COUNT / 20) ** 2,
    ),
    "a nearly exact sum": ({"a": A, "b": B}, A + B + 0.02 * C),
    "a difference of huge values": ({"a": 1e200 * A, "b": 1e200 * B}, 1e200 * (A - B)),
    "times of day": (
        {"begin": clock(HOURS), "end": clock(HOURS + MINUTES // 4)},
        MINUTES // 4,
    ),
}


@pytest.mark.parametrize("name", VALUES)
def test_columns_that_give_a_value_together_are_named(name):
    columns, target = VALUES[name]
    found = leaks(columns, target)
    assert found[0].columns == tuple(sorted(columns))
    assert found[0].score > 0.99
    assert all(repr(column) in found[0].sentence for column in columns)


CLASSES = {
    "the greater of two": ({"a": A, "b": B}, A > B),
    "a sum above a limit": ({"a": A, "b": B, "c": C}, A + B + C > 1),
    "a combination of two texts": (
        {"one": LETTERS, "other": OTHERS},
        [(ord(x) + ord(y)) % 2 for x, y in zip(LETTERS, OTHERS, strict=True)],
    ),
    "more classes of two texts": (
        {"one": LETTERS, "other": OTHERS},
        [(ord(x) + ord(y)) % 5 for x, y in zip(LETTERS, OTHERS, strict=True)],
    ),
}


@pytest.mark.parametrize("name", CLASSES)
def test_columns_that_give_a_class_together_are_named(name):
    columns, target = CLASSES[name]
    found = leaks(columns, list(map(str, target)), "classification")
    assert found[0].columns == tuple(columns)


def test_good_predictors_are_no_leak():
    assert leaks({"a": A, "b": B}, A - B + 0.2 * C) == ()
    assert leaks({"a": A, "b": B}, list(map(str, A - B + 0.2 * C > 0)), "classification") == ()
    assert leaks({"a": A}, C) == ()


def test_one_column_that_does_it_alone_is_no_combination():
    assert leaks({"a": A, "b": B}, 2 * A, known=("a",)) == ()
    assert leaks({"a": A, "b": B}, 2 * A) == ()


def test_several_combinations_are_all_named():
    columns = {"a": A, "b": B, "c": A + C, "d": B + C}
    assert {leak.columns for leak in leaks(columns, A - B)} == {("a", "b"), ("c", "d")}


@pytest.mark.parametrize("rows", [0, 1, 50])
def test_few_rows_say_nothing(rows):
    table = pl.DataFrame({"a": A, "b": B})[:rows]
    assert combined_leaks(table, pl.Series("y", (A - B)[:rows]), "regression") == ()


def test_columns_without_anything_to_learn_do_no_harm():
    columns = {"one": np.ones(ROWS), "none": pl.Series([None] * ROWS), "half": [None, 1.0] * 1500}
    assert leaks(columns, A) == ()
    assert leaks(columns, np.ones(ROWS)) == ()
    assert leaks(columns, np.zeros(ROWS)) == ()
    assert leaks(columns, ["a"] * ROWS, "classification") == ()


def test_the_number_of_threads_changes_no_bit():
    found = []
    for threads in (1, 2):
        with threadpool_limits(threads):
            found.append(leaks({"a": A, "b": B}, A - B + 0.02 * C))
    assert found[0] == found[1]


def test_the_columns_of_wdbc_are_good_and_no_leak():
    table = pl.read_csv(EXAMPLES / "wdbc.csv")
    assert combined_leaks(table.drop("diagnosis"), table["diagnosis"], "classification") == ()
