# mypy: disable-error-code="no-untyped-def, no-untyped-call"
"""The columns of a table as inputs, with NumPy alone; `chainrule.tables.kinds` is the original.

An exported file has everything from `WORDS` on in it, and a `COLUMNS` of its own.
"""

import datetime
import re
from typing import Any

import numpy as np

COLUMNS: list[dict[str, Any]] = []

WORDS = {"true": 1.0, "false": 0.0, "1": 1.0, "0": 0.0, "1.0": 1.0, "0.0": 0.0}
PERIODS = {"month": 12, "day": 31, "weekday": 7, "hour": 24}


def encode(table):
    """Return the network's inputs, (rows, inputs), of a dict of columns or a data frame."""
    parts = []
    for column in COLUMNS:
        try:
            values = table[column["name"]]
        except Exception as error:
            raise ValueError(f"the table has no column {column['name']!r}") from error
        try:
            parts += ENCODERS[column["kind"]](column, list(values))
        except (ValueError, TypeError) as error:
            raise ValueError(f"column {column['name']!r}: {error}") from error
    inputs = np.stack(parts, axis=1).astype(np.float32)
    if not np.isfinite(inputs).all():
        row, place = np.argwhere(~np.isfinite(inputs))[0]
        raise ValueError(f"input {place} of row {row + 1} is not finite")
    return inputs


def is_missing(value):
    """Whether a value is None, NaN or blank."""
    return value is None or value != value or (isinstance(value, str) and not value.strip())


def numeric(column, values):
    """Return (x − center)/scale, and whether it is missing."""
    x = np.array([np.nan if is_missing(value) else float(value) for value in values])
    missing = np.isnan(x)
    if np.isinf(x).any():
        raise ValueError("a value is not finite")
    x = np.where(missing, column["fill"], x)
    scaled = (x - column["center"]) / column["scale"] if column["scale"] else np.zeros(len(x))
    return [scaled, missing] if column["flag"] else [scaled]


def boolean(column, values):
    """Return 1 for true and 0 for false, and whether it is missing."""
    x = np.full(len(values), np.nan)
    for row, value in enumerate(values):
        text = "" if is_missing(value) else str(value).strip().lower()
        if text not in ("", "nan"):
            if text not in WORDS:
                raise ValueError(f"expected true or false (or 1 or 0); got {value!r}")
            x[row] = WORDS[text]
    missing = np.isnan(x)
    x = np.where(missing, column["fill"], x)
    return [x, missing] if column["flag"] else [x]


def category(column, values):
    """Return one input for each category, or one with its number."""
    count = len(column["categories"])
    codes = {text: code for code, text in enumerate(column["categories"], start=1)}
    none = count + 1 if column["missing"] or not column["as_codes"] else 0
    numbers = [v for v in values if isinstance(v, (float, np.floating)) and not is_missing(v)]
    # A column of numbers in which one was missing is often one of floats.
    whole = all(v == round(v) for v in numbers)
    code = np.array(
        [codes.get(as_text(v, whole), 0) if as_text(v, whole) else none for v in values]
    )
    if column["as_codes"]:
        return [code]
    inputs = [code == place for place in range(1, count + 1)]
    inputs += [code == 0] if column["other"] else []
    return inputs + ([code == none] if column["missing"] else [])


def as_text(value, whole):
    """Return a category as text."""
    if value is None or value != value:
        return ""
    if isinstance(value, (bool, np.bool_)):
        return str(value).lower()
    if isinstance(value, (float, np.floating)):
        return str(int(value)) if whole else repr(float(value))
    return str(value)


def date(column, values):
    """Return the parts of dates: the year, and places on circles."""
    times = np.array([as_time(value, column["format"]) for value in values], "datetime64[us]")
    missing = np.isnat(times)
    times = np.where(missing, np.datetime64(0, "us"), times)
    days, months = times.astype("datetime64[D]"), times.astype("datetime64[M]")
    parts = {
        "year": times.astype("datetime64[Y]").astype(np.int64) + 1970,
        "month": months.astype(np.int64) % 12,
        "day": (days - months.astype("datetime64[D]")).astype(np.int64),
        "weekday": (days.astype(np.int64) + 3) % 7,  # 1970 began on a Thursday
        "hour": (times - days).astype(np.int64) // 10**6 / 3600,
    }
    inputs = []
    for part in column["parts"]:
        if part == "year":
            inputs.append((parts[part] - column["year_center"]) / column["year_scale"])
        else:
            angle = parts[part] * (2 * np.pi / PERIODS[part])
            inputs += [np.sin(angle), np.cos(angle)]
    inputs = [np.where(missing, 0, one) for one in inputs]
    return [*inputs, missing] if column["flag"] else inputs


def as_time(value, written):
    """Return a date or a time as NumPy's, without a zone."""
    if is_missing(value):
        return np.datetime64("NaT", "us")
    if isinstance(value, datetime.time):
        return np.datetime64(0, "us") + (
            np.timedelta64(value.hour * 3600 + value.minute * 60 + value.second, "s")
        )
    if isinstance(value, str) and written:
        point = ".%f" if re.search(r":[0-9]{2}[.][0-9]", value) else ""
        value = datetime.datetime.strptime(value.strip(), written.replace("%.f", point))
        if value.tzinfo is not None:
            value = value.astimezone(datetime.timezone.utc)  # noqa: UP017 - any Python 3
    if isinstance(value, datetime.datetime):
        value = value.replace(tzinfo=None)  # the clock of its own zone
    return np.datetime64(value, "us")


ENCODERS = {"numeric": numeric, "boolean": boolean, "category": category, "date": date}
