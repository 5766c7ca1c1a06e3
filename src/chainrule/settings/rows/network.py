"""The network: its layers, what they begin with, and what goes into them."""

from chainrule.checks import MOST_UNITS
from chainrule.limits import COUNT, FLAG, Choice, Either, Readable, Whole
from chainrule.settings.names import read_activation
from chainrule.settings.setting import By, Option, Setting

# More would take the memory that there is before anything could say so.
_MOST_LAYERS = 10_000

NETWORK: tuple[Setting, ...] = (
    Setting(
        "preset",
        option=Option(
            "fast, standard or thorough: what is not set by another option.",
            default="standard",
            limit=Choice.of("fast", "standard", "thorough"),
        ),
    ),
    Setting(
        "seed",
        meaning="Decides initial weights, validation split and orders, by scikit-learn's own "
        "draws.",
        parameter="random_state",
        kind="int, RandomState or None",
        mlp=None,
        fit=None,
        option=Option(
            "Decides the split, the first weights and the order of rows.",
            default=0,
            limit=Whole(0, 2**32 - 1),
        ),
    ),
    Setting(
        "layers",
        meaning="Units of each hidden layer.",
        parameter="hidden_layer_sizes",
        kind="array-like of int",
        mlp=(100,),
        network=(128, 64),
        option=Option(
            "Units of the hidden layers (128,64), or none.",
            form="wholes",
            limit=Whole(1, MOST_UNITS),
            presets={"fast": (64,), "thorough": (256, 128)},
        ),
    ),
    Setting(
        "n_layers",
        Either(Whole(0, _MOST_LAYERS), (None,)),
        meaning="How many hidden layers, in place of as many as `hidden_layer_sizes` has: a number "
        "that a search can vary.",
        mlp=None,
    ),
    Setting(
        "n_units",
        Either(COUNT, (None,)),
        meaning="Units of every hidden layer, in place of those given.",
        mlp=None,
    ),
    Setting(
        "activation",
        meaning="Of the hidden layers: 'identity', 'logistic', 'tanh', 'relu', or any other of the "
        "package ('gelu', 'silu', 'leaky_relu(slope=0.2)', …). A list has one for each "
        "layer.",
        kind="str or list of str",
        mlp="relu",
        network=By("silu", "relu", "silu"),
        option=Option(
            "Of the hidden layers: relu, silu, tanh, gelu, …", limit=Readable(read_activation)
        ),
    ),
    Setting(
        "initial_weights",
        meaning="Weights to begin with, in the shapes of ``coefs_`` and ``intercepts_``.",
        kind="(coefs, intercepts) or None",
        mlp=None,
    ),
    Setting(
        "embeddings",
        meaning="Which columns of X, counted from 0, are codes: whole numbers from 0 to codes − 1. "
        "Each is looked up in a table of so many rows, which are learned, EM1. Codes are "
        "not standardised; the rows of ``coefs_[0]`` are of the other inputs, then of what "
        "was looked up.",
        kind="list of (column, codes, dimension) or None",
        mlp=None,
    ),
    Setting(
        "standardize",
        FLAG,
        meaning="Whether inputs are brought to mean 0 and standard deviation 1 inside; "
        "``network_`` and ``coefs_`` are then of these.",
        mlp=False,
        network=True,
    ),
    Setting(
        "standardize_target",
        FLAG,
        meaning="Whether targets are brought to mean 0 and standard deviation 1 inside, and "
        "predictions given back in their own units. Counts (loss='poisson') stay as they "
        "are.",
        of=("regressor", "mixed"),
        mlp=False,
        network=True,
    ),
)
