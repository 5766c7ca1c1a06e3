"""Settings of the network: its layers, their initial weights, and its inputs."""

from chainrule.checks import MOST_UNITS
from chainrule.limits import COUNT, FLAG, POSITIVE, Choice, Either, Readable, Whole
from chainrule.settings.duration import read_duration
from chainrule.settings.names import read_activation
from chainrule.settings.setting import Needs, Option, Setting

# More layers would exhaust memory before any check could report it.
_MOST_LAYERS = 10_000

NETWORK: tuple[Setting, ...] = (
    Setting(
        "quality",
        Choice.of("standard", "best"),
        meaning="'standard': one network. 'best': an ensemble of many, trained on folds of the "
        "examples and merged into one network: better predictions for about forty times the "
        "time.",
        mlp="standard",
        option=Option(
            "standard: one network; best: an ensemble of many, which predicts better and takes "
            "about forty times as long."
        ),
    ),
    Setting(
        "time_limit",
        Either(POSITIVE, (None,)),
        meaning="Time in seconds that quality='best' may take, about. As many networks are trained "
        "as it has room for, on fewer folds or for fewer epochs if need be, so the result depends "
        "on the machine. None: all of them.",
        kind="float or None",
        mlp=None,
        option=Option(
            "Train for about 90s, 5m or 1h30m: with --quality best, as many networks as there is "
            "time for; otherwise, a search for the best configuration.",
            form="text",
            limit=Readable(read_duration),
        ),
        needs=Needs("quality", lambda: ("best",)),
    ),
    Setting(
        "preset",
        option=Option(
            "fast, standard or thorough: defaults for the options that are not given.",
            default="standard",
            limit=Choice.of("fast", "standard", "thorough"),
        ),
    ),
    Setting(
        "seed",
        meaning="Determines initial weights, validation split and orders of examples, drawn as "
        "scikit-learn does.",
        parameter="random_state",
        kind="int, RandomState or None",
        mlp=None,
        fit=None,
        option=Option(
            "Determines the split, the initial weights and the order of rows.",
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
        network=(128, 128, 128),
        option=Option(
            "Units of the hidden layers (128,128,128), or none.",
            form="wholes",
            limit=Whole(1, MOST_UNITS),
            presets={"fast": (64, 64), "thorough": (256, 256, 256)},
        ),
    ),
    Setting(
        "n_layers",
        Either(Whole(0, _MOST_LAYERS), (None,)),
        meaning="Number of hidden layers, instead of that of `hidden_layer_sizes`: a single number "
        "that a search can vary.",
        mlp=None,
    ),
    Setting(
        "n_units",
        Either(COUNT, (None,)),
        meaning="Units of every hidden layer, instead of those in `hidden_layer_sizes`.",
        mlp=None,
    ),
    Setting(
        "activation",
        meaning="Activation of the hidden layers: 'identity', 'logistic', 'tanh', 'relu', or any "
        "other of the package ('gelu', 'silu', 'leaky_relu(slope=0.2)', …). A list has one for "
        "each layer.",
        kind="str or list of str",
        mlp="relu",
        network="silu",
        option=Option(
            "Activation of the hidden layers: relu, silu, tanh, gelu, …; one name, or one per "
            "hidden layer (tanh,relu).",
            form="names",
            limit=Readable(read_activation),
        ),
    ),
    Setting(
        "initial_weights",
        meaning="Initial weights, in the shapes of ``coefs_`` and ``intercepts_``.",
        kind="(coefs, intercepts) or None",
        mlp=None,
    ),
    Setting(
        "embeddings",
        meaning="The columns of X, counted from 0, that are category codes: whole numbers from 0 "
        "to codes − 1. Each code is replaced by a learned vector of the given dimension, EM1. "
        "Codes are not standardised; the rows of ``coefs_[0]`` are those of the other inputs, then "
        "those of the embedded values.",
        kind="list of (column, codes, dimension) or None",
        mlp=None,
    ),
    Setting(
        "bins",
        Either(Whole(0, MOST_UNITS), ("auto",)),
        meaning="The largest number of bins of the piecewise-linear embedding, PL1, of each "
        "numeric column; 0: no such layer; 'auto': 8, or 16 for at least 10,000 examples. Edges "
        "are quantiles of the training examples; columns of two values have no bins. All columns "
        "together have at most 1,024 bins, and none if that is fewer than 2 a column.",
        parameter="numeric_bins",
        mlp=0,
        network="auto",
        option=Option("Bins of the piecewise-linear embedding of each number; 0: none."),
    ),
    Setting(
        "scale_layer",
        FLAG,
        meaning="Whether a `Scale` layer comes before the first hidden layer: it learns the "
        "importance of each input, at a learning rate 64 times as large.",
        mlp=False,
        network=True,
        option=Option("Learn a factor for each input, with a scale layer."),
    ),
    Setting(
        "width_scaling",
        FLAG,
        meaning="Whether the learning rate of each layer's weights has the factor √(128/n), where "
        "n is the number of its inputs, so that a rate suits layers of every width.",
        mlp=False,
        network=True,
        option=Option("Learning rates by the widths of the layers."),
    ),
    Setting(
        "standardize",
        FLAG,
        meaning="Whether inputs are standardised internally, to mean 0 and standard deviation 1; "
        "``network_`` and ``coefs_`` then refer to standardised inputs.",
        mlp=False,
        network=True,
    ),
    Setting(
        "standardize_target",
        FLAG,
        meaning="Whether targets are standardised internally, to mean 0 and standard deviation 1, "
        "with predictions in the original units. Counts (loss='poisson') are never standardised.",
        of=("regressor", "mixed"),
        mlp=False,
        network=True,
    ),
)
