"""Numbers formatted for people."""

import math

MINUS = "−"
DASH = "–"


def number(value: float, digits: int = 3) -> str:
    """Return a number with `digits` significant digits; a dash if it is undefined."""
    if not math.isfinite(value):
        return DASH
    size = abs(value)
    if size and (size >= 1e7 or size < 1e-4):
        shown = f"{value:.{digits - 1}e}"
        mantissa, exponent = shown.split("e")
        return f"{mantissa}e{int(exponent)}".replace("-", MINUS)
    decimals = max(0, digits - 1 - (math.floor(math.log10(size)) if size else 0))
    shown = f"{value:,.{min(decimals, digits + 3)}f}"
    if float(shown.replace(",", "")) == 0:
        shown = shown.lstrip("-") if size else "0"
    return shown.replace("-", MINUS)


def fixed(value: float, decimals: int = 3, *, sign: bool = False) -> str:
    """Return a number with fixed decimals, and a plus sign if asked; a dash if it is undefined."""
    if not math.isfinite(value):
        return DASH
    shown = f"{value:+,.{decimals}f}"
    if float(shown.replace(",", "")) == 0 or (value > 0 and not sign):
        shown = shown[1:]
    return shown.replace("-", MINUS)


def decimals_for(size: float, digits: int = 3) -> int:
    """Return the number of decimals that gives a number of this size `digits` significant ones."""
    if not math.isfinite(size) or size == 0:
        return digits
    return min(12, max(0, digits - 1 - math.floor(math.log10(abs(size)))))


def plain(value: float) -> str:
    """Return a table's value: integers without decimals, others with up to six digits."""
    if math.isfinite(value) and value == round(value) and abs(value) < 1e15:
        return f"{value:,.0f}".replace("-", MINUS)
    return f"{value:.6g}".replace("-", MINUS)


def share(value: float, digits: int = 1) -> str:
    """Return a fraction as a percentage."""
    if not math.isfinite(value):
        return DASH
    shown = f"{100 * value:.{digits}f}%"
    return (shown.lstrip("-") if float(shown[:-1]) == 0 else shown).replace("-", MINUS)


def small_share(value: float) -> str:
    """Return a fraction as a percentage in which 0 differs from a very small one."""
    if value == 0:
        return "0"
    return "<0.1%" if value < 0.001 else share(value)


def points(value: float) -> str:
    """Return a difference of fractions in percentage points, with its sign and without a unit."""
    if not math.isfinite(value):
        return DASH
    shown = f"{100 * value:+.1f}"
    return (shown[1:] if float(shown) == 0 else shown).replace("-", MINUS)


def signed(value: float, digits: int = 3) -> str:
    """Return a number with its sign."""
    shown = number(value, digits)
    return f"+{shown}" if math.isfinite(value) and value > 0 else shown


def count(value: int, noun: str, plural: str = "") -> str:
    """Return a number with its noun: 1 row, 2 rows."""
    return f"{value:,} {noun if value == 1 else plural or noun + 's'}"


def listed(names: list[str], last: str = "and") -> str:
    """Return names as an enumeration: a, b and c."""
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} {last} {names[-1]}"
