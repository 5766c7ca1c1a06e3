"""The form of a column's numbers, recognised from a sample of its texts."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from chainrule.tables.notations.base import MOST_UNREADABLE
from chainrule.tables.notations.numbers import MAGNITUDES, Numbers, number_pattern

CURRENCIES = frozenset(
    """
    R$ US$ A$ C$ CA$ AU$ NZ$ HK$ S$ Rs Rs. kr kr. zł Kč Ft TL Fr. SFr. lei lv.
    AED ARS AUD BGN BRL CAD CHF CLP CNY COP CZK DKK EGP EUR GBP HKD HUF IDR ILS INR JPY KRW MXN MYR
    NOK NZD PEN PHP PKR PLN RMB RON RUB SAR SEK SGD THB TRY TWD UAH USD VND ZAR
    """.split()  # noqa: SIM905
)
"""Currencies that may stand right before a number, besides every Unicode currency sign."""

# A number with a sign, parentheses and units. A unit begins with no digit, mark or slash, so that
# "2024-01-05", "10:30", "1/2" and the range "18-24" do not match.
_FORM = re.compile(
    r"""
    (?P<before>(?:[^\d\s+\-(.,'/](?:[^\d+\-(]{0,10}(?:[^\d+\-(.,']|[.]\s))?))?\s*
    (?P<sign>[+-])?\s*(?P<open>\()?\s*
    (?P<inner>(?:[^\d\s+\-(.,'/](?:[^\d+\-(]{0,10}(?:[^\d+\-(.,']|[.]\s))?))?\s*
    (?P<number>[.,]?\d(?:[\d.,']|[ ](?=\d))*(?:[eE][+-]?\d+)?)
    \s*(?P<after>[^\d\s+\-():/.,'][^\d\s()]*[23]?(?:[ ][^\d\s()]+){0,2})?
    \s*(?P<close>\))?\s*(?P<trailing>-)?
    """,
    re.VERBOSE,
)
PLAIN = r"-?(?:0|[1-9][0-9]{0,14})(?:\.[0-9]+)?"
"""How a computer writes most numbers, as a regular expression."""
_PLAIN = re.compile(PLAIN)
_CODE = re.compile(r"[+-]?0\d+")
_ONE_MARK = re.compile(r"\d{1,3}([.,])\d{3}")
_MARKS = (
    *((".", ""), (".", ","), (".", " "), (".", "'"), (".", "indian")),
    *((",", ""), (",", "."), (",", " "), (",", "'")),
)
# Programs omit trailing zeros of decimals. That none of so many numbers ends in 0 by chance has a
# probability of 0.9**30, 4 %: the mark is more likely one of thousands.
_ENOUGH_WITH_THREE = 30
_DIGITS_OF_PHONES = 9
_LARGEST_EXACT = 2**53

_Forms: TypeAlias = "Mapping[re.Match[str], int]"
"""The match of each distinct text, with the count of the text."""

_AMBIGUOUS = frozenset({"m", "b", "t", "cr"})
"""Magnitudes that may also be a unit."""

_UNITS = frozenset(
    """
    % ‰ kg g mg t lb lbs oz km m cm mm mi ft in yd l ml cl gal h hr hrs min s sec ms day days d week
    weeks month months year years yr yrs hour hours minute minutes °c °f c f k kb mb gb tb w kw kwh
    hp bn mn mio mrd b usd eur gbp
    """.split()  # noqa: SIM905
)
"""Units by which texts are recognised as numbers if a column has several units."""


@dataclass(frozen=True)
class NumberForm:
    """The form of a sample of texts.

    Parameters
    ----------
    notation : Numbers or None
        None if they are not numbers.
    other : Numbers or None
        The notation that fits equally well, which the other columns of the table may decide for:
        1,234 in a table with decimal commas.
    is_code : bool
        Whether they consist of digits but are identifiers: 00501, or beyond 2⁵³.
    units : mapping of str to int
        The units with their counts, if there are several.
    decimal : str
        The decimal mark that these numbers prove; "" if they prove none.
    """

    notation: Numbers | None
    other: Numbers | None = None
    is_code: bool = False
    units: tuple[tuple[str, int], ...] = ()
    decimal: str = ""


NO_NUMBERS = NumberForm(None)


def number_form(sample: Sequence[str]) -> NumberForm:
    """Return the form of texts, which are tidy; none is empty or a word for a missing value."""
    if all(map(_PLAIN.fullmatch, sample)):  # most columns of numbers, and the quickest look
        return plain_form(sample)
    # Each distinct text once: most columns of text have few.
    found = {
        form: n
        for text, n in Counter(sample).items()
        if (form := _FORM.fullmatch(text)) is not None
    }
    matching = sum(found.values())
    enough = (1 - MOST_UNREADABLE) * len(sample)
    if not found or matching < enough:
        return NO_NUMBERS
    numbers = Counter[str]()
    for form, n in found.items():
        numbers[form["number"]] += n
    if _are_codes(numbers) or _are_phones(found):
        return NumberForm(None, is_code=True)
    units, several, scaled = _units(found)
    if several:
        return NumberForm(None, units=several)
    if units is None:
        return NO_NUMBERS
    marks = _marks(numbers, enough)
    if marks.notation is None:
        return NO_NUMBERS
    other = None
    if marks.other is not None:
        other = replace(marks.other, units=units, magnitudes=scaled)
    notation = replace(marks.notation, units=units, magnitudes=scaled)
    return replace(marks, notation=notation, other=other)


def _are_codes(numbers: Mapping[str, int]) -> bool:
    """Tell whether digits are identifiers: with leading zeros, or too large for an exact float."""
    digits = {text: n for text, n in numbers.items() if text.isdecimal()}
    total = sum(digits.values())
    zeros = sum(n for text, n in digits.items() if _CODE.fullmatch(text))
    if zeros and (zeros > 0.01 * total or (total > 2 and len({len(t) for t in digits}) == 1)):
        return True
    return any(len(text) > 16 or int(text) > _LARGEST_EXACT for text in digits)


def _are_phones(forms: _Forms) -> bool:
    """Tell whether numbers are telephone numbers: +4930123456, all but a few with a sign."""
    signed = sum(
        n
        for form, n in forms.items()
        if form["sign"] == "+" and len(form["number"]) >= _DIGITS_OF_PHONES
    )
    return signed >= (1 - MOST_UNREADABLE) * sum(forms.values())


def _units(
    forms: _Forms,
) -> tuple[tuple[str, ...] | None, tuple[tuple[str, int], ...], bool]:
    """Return the unit's spellings, the units if there are several, and whether magnitudes scale.

    The first result is None if too many texts do not begin like numbers. There may be one unit
    before the numbers and one after them. Magnitudes (K, M) scale the numbers if the last result
    is true.
    """
    spelled: Counter[str] = Counter()
    scales: Counter[str] = Counter()
    bad = 0
    total = sum(forms.values())
    for form, n in forms.items():
        before = (form["before"] or form["inner"] or "").strip()
        after = (form["after"] or "").strip()
        if before and not is_currency(before):
            bad += n
        magnitude, money = _divided(after)
        scales[magnitude] += n
        if before and money:
            bad += n
        for unit in {before, money if magnitude else after} - {""}:
            spelled[unit] += n
    if bad > MOST_UNREADABLE * total:
        return None, (), False
    scaled = _scale(scales)
    if not scaled:
        spelled.update({unit: n for unit, n in scales.items() if unit})
    groups: dict[str, Counter[str]] = {}
    for unit, count in spelled.items():
        key = unit.casefold().rstrip(".")
        key = key[:-1] if len(key) > 2 and key.endswith("s") else key
        groups.setdefault(key, Counter())[unit] += count
    common = {key: sum(units.values()) for key, units in groups.items()}
    frequent = [key for key, n in common.items() if n > MOST_UNREADABLE * total]
    if len(frequent) > 1 and not _one_each_side(frequent, forms):
        if not all(key in _UNITS or _is_money(key) for key in frequent):
            return None, (), False
        top = sorted(frequent, key=lambda key: (-common[key], key))[:4]
        return (), tuple((groups[key].most_common(1)[0][0], common[key]) for key in top), False
    if not frequent and common:
        few = sum(common.values()) <= MOST_UNREADABLE * total
        return () if few else None, (), scaled
    return tuple(sorted(unit for key in frequent for unit in groups[key])), (), scaled


def _divided(after: str) -> tuple[str, str]:
    """Return a magnitude and the currency after it ("Mio. €"); "" for either that is absent."""
    first, _, rest = after.partition(" ")
    if first.rstrip(".").casefold() in MAGNITUDES and (not rest or is_currency(rest)):
        return first, rest
    glued = re.fullmatch(r"([A-Za-z]+)(\W)", after)  # 5M€
    if glued and glued[1].casefold() in MAGNITUDES and is_currency(glued[2]):
        return glued[1], glued[2]
    return "", ""


def _scale(scales: "Counter[str]") -> bool:
    """Tell whether magnitudes scale the numbers: several occur, or some numbers have none.

    A magnitude that all numbers share is a unit. So is an ambiguous one such as m, for metres.
    """
    found = {unit.rstrip(".").casefold() for unit in scales if unit}
    factors = {MAGNITUDES[unit] for unit in found}
    return len(factors) > 1 or (bool(found - _AMBIGUOUS) and scales[""] > 0)


def _one_each_side(frequent: Sequence[str], forms: _Forms) -> bool:
    """Tell whether numbers have two units, one of them a currency, on either side."""
    if len(frequent) != 2 or sum(map(_is_money, frequent)) != 1:
        return False
    both = sum(
        n for form, n in forms.items() if (form["before"] or form["inner"]) and form["after"]
    )
    return both >= (1 - MOST_UNREADABLE) * sum(forms.values())


def _is_money(key: str) -> bool:
    return is_currency(key.upper()) or is_currency(key)


def is_currency(text: str) -> bool:
    """Tell whether a text is a currency: €, US$, CHF."""
    import unicodedata

    return text in CURRENCIES or (len(text) == 1 and unicodedata.category(text) == "Sc")


def _marks(numbers: Mapping[str, int], enough: float) -> NumberForm:
    """Return the decimal mark and group separator that fit the column as a whole."""
    fits: dict[tuple[str, str], int] = {}
    for decimal, group in _MARKS:
        pattern = re.compile(number_pattern(decimal, group))
        fits[decimal, group] = sum(n for text, n in numbers.items() if pattern.fullmatch(text))
        if fits[_MARKS[0]] == sum(numbers.values()):
            return _pointed(numbers)  # nothing can fit better
    best = max(fits.values())
    if best < enough:
        return NO_NUMBERS
    decimal, group = next(marks for marks in _MARKS if fits[marks] == best)
    if (decimal, group) == (".", ""):
        return _pointed(numbers)
    if (decimal, group) in ((".", ","), (",", "")) and fits[".", ","] == fits[",", ""] == best:
        # 1,234 and no other number that decides: a thousand, or a fraction with three decimals.
        return NumberForm(Numbers(".", ","), other=Numbers(","))
    proved = decimal if any(_shows(text, decimal, group) for text in numbers) else ""
    return NumberForm(Numbers(decimal, group), decimal=proved)


def plain_form(sample: Sequence[str]) -> NumberForm:
    """Return the form of texts that all match `PLAIN`."""
    numbers = [text.removeprefix("-") for text in sample if "." in text]
    if not all(map(_may_be_thousands, numbers)):  # nearly always the first says so
        return NumberForm(Numbers(), decimal=".")
    return _pointed(Counter(text.removeprefix("-") for text in sample) if numbers else {})


def _pointed(numbers: Mapping[str, int]) -> NumberForm:
    """Return the form of numbers with decimal points; 1.234 may also be a thousand."""
    marked = {text: n for text, n in numbers.items() if "." in text}
    if not marked:
        return NumberForm(Numbers())
    if not all(map(_may_be_thousands, marked)):
        return NumberForm(Numbers(), decimal=".")
    whole = [text for text in numbers if text.isdecimal()]
    enough = sum(marked.values()) >= _ENOUGH_WITH_THREE
    if enough and whole and all(len(text) <= 3 for text in whole):
        return NumberForm(Numbers(",", "."), other=None)
    return NumberForm(Numbers(), other=Numbers(",", "."))


def _may_be_thousands(text: str) -> bool:
    """Tell whether the mark in a number may separate thousands: 1.234."""
    return _ONE_MARK.fullmatch(text) is not None and not text.startswith("0")


def _shows(text: str, decimal: str, group: str) -> bool:
    """Tell whether a number proves which of its marks is the decimal one."""
    return decimal in text or (group in (",", ".") and text.count(group) > 1)
