import polars as pl
import pytest

from chainrule.tables.notations import Numbers
from chainrule.tables.table_notations import TableReading


def decided(values):
    reading, table, notes = TableReading.decide(pl.DataFrame({"a": values}))
    return reading.notations["a"], table["a"], [note.reason for note in notes]


@pytest.mark.parametrize(
    ("sentinel", "values"),
    [
        (-999, range(100)),
        (9999, range(1990, 2020)),
        (-99, range(60)),
        (1e30, [0.5 * n for n in range(50)]),
        (2147483647, range(1000)),
        (-32768, range(-500, 500)),
    ],
)
def test_repeated_numbers_far_outside_stand_for_missing_values(sentinel, values):
    notation, column, notes = decided([*values, *[sentinel] * 4])
    assert notation == Numbers(missing=(float(sentinel),))
    assert column.null_count() == 4
    assert f"{sentinel:.10g} in 4 rows, far outside" in notes[0]
    # And so in every later table, typed or not.
    assert notation.read(pl.Series([sentinel, 5])).to_list() == [None, 5]


def test_two_sentinels_of_one_column_are_both_found():
    notation, _, _ = decided([*range(100), *[-999] * 3, *[9999] * 5])
    assert notation.missing == (-999.0, 9999.0)


@pytest.mark.parametrize(
    "values",
    [
        [*range(1000), 999, 999, 999],
        [*range(100), 9999, 9999],
        [*range(95, 100), *[99] * 9, *range(60)],
        [*range(-50, 50), -99, -99, -99],
        [0] * 90 + list(range(1000, 1010)),
        [*range(10), *[-1] * 9],
        [1, 1, 1, 2, 2, 2, 1e9],
        [5] * 30,
    ],
)
def test_what_may_be_a_measurement_stays_one(values):
    notation, column, notes = decided([float(value) for value in values])
    assert (notation, column.null_count(), notes) == (Numbers(), 0, [])
