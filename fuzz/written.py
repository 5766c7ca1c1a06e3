"""Columns as people write them: numbers of several countries, money, lengths of time, dates, words.

A source of random numbers, made of a fuzzer's bytes, draws them; some rows are of another notation,
missing, or cut off in the middle.
"""

import random

MISSING = ("", "NA", "n/a", "-", "?", "NULL", "NaN", "#DIV/0!", "unknown", " ", "0000-00-00", "\\N")
UNITS = (
    "%",
    " %",
    " kg",
    " years",
    " m²",
    "€",
    " EUR",
    " Mio. €",
    "K",
    "M",
    "B",
    " Lakh",
    "°C",
    "d",
)
MONEY = ("$", "€ ", "CHF ", "Rs. ", "R$", "US$ ", "£", "kr")
SPACES = (" ", "\u00a0", "\u202f", "'", "’", ".", ",")
MINUS = ("-", "\u2212", "–", "- ")
DAYS = ("%Y-%m-%d", "%d.%m.%Y", "%m/%d/%y", "%d %b %Y", "%d%b%Y", "%b-%y", "%B %d, %Y", "%Y%m%d")
CLOCKS = ("", " %H:%M", "T%H:%M:%SZ", " %I:%M %p", ", %H:%M Uhr", ":%H:%M:%S", " %H:%M:%S +0200")
EDGES = (
    *("-0", "1e400", "9" * 25, "<0.5", "007", "1.234", "1,234", "(37)", "37-", "+4930123456", "2e"),
    *(
        "P1DT2H",
        "1:02:03",
        "99:59",
        "1 day, 0:00:00",
        "24:00",
        "1.2.3",
        "2024-W05",
        "true",
        "0",
        "É",
    ),
    *("-999", "9" * 4000 + ":00", "12:61", "31.02.2024", "Sat Jun 3 10:00:00 2023", "1\u2028,5"),
)


def column(source: random.Random, rows: int) -> list[str]:
    """Return a column of texts in one notation, nearly always."""
    main = _writer(source)
    other = _writer(source)
    odd = source.choice((0, 0, 0.02, 0.1, 0.5))
    absent = source.choice((0, 0, 0.1, 0.9, 1))
    return [
        source.choice(MISSING)
        if source.random() < absent
        else (other if source.random() < odd else main)()
        for _ in range(rows)
    ]


def table(source: random.Random) -> bytes:
    """Return a table as CSV in one of its forms."""
    rows, width = source.choice((1, 3, 20, 60)), source.randrange(1, 4)
    columns = [column(source, rows) for _ in range(width)]
    separator = source.choice(",;\t|")
    names = [source.choice(("x", "id", "value", "Ünit")) + str(n) for n in range(width)]
    lines = [names, *map(list, zip(*columns, strict=True))]
    end = source.choice(("\n", "\r\n"))
    text = "".join(
        separator.join(_field(cell, separator, source) for cell in line) + end for line in lines
    )
    return text.encode(source.choice(("utf-8", "utf-8-sig", "utf-16", "cp1252")), "replace")


def _field(cell: str, separator: str, source: random.Random) -> str:
    if any(sign in cell for sign in (separator, '"', "\n")) and source.random() < 0.98:
        return '"' + cell.replace('"', '""') + '"'
    return cell


def _writer(source: random.Random):
    """Return a function that writes one more value of a notation."""
    kind = source.randrange(5)
    if kind == 0:
        return lambda: source.choice(EDGES)
    if kind == 1:
        days, clock = source.choice(DAYS), source.choice(CLOCKS)
        return lambda: _moment(source).strftime(days + clock)
    if kind == 2:
        form = source.choice(("{h}:{m:02d}", "{h}:{m:02d}:{m:02d}", "{h} days {m:02d}:00:00"))
        return lambda: form.format(h=source.randrange(60), m=source.randrange(60))
    if kind == 3:
        digits = source.choice((1, 5, 18))
        return lambda: str(source.randrange(10**digits)).zfill(source.choice((1, digits)))
    point, group = source.choice(".,"), source.choice((*SPACES, ""))
    before = source.choice(("", *MONEY)) if source.random() < 0.5 else ""
    after = source.choice(("", *UNITS)) if source.random() < 0.5 else ""
    decimals = source.randrange(4)

    def number() -> str:
        value = source.choice((source.uniform(-9, 9), source.uniform(-5e6, 5e6)))
        text = f"{abs(value):,.{decimals}f}".replace(".", "p").replace(",", group)
        sign = source.choice(MINUS) if value < 0 else ""
        return before + sign + text.replace("p", point) + after

    return number


def _moment(source: random.Random):
    import datetime

    return datetime.datetime(1960, 1, 1) + datetime.timedelta(seconds=source.randrange(3 * 10**9))
