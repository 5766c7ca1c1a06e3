"""Columns that identify something with several rows, and columns that only look a little so."""

import polars as pl
import pytest

from chainrule.tables.grouping import likely_groups

ROWS = 120
REPEATED = [n // 4 for n in range(ROWS)]


def found(name, values):
    table = pl.DataFrame({name: values, "x": range(ROWS)})
    return [group.column for group in likely_groups(table, table.columns)]


@pytest.mark.parametrize(
    "name",
    [
        "id",
        "patient",
        "patient_id",
        "PatientID",
        "userId",
        "user",
        "customer no",
        "customer-name",
        "Subject",
        "participant_code",
        "e-mail id",
        "EMAIL",
        "store_id",
        "household",
        "name",
        "full name",
    ],
)
@pytest.mark.parametrize("values", [REPEATED, [f"P{n:03}" for n in REPEATED]])
def test_identifiers_with_repeats_are_likely_groups(name, values):
    assert found(name, values) == [name]


@pytest.mark.parametrize(
    "name",
    [
        "customer_age",
        "account_balance",
        "user_rating",
        "idea",
        "valid",
        "hybrid",
        "city",
        "first name",
        "occupation",
        "native-country",
        "fnlwgt",
        "tailnum",
        "humid",
        "liquid",
        "1",
        "",
        "年",
    ],
)
def test_other_names_are_none(name):
    assert found(name, REPEATED) == []


@pytest.mark.parametrize(
    "values",
    [
        range(ROWS),  # a number for each row
        [n % 3 for n in range(ROWS)],  # a kind
        [0] * 90 + list(range(30)),  # mostly one value
        [n // 4 + 0.5 for n in range(ROWS)],  # a measurement
        [n > 60 for n in range(ROWS)],
        [None] * ROWS,
    ],
)
def test_other_values_are_none(values):
    assert found("id", list(values)) == []


def test_whole_numbers_with_gaps_are_an_identifier():
    assert found("id", [None, *map(float, REPEATED[1:])]) == ["id"]
