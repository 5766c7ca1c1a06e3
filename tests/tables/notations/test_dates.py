import datetime as dt

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule.exports import numpy_columns
from chainrule.tables.notations import Dates
from chainrule.tables.notations.dates import FORMATS, TIME, date_form
from chainrule.tables.table_notations import TableReading

MOMENTS = [
    dt.datetime(2023, 1, 1, 0, 0, 0) + dt.timedelta(days=i * 7 % 365, hours=i * 5 % 24, minutes=i)
    for i in range(120)
]


def read(texts, name="d"):
    reading, table, notes = TableReading.decide(pl.DataFrame({name: texts}))
    return reading.notations[name], table[name], [note.reason for note in notes]


WAYS = {
    "%m/%d/%Y %I:%M:%S %p": "minutes",
    "%d %b %Y": "days",
    "%B %d, %Y": "days",
    "%m/%d/%y": "days",
    "%d-%m-%y": "days",
    "%d-%b-%Y": "days",
    "%d-%m-%Y %H:%M": "minutes",
    "%Y/%m/%d %H:%M": "minutes",
    "%Y-%m-%d %H:%M:%S": "minutes",
    "%d.%m.%Y": "days",
    "%a %b %d %Y %H:%M:%S": "minutes",
    "%A, %d %B %Y": "days",
    "%d. %B %Y": "days",
    "%Y-%m": "months",
    "%m/%Y": "months",
}


@pytest.mark.parametrize("way", WAYS)
def test_everyday_ways_to_write_dates_are_read_as_python_reads_them(way):
    texts = [moment.strftime(way) for moment in MOMENTS]
    notation, values, _ = read(texts)
    assert notation.kind == "dates"
    expected = [dt.datetime.strptime(text, way) for text in texts]
    assert values.cast(pl.Datetime("us")).to_list() == expected
    assert (values.dtype == pl.Date) == (WAYS[way] != "minutes")


@pytest.mark.parametrize("written", [one for one in FORMATS if one != TIME])
@pytest.mark.parametrize("clock", ["", " %H:%M", " %H:%M:%S", " %I:%M %p", "T%H:%M:%S.%f"])
def test_every_format_is_read_back_with_and_without_a_clock(written, clock):
    texts = pl.Series([moment.strftime(written + clock) for moment in MOMENTS])
    values = Dates(written).parse(texts)
    expected = [dt.datetime.strptime(text, written + clock) for text in texts]
    assert values.cast(pl.Datetime("us")).to_list() == expected


@given(st.datetimes(dt.datetime(1970, 1, 1), dt.datetime(2068, 12, 31)))
def test_a_written_moment_is_that_moment(moment):
    texts = pl.Series([moment.isoformat(), moment.strftime("%Y-%m-%d"), None])
    day = dt.datetime.combine(moment.date(), dt.time())
    assert Dates("%Y-%m-%d").parse(texts).to_list() == [moment, day, None]


def test_years_of_two_digits_are_from_1969_to_2068():
    texts = pl.Series(["12/31/99", "01/01/00", "06/15/68", "06/15/69"])
    years = Dates("%m/%d/%y").parse(texts).dt.year().to_list()
    assert years == [1999, 2000, 2068, 1969]


def test_times_of_day_are_read():
    assert date_form(["10:30", "00:00", "23:59"]).format == TIME
    values = Dates(TIME).parse(pl.Series(["10:30", "1:05 PM", "00:00", "24:00", "12:00 AM"]))
    times = [dt.time(10, 30), dt.time(13, 5), dt.time(0), None, dt.time(0)]
    assert values.to_list() == times


def test_day_and_month_are_told_apart_by_the_column_as_a_whole():
    assert read(["02/01/2024", "13/01/2024"])[0].format == "%d/%m/%Y"
    assert read(["01/02/2024", "01/13/2024"])[0].format == "%m/%d/%Y"


def test_dates_that_could_be_read_both_ways_are_noted():
    notation, _, reasons = read(["01/02/2024", "03/04/2024"])
    assert notation.format == "%d/%m/%Y"
    assert "either the day or the month may come first" in reasons[0]
    # Where there are hours of AM and PM, the month comes first.
    assert read(["01/02/2024 1:00 PM", "03/04/2024 2:00 AM"])[0].format == "%m/%d/%Y"


def test_days_and_months_in_both_orders_are_no_dates():
    texts = ["31/12/2014", "10/13/2011", "13/10/2011", "12/31/2014"] * 5
    assert read(texts)[0].kind == "text"


def test_words_for_missing_and_dates_of_zeros_are_missing():
    for word in ("NA", "NaT", "-", "0000-00-00", "0000-00-00 00:00:00", "NULL"):
        notation, values, reasons = read([*["2023-01-05", "2023-02-07"] * 20, word])
        assert notation.kind == "dates"
        assert values.null_count() == 1
        assert reasons == []


def test_a_clock_that_some_rows_have_is_read():
    notation, _, _ = read(["2024-01-05", "2024-01-06"])
    values = notation.parse(pl.Series(["2024-01-05", "2024-01-06 13:05"]))
    assert values.to_list() == [dt.datetime(2024, 1, 5), dt.datetime(2024, 1, 6, 13, 5)]


def test_what_is_no_date_is_named_and_missing_as_long_as_it_is_rare():
    texts = [f"2023-01-{1 + day % 28:02d}" for day in range(60)]
    texts[41] = "2023-02-31"
    _, values, reasons = read(texts)
    assert values.null_count() == 1
    assert "'2023-02-31' in row 42" in reasons[0]


def test_one_instant_is_one_value_however_its_zone_is_written():
    berlin = pl.Series([dt.datetime(2024, 7, 1, hour) for hour in (1, 12, 23)])
    berlin = berlin.dt.replace_time_zone("Europe/Berlin")
    notation = TableReading.decide(pl.DataFrame({"d": berlin}))[0].notations["d"]
    assert notation == Dates("", "Europe/Berlin")
    clock = [dt.datetime(2024, 7, 1, hour) for hour in (1, 12, 23)]
    utc = berlin.dt.convert_time_zone("UTC")
    for column in (
        berlin,
        utc,
        berlin.dt.convert_time_zone("Asia/Tokyo"),
        pl.Series([f"{at.isoformat()}+02:00" for at in clock]),
        utc.dt.strftime("%Y-%m-%dT%H:%M:%SZ"),
        utc.dt.strftime("%Y-%m-%d %H:%M:%S UTC"),
        pl.Series(clock),
    ):
        assert notation.parse(column).dt.replace_time_zone(None).to_list() == clock


def test_without_a_zone_a_clock_is_what_is_written():
    values = Dates("%Y-%m-%d").parse(pl.Series(["2024-07-01T10:00+02:00", "2024-07-01T10:00"]))
    assert values.to_list() == [dt.datetime(2024, 7, 1, 10)] * 2


@pytest.mark.parametrize(
    "texts",
    [
        ["2024-01-05 mail", "2024-01-06 post"],
        ["10.5", "11.25"],
        ["1/2", "3/4"],
        ["192.168.0.1", "10.0.0.2"],
        ["12-34-56", "99-88-77"],
        ["May", "June"],
    ],
)
def test_what_only_looks_like_dates_is_none(texts):
    assert read(texts * 10)[0].kind != "dates"


@pytest.mark.parametrize(
    "entry",
    [
        {"kind": "dates", "format": "%H"},
        {"kind": "dates", "zone": "Mars/Olympus"},
        {"kind": "dates", "format": 3},
        {"kind": "dates", "place": ""},
    ],
)
def test_a_notation_that_cannot_be_is_refused(entry):
    with pytest.raises(ValueError, match=r"unknown|notation"):
        Dates.from_json(entry)


ODD_WAYS = {
    "%d%b%Y": "SAS and Stata",
    "%d%b%Y:%H:%M:%S": "SAS, with a clock",
    "%m.%d.%y": "month first, with points",
    "%b-%y": "a month of a spreadsheet",
    "%d/%b/%Y:%H:%M:%S +0000": "logs of web servers",
    "%a %b %d %H:%M:%S %Y": "C",
    "%a %b %d %H:%M:%S +0200 %Y": "C with a zone",
    "%a %b %d %Y %H:%M:%S GMT+0200 (CEST)": "browsers",
    "%d.%m.%Y, %H:%M Uhr": "German",
}


@pytest.mark.parametrize("way", ODD_WAYS)
@pytest.mark.parametrize("case", [str, str.upper])
def test_dates_of_programs_are_read_and_their_file_of_numpy_reads_the_same(way, case):
    if "Uhr" in way or "GMT" in way:
        case = str
    texts = [case(moment.strftime(way)) for moment in MOMENTS]
    notation, values, _ = read(texts)
    assert notation.kind == "dates"
    plain = way.replace(" GMT+0200 (CEST)", "").replace(" +0200", "").replace(" +0000", "")
    expected = [dt.datetime.strptime(at.strftime(plain), plain) for at in MOMENTS]
    if "+0200" in way:
        expected = [at - dt.timedelta(hours=2) for at in expected]
    assert values.cast(pl.Datetime("us")).dt.replace_time_zone(None).to_list() == expected
    entry = notation.to_json()
    twin = [numpy_columns.as_time(text, entry) for text in texts]
    assert [at.item() for at in twin] == expected
