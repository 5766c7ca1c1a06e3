"""The activations, one row each.

To add an activation, add its equations to `chainrule.equations.activations`, a row here, and its
compiled twin.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import inf
from types import MappingProxyType

from chainrule.equations._array import Array
from chainrule.equations.activations.elu import (
    SELU_ALPHA,
    SELU_SCALE,
    elu,
    elu_derivative,
    selu,
    selu_derivative,
)
from chainrule.equations.activations.exponential import exponential, exponential_derivative
from chainrule.equations.activations.gelu import gelu, gelu_derivative
from chainrule.equations.activations.hard_swish import hard_swish, hard_swish_derivative
from chainrule.equations.activations.identity import identity, identity_derivative
from chainrule.equations.activations.mish import mish, mish_derivative
from chainrule.equations.activations.relu import (
    leaky_relu,
    leaky_relu_derivative,
    relu,
    relu_derivative,
)
from chainrule.equations.activations.sigmoid import sigmoid, sigmoid_derivative
from chainrule.equations.activations.silu import silu, silu_derivative
from chainrule.equations.activations.softmax import softmax
from chainrule.equations.activations.softplus import softplus, softplus_derivative
from chainrule.equations.activations.tanh import tanh, tanh_derivative
from chainrule.network.registry.values import ABOVE_0, ANY, BETWEEN_0_AND_1, Parameter, Range

# An activation that passes z > 0 (nearly) unchanged and maps z < 0 (nearly) to 0 halves the
# variance; the factor 2 of He initialisation restores it.
_RELU_FAMILY = "he_normal"


@dataclass(frozen=True, kw_only=True)
class ActivationRow:
    """An activation: its equations, properties of σ, and its spelling in other libraries.

    In the spellings for other libraries, a parameter's name in braces stands for its value.
    """

    function: Callable[..., Array]
    derivative: Callable[..., Array] | None
    """None for an activation of a whole layer, whose derivative is a Jacobian: BP1s."""
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    kinks: tuple[float, ...] = ()
    """The z at which σ′ is discontinuous, so central differences are invalid."""
    outputs: Range = ANY
    initializer: str = "glorot_uniform"
    """The initialiser that init="auto" selects for the weights feeding this activation."""
    zero_below: float = -inf
    """The z at and below which σ and σ′ are 0: units that stay there are dead."""
    flat_beyond: float = inf
    """The |z| above which σ′ is less than a fiftieth of its largest value."""
    scikit_learn: str = ""
    """scikit-learn's name for it in hidden layers; "" if scikit-learn does not support it there."""
    scikit_learn_output: str = ""
    """scikit-learn's name for it in output layers; "" if scikit-learn does not support it there."""
    torch: str
    """A module of torch.nn or, for an activation without parameters, an expression in z."""
    keras: str
    """A name for `keras.layers.Activation`, or a layer expression."""
    onnx: str
    """ONNX operators as nested calls whose arguments are z, numbers and attributes."""
    c: str
    """C99 body of a function of z or, for a whole-layer activation, of the n floats at a."""


ACTIVATIONS: Mapping[str, ActivationRow] = MappingProxyType(
    {
        "identity": ActivationRow(
            function=identity,
            derivative=identity_derivative,
            scikit_learn="identity",
            scikit_learn_output="identity",
            torch="nn.Identity()",
            keras="linear",
            onnx="z",
            c="return z;",
        ),
        "sigmoid": ActivationRow(
            function=sigmoid,
            derivative=sigmoid_derivative,
            outputs=BETWEEN_0_AND_1,
            flat_beyond=5.3,
            scikit_learn="logistic",
            scikit_learn_output="logistic",
            torch="nn.Sigmoid()",
            keras="sigmoid",
            onnx="Sigmoid(z)",
            c="float e = expf(-fabsf(z));\nreturn (z < 0.0f ? e : 1.0f) / (1.0f + e);",
        ),
        "tanh": ActivationRow(
            function=tanh,
            derivative=tanh_derivative,
            flat_beyond=3.0,
            scikit_learn="tanh",
            torch="nn.Tanh()",
            keras="tanh",
            onnx="Tanh(z)",
            c="return tanhf(z);",
        ),
        "relu": ActivationRow(
            function=relu,
            derivative=relu_derivative,
            kinks=(0.0,),
            initializer=_RELU_FAMILY,
            zero_below=0.0,
            scikit_learn="relu",
            torch="nn.ReLU()",
            keras="relu",
            onnx="Relu(z)",
            c="return z < 0.0f ? 0.0f : z;",
        ),
        "leaky_relu": ActivationRow(
            function=leaky_relu,
            derivative=leaky_relu_derivative,
            parameters={"slope": Parameter(0.01, 0.2)},
            kinks=(0.0,),
            initializer=_RELU_FAMILY,
            torch="nn.LeakyReLU({slope!r})",
            keras="layers.LeakyReLU(negative_slope={slope!r})",
            onnx="LeakyRelu(z, alpha={slope!r})",
            c="return z < 0.0f ? slope * z : z;",
        ),
        "elu": ActivationRow(
            function=elu,
            derivative=elu_derivative,
            parameters={"alpha": Parameter(1.0, 0.5)},
            kinks=(0.0,),
            initializer=_RELU_FAMILY,
            torch="nn.ELU({alpha!r})",
            keras="layers.ELU(alpha={alpha!r})",
            onnx="Elu(z, alpha={alpha!r})",
            c="return z < 0.0f ? alpha * expm1f(z) : z;",
        ),
        "selu": ActivationRow(
            function=selu,
            derivative=selu_derivative,
            kinks=(0.0,),
            torch="nn.SELU()",
            keras="selu",
            onnx=f"Selu(z, alpha={SELU_ALPHA!r}, gamma={SELU_SCALE!r})",
            c=f"return {SELU_SCALE!r}f * elu_of(z, {SELU_ALPHA!r}f);",
        ),
        "gelu": ActivationRow(
            function=gelu,
            derivative=gelu_derivative,
            initializer=_RELU_FAMILY,
            torch="nn.GELU()",
            keras="gelu",
            onnx="Mul(z, Mul(Add(Erf(Mul(z, 0.7071067811865476)), 1.0), 0.5))",
            c="return 0.5f * z * erfcf(-0.70710678118654752f * z);",
        ),
        "silu": ActivationRow(
            function=silu,
            derivative=silu_derivative,
            initializer=_RELU_FAMILY,
            torch="nn.SiLU()",
            keras="silu",
            onnx="Mul(z, Sigmoid(z))",
            c="return z * sigmoid_of(z);",
        ),
        "mish": ActivationRow(
            function=mish,
            derivative=mish_derivative,
            initializer=_RELU_FAMILY,
            torch="nn.Mish()",
            keras="mish",
            onnx="Mul(z, Tanh(Softplus(z)))",
            c="return z * tanhf(softplus_of(z));",
        ),
        "hard_swish": ActivationRow(
            function=hard_swish,
            derivative=hard_swish_derivative,
            kinks=(-3.0, 3.0),
            initializer=_RELU_FAMILY,
            zero_below=-3.0,
            torch="nn.Hardswish()",
            keras="hard_silu",
            onnx="HardSwish(z)",
            c="float gate = z + 3.0f;\n"
            "gate = gate < 0.0f ? 0.0f : gate > 6.0f ? 6.0f : gate;\n"
            "return z * (gate / 6.0f);",
        ),
        "softplus": ActivationRow(
            function=softplus,
            derivative=softplus_derivative,
            outputs=ABOVE_0,
            initializer=_RELU_FAMILY,
            torch="nn.Softplus()",
            keras="softplus",
            onnx="Softplus(z)",
            c="return (z < 0.0f ? 0.0f : z) + log1pf(expf(-fabsf(z)));",
        ),
        "exponential": ActivationRow(
            function=exponential,
            derivative=exponential_derivative,
            outputs=ABOVE_0,
            scikit_learn_output="exp",
            torch="torch.exp(z)",
            keras="exponential",
            onnx="Exp(z)",
            c="return expf(z);",
        ),
        "softmax": ActivationRow(
            function=softmax,
            derivative=None,
            outputs=BETWEEN_0_AND_1,
            scikit_learn_output="softmax",
            torch="nn.Softmax(dim=1)",
            keras="softmax",
            onnx="Softmax(z, axis=1)",
            c="""\
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
    a[i] /= sum;""",
        ),
    }
)
