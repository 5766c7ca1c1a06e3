"""The activations in C, in float32, as stable as in `chainrule.equations.activations`."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from chainrule.equations.activations.elu import SELU_ALPHA, SELU_SCALE
from chainrule.errors import InvalidArgumentError

_NEEDS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"silu": ("sigmoid",), "mish": ("softplus",), "selu": ("elu",)}
)

_SOURCES: Mapping[str, str] = MappingProxyType(
    {
        "sigmoid": """\
static float sigmoid_of(float z)
{
    float e = expf(-fabsf(z));
    return (z < 0.0f ? e : 1.0f) / (1.0f + e);
}""",
        "tanh": "static float tanh_of(float z) { return tanhf(z); }",
        "relu": "static float relu_of(float z) { return z < 0.0f ? 0.0f : z; }",
        "leaky_relu": (
            "static float leaky_relu_of(float z, float slope) { return z < 0.0f ? slope * z : z; }"
        ),
        "elu": (
            "static float elu_of(float z, float alpha) { return z < 0.0f ? alpha * expm1f(z) : z; }"
        ),
        "selu": (
            "static float selu_of(float z) "
            f"{{ return {SELU_SCALE!r}f * elu_of(z, {SELU_ALPHA!r}f); }}"
        ),
        "gelu": (
            "static float gelu_of(float z) { return 0.5f * z * erfcf(-0.70710678118654752f * z); }"
        ),
        "silu": "static float silu_of(float z) { return z * sigmoid_of(z); }",
        "softplus": (
            "static float softplus_of(float z) "
            "{ return (z < 0.0f ? 0.0f : z) + log1pf(expf(-fabsf(z))); }"
        ),
        "mish": "static float mish_of(float z) { return z * tanhf(softplus_of(z)); }",
        "exponential": "static float exponential_of(float z) { return expf(z); }",
        "softmax": """\
static void softmax(float *a, int n)
{
    float most = a[0], sum = 0.0f;
    int i;
    for (i = 1; i < n; i++)
        if (a[i] > most)
            most = a[i];
    for (i = 0; i < n; i++) {
        a[i] = expf(a[i] - most);
        sum += a[i];
    }
    for (i = 0; i < n; i++)
        a[i] /= sum;
}""",
    }
)


def definitions(names: Sequence[str]) -> list[str]:
    """Return the functions of activations, and of those that they call, callees first.

    Raises
    ------
    InvalidArgumentError
        If there is none of a name.
    """
    ordered: dict[str, str] = {}
    for name in names:
        if name == "identity":
            continue
        if name not in _SOURCES:
            raise InvalidArgumentError(f"activation: {name} cannot be exported to C")
        for each in (*_NEEDS.get(name, ()), name):
            ordered[each] = _SOURCES[each]
    return list(ordered.values())
