"""Settings of a training's execution and its output."""

from typing import get_args

from chainrule.limits import COUNT, FLAG, VERBOSE, Choice, Either, Readable
from chainrule.names import Precision
from chainrule.settings.names import dtypes, read_engine, read_init
from chainrule.settings.setting import Option, Setting

EXECUTION: tuple[Setting, ...] = (
    Setting(
        "init",
        Either(Readable(read_init), (None,)),
        meaning="An initialiser of the package ('auto', 'he_normal', 'lecun_normal', …). None: "
        "scikit-learn's draws.",
        kind="str or None",
        mlp=None,
        network="lecun_normal",
        fit="auto",
        fit_limit=Readable(read_init),
        option=Option(
            "Initialiser of the weights: auto, glorot_uniform, he_normal, lecun_normal, …; "
            "'default': scikit-learn's draws.",
            none="default",
            limit=Either(Readable(read_init), ("default",)),
        ),
    ),
    Setting(
        "shuffle",
        FLAG,
        meaning="Whether each epoch has a new order of examples.",
        mlp=True,
        fit=True,
        option=Option("Draw a new order of rows in each epoch."),
    ),
    Setting(
        "dtype",
        Either(Choice(dtypes), (None,)),
        meaning="Type of the network's parameters and arithmetic. None: that of X if it is one of "
        "these; otherwise float64 (MLP…), or float32 from 200 examples on (Network…).",
        kind="{'float32', 'float64', None}",
        mlp=None,
        fit="float32",
        fit_limit=Choice(dtypes),
        option=Option("float32 or float64."),
    ),
    Setting(
        "precision",
        Choice.of(*get_args(Precision)),
        meaning="'mixed': a float32 network multiplies in bfloat16; 'split': its wide layers "
        "multiply float32 numbers in bfloat16 pieces, in predictions too; as in "
        "`chainrule.Network.fit`. Not for 'lbfgs'.",
        kind="{'full', 'mixed', 'split'}",
        mlp="full",
        fit="full",
        option=Option(
            "full; mixed: products in bfloat16; split: float32 products as sums of bfloat16 ones."
        ),
    ),
    Setting(
        "engine",
        Readable(read_engine),
        meaning="'native', 'reference', 'jax' or 'auto', as in `chainrule.Network.fit`.",
        mlp="auto",
        fit="auto",
        option=Option("Engine: auto, {engines}."),
    ),
    Setting(
        "threads",
        Either(COUNT, (None,)),
        meaning="Maximum number of threads; None: one per core.",
        mlp=None,
        fit=None,
        option=Option("Maximum number of threads; the result has the same bits for any number."),
    ),
    Setting(
        "callbacks",
        meaning="Each is called with every event of the training; if one returns True after an "
        "`EpochEnded` (an iteration of 'lbfgs'), training stops. Callbacks of scikit-learn's own "
        "protocol are given to `set_callbacks`.",
        kind="list of callables or None",
        mlp=None,
        fit=(),
    ),
    Setting(
        "verbose",
        VERBOSE,
        meaning="Whether to show progress: MLP… print scikit-learn's lines on standard output, the "
        "others a progress display on standard error.",
        mlp=False,
        fit=False,
    ),
)
