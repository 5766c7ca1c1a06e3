r"""Reads a line of TeX with numbers, and computes it again in interval arithmetic.

Every number stands for all numbers that are rounded to it, so the result of a line must lie in the
interval of its calculation: no tolerance is chosen.
"""

import re

from mpmath import iv

_NUMBER = re.compile(r"(?<![\w.])(\d+(?:\.\d+)?)(?: \\cdot 10\^\{(-?\d+)\})?")


def sides(line):
    """Return the calculation and the result of a line such as z = 2 · 3 = 6."""
    parts = re.split(r" = |\\leftarrow", line)
    return parts[1:-1], parts[-1]


def computed(line, digits):
    """Return the interval of the calculation, and that of the shown result; None without one."""
    calculations, result = sides(line)
    # A long sum is shown in part; σ(…) names a function; settings are a list.
    if not calculations or any(
        word in calculations[-1] for word in (r"\cdots", r"\sigma", r"\quad")
    ):
        return None
    return _evaluated(calculations[-1], digits), _evaluated(result, digits)


def consistent(line, digits=4):
    """Tell whether a line's result is that of its calculation, as far as its digits show."""
    both = computed(line, digits)
    if both is None:
        return True
    calculated, shown = both
    return not (calculated.b < shown.a or shown.b < calculated.a)


def number(tex):
    """Return a number in TeX, without an exponent or with one."""
    mantissa, _, exponent = tex.partition(r" \cdot 10^{")
    return float(mantissa) * 10.0 ** int(exponent.removesuffix("}") or 0)


def _evaluated(tex, digits):
    text = _fractions(_NUMBER.sub(lambda number: _interval(number, digits), tex))
    for tex_name, name in (
        (r"\tfrac12", "N(0.5)*"),
        (r"\left", ""),
        (r"\right", ""),
        (r"\cdot", "*"),
        (r"\tanh", "TANH"),
        (r"\max", "MAX"),
        (r"\min", "MIN"),
        (r"\operatorname{sign}", "SIGN"),
        (r"\log", "LOG"),
        (r"\sqrt", "SQRT"),
        ("[", "("),
        ("]", ")"),
        ("^", "**"),
        ("{", "("),
        ("}", ")"),
    ):
        text = text.replace(tex_name, name)
    text = re.sub(r"\be\*\*", "E**", text)
    text = re.sub(r"(TANH|LOG) (N\([^()]*\))", r"\1(\2)", text)
    text = re.sub(r"\) \(", ")*(", text)
    names = {"N": _number, "E": iv.e, "TANH": _tanh, "MAX": _max, "MIN": _min, "SIGN": _sign}
    return eval(text, names | {"LOG": iv.log, "SQRT": iv.sqrt})


def _fractions(text):
    r"""Return a text with \frac{a}{b} and \tfrac{a}{b} as ((a)/(b))."""
    while found := re.search(r"\\t?frac(?=\{)", text):
        top, rest = _braced(text[found.end() :])
        bottom, rest = _braced(rest)
        text = f"{text[: found.start()]}(({top})/({bottom})){rest}"
    return text


def _braced(text):
    """Return what stands in the braces that a text begins with, and what follows them."""
    depth = 0
    for index, letter in enumerate(text):
        depth += {"{": 1, "}": -1}.get(letter, 0)
        if not depth:
            return text[1:index], text[index + 1 :]
    raise AssertionError(text)


def _interval(match, digits):
    mantissa, exponent = match[1], int(match[2] or 0)
    return f'N("{mantissa}", {exponent}, {digits})'


def _number(text, exponent=0, digits=99):
    value = iv.mpf(text)
    decimals = len(str(text).partition(".")[2])
    significant = len(str(text).replace(".", "").lstrip("0"))
    # Fewer digits than are shown at most: the number is exact, or its zeros were left out.
    half = iv.mpf(10) ** -(decimals + max(0, digits - significant)) / 2
    return (value + iv.mpf([-half.b, half.b])) * iv.mpf(10) ** exponent


def _tanh(x):
    return 1 - 2 / (iv.exp(2 * x) + 1)


def _max(x, y):
    return iv.mpf([max(x.a, iv.mpf(y).a), max(x.b, iv.mpf(y).b)])


def _min(x, y):
    return -_max(-iv.mpf(x), -iv.mpf(y))


def _sign(x):
    return iv.mpf(1 if x.a > 0 else -1 if x.b < 0 else [-1, 1])
