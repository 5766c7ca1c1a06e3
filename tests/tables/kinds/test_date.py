import datetime as dt

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule.errors import InvalidTableError
from chainrule.tables.encoder import TableEncoder
from chainrule.tables.kinds import DateColumn
from chainrule.tables.notations import Dates

ALL = ("year", "month", "day", "weekday", "hour")


def column(written="", parts=ALL, flag=True):
    notation = Dates(written)
    return DateColumn("d", parts, 2020.0, 4.0, flag, notation=notation)


def encoded(kind, values):
    series = values if isinstance(values, pl.Series) else pl.Series(kind.name, values)
    out = np.full((len(series), kind.width), 7, np.float32)
    kind.encode(series, out)
    return out


def test_a_date_is_its_year_and_places_on_circles():
    # 1 April 2024, a Monday, 06:00.
    (inputs,) = encoded(column(), [dt.datetime(2024, 4, 1, 6)])
    expected = [1, 1, 0, 0, 1, 0, 1, 1, 0, 0]
    assert np.abs(inputs - expected).max() <= 1e-7
    assert column().feature_names() == (
        *("d: year", "d: sin month", "d: cos month", "d: sin day", "d: cos day"),
        *("d: sin weekday", "d: cos weekday", "d: sin hour", "d: cos hour", "d=(missing)"),
    )


@given(value=st.datetimes(dt.datetime(1900, 1, 1), dt.datetime(2100, 1, 1)))
def test_the_parts_are_those_of_pythons_calendar(value):
    value = value.replace(microsecond=0)
    (inputs,) = encoded(column(), [value])
    hour = value.hour + value.minute / 60 + value.second / 3600
    angles = (
        2
        * np.pi
        * np.array([(value.month - 1) / 12, (value.day - 1) / 31, value.weekday() / 7, hour / 24])
    )
    circles = np.column_stack([np.sin(angles), np.cos(angles)]).ravel()
    expected = [(value.year - 2020) / 4, *circles, 0]
    # Rounded to float32, of numbers up to 30 in size.
    assert np.abs(inputs - expected).max() <= 32 * np.finfo(np.float32).eps


def test_december_is_next_to_january():
    months = column(parts=("month",), flag=False)
    inputs = encoded(months, [dt.date(2024, month, 1) for month in (12, 1, 2, 7)])
    distances = np.linalg.norm(inputs - inputs[1], axis=1)
    assert abs(distances[0] - distances[2]) <= 1e-6
    assert distances[3] == distances.max()


def test_a_missing_date_is_0_everywhere_and_flagged():
    inputs = encoded(column(), [None, dt.date(2024, 4, 1)])
    assert inputs[0].tolist() == [0] * 9 + [1]
    assert inputs[1, -1] == 0
    unflagged = column(flag=False)
    assert encoded(unflagged, [None, dt.date(2024, 4, 1)])[0].tolist() == [0] * 9
    assert encoded(unflagged, pl.Series("d", [None])).tolist() == [[0] * 9]


def test_only_parts_that_vary_are_used():
    days = pl.DataFrame({"d": [dt.date(2024, 1, 1), dt.date(2024, 1, 8)]})
    (kind,) = TableEncoder().fit(days).columns_
    assert kind.parts == ("day",)
    times = pl.DataFrame({"d": [dt.time(6), dt.time(18, 30)]})
    (kind,) = TableEncoder().fit(times).columns_
    assert kind.parts == ("hour",)


def test_dates_in_text_are_read_where_training_had_dates():
    dates = [dt.date(2024, 1, 31), dt.date(2024, 2, 1), dt.date(2025, 7, 9)]
    encoder = TableEncoder().fit(pl.DataFrame({"d": dates}))
    texts = pl.DataFrame({"d": [date.strftime("%d.%m.%Y") for date in dates]})
    expected = encoder.transform(pl.DataFrame({"d": dates}))
    assert np.array_equal(encoder.transform(texts), expected)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (["2024-01-01", "yesterday"], "'yesterday' in row 2, where the model needs dates written"),
        ([3, 4], "holds values of type Int64, where the model needs dates written as %Y-%m-%d"),
    ],
)
def test_what_is_no_date_is_named(values, message):
    with pytest.raises(InvalidTableError, match=message):
        encoded(column("%Y-%m-%d"), values)


def test_times_are_those_of_the_clock_in_the_columns_zone():
    series = pl.Series("d", [dt.datetime(2024, 1, 1, 23)]).dt.replace_time_zone("UTC")
    tokyo = series.dt.convert_time_zone("Asia/Tokyo")
    hours = column(parts=("hour",), flag=False)
    assert np.allclose(encoded(hours, tokyo), encoded(hours, [dt.datetime(2024, 1, 2, 8)]))
