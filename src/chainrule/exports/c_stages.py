"""The stages of a network in C: a function for each kind, and statements that call it."""

import numpy as np

from chainrule.exports.c_text import c_array, c_float, c_loop
from chainrule.exports.stages import Activations, HeadActivation, Stage, stage_units
from chainrule.network.layers.operations import Affine, Binned, GroupedAffine, Periodic

_DENSE = """\
static void dense(const float *W, const float *b, const float *x, float *y, int n_in, int n_out)
{
    int i, j;
    for (j = 0; j < n_out; j++) {
        float sum = 0.0f;
        for (i = 0; i < n_in; i++)
            sum += W[i] * x[i];
        y[j] = sum + b[j];
        W += n_in;
    }
}"""


_BINNED = """\
static void binned(const int *columns, const float *lower, const float *width, float *a, int n,
                   int bins)
{
    int k;
    for (k = 0; k < bins; k++) {
        float e = (a[columns[k]] - lower[k]) / width[k];
        a[n + k] = e < 0.0f ? 0.0f : e > 1.0f ? 1.0f : e;
    }
}"""


_PERIODIC = """\
/* Values V cos(2 pi w x + c) + d of a unit x, from its f frequencies. */
static void periodic(float x, const float *w, const float *c, const float *V, const float *d,
                     int f, int s, float *e)
{
    int h, o;
    for (o = 0; o < s; o++)
        e[o] = d[o];
    for (h = 0; h < f; h++) {
        float cosine = cosf(w[h] * x + c[h]);
        for (o = 0; o < s; o++)
            e[o] += V[o * f + h] * cosine;
    }
}"""

_FUNCTIONS = {Affine | GroupedAffine: _DENSE, Binned: _BINNED, Periodic: _PERIODIC}


def functions(stages: tuple[Stage, ...]) -> list[str]:
    """Return the functions that the statements call, without those of activations."""
    return [
        function
        for kinds, function in _FUNCTIONS.items()
        if any(isinstance(stage, kinds) for stage in stages)
    ]


def statements(stages: tuple[Stage, ...], n_features: int) -> tuple[list[str], list[str], str]:
    """Return the constants, the statements, and the array that holds the result: `a` or `z`.

    The inputs are in `a`. An affine stage writes to the other array, all others to the same one.
    """
    constants: list[str] = []
    body: list[str] = []
    a, z = "a", "z"
    units_below = n_features
    for place, (stage, units) in enumerate(stage_units(stages, n_features), start=1):
        if isinstance(stage, Affine | GroupedAffine):
            constants += [
                c_array("float", f"W{place}", stage.W),
                c_array("float", f"b{place}", stage.b),
            ]
            if isinstance(stage, Affine):
                body.append(f"dense(W{place}, b{place}, {a}, {z}, {units_below}, {units});")
            else:
                body += _grouped(stage, place, a, z)
            a, z = z, a
        elif isinstance(stage, Binned):
            constants += [
                c_array("int", f"columns{place}", stage.columns),
                c_array("float", f"lower{place}", stage.lower),
                c_array("float", f"width{place}", stage.width),
            ]
            own = f"columns{place}, lower{place}, width{place}"
            body.append(f"binned({own}, {a}, {units_below}, {units - units_below});")
        elif isinstance(stage, Periodic):
            constants += _periodic_constants(stage, place)
            body += _periodic(stage, place, a, units_below)
        elif isinstance(stage, Activations):
            strength = ""
            if stage.strength is not None:
                strength = f"strength{place}"
                constants.append(c_array("float", strength, stage.strength))
            body += [line for part in stage.heads for line in _activated(part, a, strength)]
        else:
            constants += [
                c_array("float", f"scale{place}", stage.scale),
                c_array("float", f"shift{place}", stage.shift),
            ]
            body += c_loop(units, f"{a}[i] = {a}[i] * scale{place}[i] + shift{place}[i];")
        units_below = units
    return constants, body, a


def _grouped(stage: GroupedAffine, place: int, a: str, z: str) -> list[str]:
    groups, n_out, n_in = stage.W.shape
    parameters = f"W{place} + i * {n_out * n_in}, b{place} + i * {n_out}"
    arrays = f"{a} + i * {n_in}, {z} + i * {n_out}"
    return c_loop(groups, f"dense({parameters}, {arrays}, {n_in}, {n_out});")


def _periodic_constants(stage: Periodic, place: int) -> list[str]:
    rates = (2 * np.pi * stage.w.astype(np.float64)).astype(np.float32)
    return [
        c_array("int", f"columns{place}", stage.columns),
        c_array("float", f"w{place}", rates),
        c_array("float", f"c{place}", stage.c),
        c_array("float", f"V{place}", stage.V),
        c_array("float", f"d{place}", stage.d),
    ]


def _periodic(stage: Periodic, place: int, a: str, units: int) -> list[str]:
    """Return the statements that append PE2 of some units to the `units` ones in `a`."""
    k, s, F = stage.V.shape
    w, c, V, d = (f"{name}{place}" for name in ("w", "c", "V", "d"))
    parameters = f"{w} + i * {F}, {c} + i * {F}, {V} + i * {s * F}, {d} + i * {s}, {F}, {s}"
    return c_loop(k, f"periodic({a}[columns{place}[i]], {parameters}, {a} + {units} + i * {s});")


def _activated(part: HeadActivation, a: str, strength: str) -> list[str]:
    sigma = part.activation
    if sigma.name == "identity":
        return []
    if sigma.of_layer:
        return [f"{sigma.name}({a} + {part.begin}, {part.end - part.begin});"]
    more = "".join(f", {c_float(value)}" for _, value in sigma.settings)
    value = f"{sigma.name}_of({a}[i]{more})"
    if strength:
        value = f"{a}[i] + {strength}[i] * ({value} - {a}[i])"
    return [f"for (i = {part.begin}; i < {part.end}; i++)", f"    {a}[i] = {value};"]
