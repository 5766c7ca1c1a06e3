# mypy: disable-error-code="no-untyped-def, no-untyped-call"
"""Encodes the columns of a table with NumPy alone, as `chainrule.tables.kinds` does.

An exported file contains everything from `WORDS` on, and its own `COLUMNS` and `MISSING`.
"""

import datetime
import re
import zoneinfo
from typing import Any

import numpy as np

COLUMNS: list[dict[str, Any]] = []
MISSING: list[str] = []

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
    x = np.array([as_number(value, column["notation"]) for value in values])
    missing = np.isnan(x)
    if np.isinf(x).any():
        raise ValueError("a value is not finite")
    x = np.where(missing, column["fill"], x)
    scaled = (x - column["center"]) / column["scale"] if column["scale"] else np.zeros(len(x))
    return [scaled, missing] if column["flag"] else [scaled]


def as_number(value, notation):
    """Return a value as a number, NaN if it is missing; text is read in the column's notation."""
    if is_missing(value) or (isinstance(value, str) and value.strip().lower() in MISSING):
        return np.nan
    if notation["kind"] == "durations":
        return seconds_of(value, notation)
    number = number_of(value, notation) if isinstance(value, str) else float(value)
    return np.nan if number in notation.get("missing", ()) else number


MAGNITUDES = {
    **dict.fromkeys(("k", "thousand", "tsd", "mille"), 1e3),
    **dict.fromkeys(("lakh", "lac"), 1e5),
    **dict.fromkeys(("m", "mn", "mio", "mln", "million", "millions"), 1e6),
    **dict.fromkeys(("cr", "crore"), 1e7),
    **dict.fromkeys(("b", "bn", "mrd", "mld", "billion", "billions"), 1e9),
    **dict.fromkeys(("t", "tn", "trillion", "trillions"), 1e12),
}


FIGURE = "([0-9]+(?:[.,][0-9]+)?)"
LENGTHS = (
    r"(-)?\s*(?:([0-9]+)\s*(?:d|days?)[.]?,?\s+)?[+]?([0-9]+):([0-5][0-9])"
    "(?::([0-5][0-9](?:[.,][0-9]+)?))?",
    rf"(-)?\s*(?:{FIGURE}\s*(?:d|days?|Tage?|jours?)[.]?,?\s*)?"
    rf"(?:{FIGURE}\s*(?:h|hrs?|hours?|Std)[.]?,?\s*)?"
    rf"(?:{FIGURE}\s*(?:m|mins?|minutes?)[.]?,?\s*)?(?:{FIGURE}\s*(?:s|secs?|seconds?)[.]?)?",
    f"(-)?P(?:{FIGURE}D)?(?:T(?:{FIGURE}H)?(?:{FIGURE}M)?(?:{FIGURE}S)?)?",
)


def seconds_of(value, notation):
    """Return a length of time, a text or a number of seconds, in seconds."""
    if isinstance(value, datetime.timedelta):
        return value.total_seconds()
    if not isinstance(value, str):
        return float(value)
    for way in LENGTHS:
        found = re.fullmatch(way, value.strip())
        if found and any(found.groups()[1:]):
            parts = [float((part or "0").replace(",", ".")) for part in found.groups()[1:]]
            total = sum(part * size for part, size in zip(parts, (86400, 3600, 60, 1), strict=True))
            if way == LENGTHS[0] and notation.get("minutes") and not (found[2] or found[5]):
                total /= 60
            return -total if found[1] else total
    raise ValueError(f"expected a length of time; got {value!r}")


def number_of(written, notation):
    """Return the number that a text writes with the notation's marks and units."""
    decimal, group = notation.get("decimal", "."), notation.get("group", "")
    text = re.sub("[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]", " ", written.strip())
    text = re.sub("[\u2212\u2012\u2013\ufe63\uff0d]", "-", text)
    text = re.sub("[\u2019\u2018\u02bc\u00b4`]", "'", text)
    text = re.sub("[\u200b-\u200f\u2060\ufeff]", "", text).strip().removeprefix("'")
    text = re.sub(r"(\d)[.,]\s?--?$", r"\1", text).strip()
    mark, whole = re.escape(decimal), "[0-9]+"
    if group == "indian":
        whole = "(?:[1-9][0-9]?(?:,[0-9]{2})*,[0-9]{3}|[0-9]+)"
    elif group:
        whole = "(?:[1-9][0-9]{0,2}(?:%s[0-9]{3})+|[0-9]+)" % re.escape(group)  # noqa: UP031
    body = f"({whole}(?:{mark}[0-9]*)?(?:[eE][+-]?[0-9]+)?|{mark}[0-9]+(?:[eE][+-]?[0-9]+)?)"
    units = "|".join(re.escape(unit) for unit in sorted(notation.get("units", ()), key=len)[::-1])
    unit = rf"(?:(?i:{units})\s*)?" if units else ""
    size = "|".join(sorted(MAGNITUDES, key=len)[::-1])
    last = rf"(?:(?i:{size})[.]?\s*)?{unit}" if notation.get("magnitudes") else unit
    ways = (
        (rf"{unit}[+]?\s*{unit}{body}\s*{last}", 1),
        (rf"{unit}-\s*{unit}{body}\s*{last}", -1),
        (rf"{unit}[(]\s*{unit}{body}\s*{last}[)]\s*{unit}", -1),
        (rf"{unit}{body}\s*{last}-\s*{unit}", -1),
    )
    for way, sign in ways:
        found = re.fullmatch(way, text)
        if found:
            digits = (
                found[1].replace("," if group == "indian" else group, "") if group else found[1]
            )
            number = sign * float(digits.replace(decimal, "."))
            factor = re.search(rf"[0-9][.,]?\s*((?i:{size}))(?:[^a-zA-Z]|$)", text)
            if factor and notation.get("magnitudes"):
                number *= MAGNITUDES[factor[1].lower()]
            return number
    raise ValueError(f"expected a number; got {written!r}")


def boolean(column, values):
    """Return 1 for true and 0 for false, and whether it is missing."""
    x = np.full(len(values), np.nan)
    for row, value in enumerate(values):
        text = "" if is_missing(value) else str(value).strip().lower()
        if text not in MISSING:
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
    texts = [as_text(value, column["notation"]) for value in values]
    code = np.array([codes.get(text, 0) if text else none for text in texts])
    if column["as_codes"]:
        return [code]
    inputs = [code == place for place in range(1, count + 1)]
    inputs += [code == 0] if column["other"] else []
    return inputs + ([code == none] if column["missing"] else [])


def as_text(value, notation):
    """Return a category as text; a whole number is written without a fraction."""
    if value is None or value != value:
        return ""
    if isinstance(value, datetime.timedelta):
        value = value.total_seconds()
    if isinstance(value, str) and notation["kind"] in ("numbers", "durations"):
        number = as_number(value, notation)
        return "" if np.isnan(number) else as_text(number, notation)
    if isinstance(value, (bool, np.bool_)):
        return str(value).lower()
    if isinstance(value, (float, np.floating)):
        number = float(value)
        return str(int(number)) if number.is_integer() and abs(number) < 2**53 else repr(number)
    return "" if str(value).strip() in notation.get("missing", ()) else str(value).strip()


def date(column, values):
    """Return the parts of dates: the year, and places on circles."""
    times = np.array([as_time(value, column["notation"]) for value in values], "datetime64[us]")
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


def as_time(value, notation):
    """Return a date or a time as NumPy's, by the clock of the notation's zone."""
    if is_missing(value) or (isinstance(value, str) and value.strip().lower() in MISSING):
        return np.datetime64("NaT", "us")
    if isinstance(value, str):
        value = time_of(value.strip(), notation.get("format") or "%Y-%m-%d")
    if isinstance(value, datetime.time):
        seconds = value.hour * 3600 + value.minute * 60 + value.second
        return np.datetime64(0, "us") + np.timedelta64(seconds, "s")
    if isinstance(value, datetime.datetime):
        if value.tzinfo is not None and notation.get("zone"):
            value = value.astimezone(zoneinfo.ZoneInfo(notation["zone"]))
        value = value.replace(tzinfo=None)  # the clock of its own zone
    return np.datetime64(value, "us")


CLOCK = (
    r"(?P<clock>[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]+)?)?)"
    r"(?:\s*(?P<half>[AaPp])[.]?[Mm][.]?|\s*Uhr)?"
)
PARTS = {
    "%Y": "(?P<Y>[0-9]{4})",
    "%y": "(?P<y>[0-9]{2})",
    "%m": "(?P<m>[0-9]{1,2})",
    "%d": "(?P<d>[0-9]{1,2})(?:st|nd|rd|th)?",
    "%b": "(?P<b>(?i:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-zA-Z]*[.]?)",
    " ": r"[\s\-/,.]+",
}
YEAR_LAST = (
    "^([A-Za-z]+,? +[A-Za-z]+ +[0-9]{1,2}) +([0-9:.]+)(?: +([A-Z]{3}|[+-][0-9]{4}))? +([0-9]{4})$"
)
MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()  # noqa: SIM905


def time_of(text, written):
    """Return the date, or the time of day, that a text writes."""
    if re.match(r"(?i:mon|tue|wed|thu|fri|sat|sun)[a-zA-Z]*,? +(?i:[a-z]{3,9}) +[0-9]", text):
        text = re.sub(r"\s*[(][A-Za-z ]+[)]$", "", text)  # as C and browsers write it
        text = re.sub("(?:GMT|UTC)([+-][0-9])", r"\1", text)
        text = re.sub(YEAR_LAST, r"\1 \4 \2 \3", text).strip()
    if written == "%H:%M":
        pattern = CLOCK
    else:
        day = "".join(PARTS.get(p, re.escape(p)) for p in re.findall("%.|.", written))
        weekday = r"(?:(?i:mon|tue|wed|thu|fri|sat|sun)[a-zA-Z]*[.]?,?\s+)?"
        zone = "(?P<zone>Z|z|UTC|GMT|[+-][0-9]{2}(?::?[0-9]{2})?)?"
        pattern = rf"{weekday}{day}(?:(?:\s*[Tt,:]\s*|\s+){CLOCK}\s*{zone})?"
    if re.fullmatch(r"(?:0000[-/.]?00[-/.]?00|00[-/.]00[-/.](?:00)?00)(?:[T ][0:.Z]*)?", text):
        return np.datetime64("NaT", "us")
    found = re.fullmatch(pattern, text)
    if not found:
        raise ValueError(f"expected a date written as {written}; got {text!r}")
    part = found.groupdict()
    hour, minute, second = ((part["clock"] or "0:0").replace(",", ".") + ":0").split(":")[:3]
    hour = int(hour) % 12 if part["half"] else int(hour)
    hour += 12 if (part["half"] or "").lower() == "p" else 0
    fraction = round(float(second) % 1 * 1e6)
    clock = datetime.time(hour, int(minute), int(float(second)), min(fraction, 999_999))
    if written == "%H:%M":
        return clock
    year = int(part.get("Y") or part["y"])
    if not part.get("Y"):
        year += 1900 if year >= 69 else 2000
    month = MONTHS.index(part["b"][:3].lower()) + 1 if part.get("b") else int(part["m"])
    at = datetime.datetime.combine(datetime.date(year, month, int(part.get("d") or 1)), clock)
    zone = part["zone"]
    if not zone:
        return at
    digits = zone[1:].replace(":", "") if zone[0] in "+-" else "0000"
    offset = datetime.timedelta(hours=int(digits[:2]), minutes=int(digits[2:] or 0))
    sign = -1 if zone[0] == "-" else 1
    return at.replace(tzinfo=datetime.timezone(sign * offset))


ENCODERS = {"numeric": numeric, "boolean": boolean, "category": category, "date": date}
