"""Intervals and sets in C: a function from the inputs to the ends, or to the members of a set."""

from chainrule.exports.c_text import c_double
from chainrule.exports.program import Program

# Of CP3 and CP5, in double, as in the package.
_VALUES = """\
void {name}_interval(const float *x, double *lower, double *upper)
{{
    float y[{name}_OUTPUTS];
    int i;
    {name}_predict(x, y);
    for (i = 0; i < {name}_OUTPUTS; i++) {{
        lower[i] = (double)y[i] - quantile[i];
        upper[i] = (double)y[i] + quantile[i];{bounded}
    }}
}}"""
_BOUNDED = """
        if (lower[i] < {lowest})
            lower[i] = {lowest};"""
_TRANSFORMED = """\
static double exactly_undone(double t)
{{
    return {center} + {spread} * ({rise} * exp(t) - {fall} * exp(-t));
}}

void {name}_interval(const float *x, double *lower, double *upper)
{{
    double t[{name}_OUTPUTS];
    int i;
    learned(x, t);
    for (i = 0; i < {name}_OUTPUTS; i++) {{
        t[i] = t[i] < {low} ? {low} : t[i] > {high} ? {high} : t[i];
        lower[i] = exactly_undone(t[i] - quantile[i]);
        upper[i] = exactly_undone(t[i] + quantile[i]);
    }}
}}"""
_CLASSES = """\
void {name}_set(const float *x, int *members)
{{
    float y[{name}_OUTPUTS];
    int i;
    {name}_predict(x, y);
    for (i = 0; i < {name}_OUTPUTS; i++)
        members[i] = 1.0 - (double)y[i] <= quantile[0];
}}"""
_ROW = """\
void {name}_{what}_row(const {name}_row *row, {outputs})
{{
    float x[{name}_INPUTS];
    {name}_encode(row, x);
    {name}_{what}(x, {arguments});
}}"""


def _of_values(program: Program) -> bool:
    return program.meaning == "values"


def _what(program: Program) -> tuple[str, str, str]:
    """Return the function's name, its parameters after the input, and their names."""
    if _of_values(program):
        return "interval", "double *lower, double *upper", "lower, upper"
    return "set", "int *members", "members"


def declarations(program: Program, name: str) -> str:
    """Return the declarations; "" if the export has no interval."""
    if program.interval is None:
        return ""
    what, outputs, _ = _what(program)
    meaning = (
        "lower and upper hold the true value"
        if _of_values(program)
        else f"members is 1 for each of {name}_classes that is likely enough; the true one is"
    )
    text = (
        f"/* From the inputs x: {meaning} in a share\n"
        f" * {program.interval.coverage!r} of new rows. */\n"
        f"void {name}_{what}(const float *x, {outputs});"
    )
    if program.columns:
        text += f"\nvoid {name}_{what}_row(const {name}_row *row, {outputs});"
    return text


def definitions(program: Program, name: str) -> str:
    """Return the definitions; "" if the export has no interval."""
    interval = program.interval
    if interval is None:
        return ""
    numbers = ", ".join(_number(each) for each in interval.quantile.tolist())
    parts = [f"static const double quantile[{interval.quantile.size}] = {{ {numbers} }};"]
    what, outputs, arguments = _what(program)
    if not _of_values(program):
        parts.append(_CLASSES.format(name=name))
    elif program.transform is None:
        lowest = interval.lowest
        bounded = _BOUNDED.format(lowest=c_double(lowest)) if lowest > -float("inf") else ""
        parts.append(_VALUES.format(name=name, bounded=bounded))
    else:
        plain = program.transform.plain
        fields = ("center", "spread", "rise", "fall", "low", "high")
        numbers_of = {field: c_double(getattr(plain, field)) for field in fields}
        parts.append(_TRANSFORMED.format(name=name, **numbers_of))
    if program.columns:
        parts.append(_ROW.format(name=name, what=what, outputs=outputs, arguments=arguments))
    return "\n\n".join(parts)


def _number(value: float) -> str:
    return "HUGE_VAL" if value == float("inf") else c_double(value)
