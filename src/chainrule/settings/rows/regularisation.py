"""Settings of regularisation, which keeps a network from memorising its examples."""

from chainrule.limits import FLAG, NOT_NEGATIVE, SHARE, Choice, Either
from chainrule.settings.setting import Option, Setting

REGULARISATION: tuple[Setting, ...] = (
    Setting(
        "l2",
        Either(NOT_NEGATIVE, ("auto",)),
        meaning="Strength of the L2 penalty, P1, divided by the number of examples, P3: those of a "
        "batch, as in scikit-learn (MLP…), or all of them (Network…). 'auto': 10 (values alone: "
        "0.1) for up to 500 examples, and soon nothing for more.",
        parameter="alpha",
        mlp=0.0001,
        network="auto",
        fit=0.0,
        fit_limit=NOT_NEGATIVE,
        option=Option("Strength of the L2 penalty, P1, divided by the number of rows."),
    ),
    Setting(
        "l1",
        NOT_NEGATIVE,
        meaning="Strength of the L1 penalty, P2, scaled like `alpha`.",
        mlp=0.0,
        fit=0.0,
        option=Option("Strength of the L1 penalty, P2, divided by the number of rows."),
    ),
    Setting(
        "dropout",
        meaning="Share of a hidden layer's activations that each training step drops at random "
        "(`Dropout`); a list has one for each hidden layer. Not for 'lbfgs'.",
        kind="float or list of float",
        mlp=0.0,
        option=Option(
            "Share of activations dropped in each step; one number, or one per hidden layer.",
            form="numbers",
            limit=SHARE,
            presets={"thorough": (0.1,)},
        ),
    ),
    Setting(
        "batch_norm",
        FLAG,
        meaning="Whether each hidden layer is normalised over the batch before its activation "
        "(`BatchNorm`). Not for 'lbfgs'.",
        mlp=False,
        option=Option("Normalise each hidden layer over the batch."),
    ),
    Setting(
        "label_smoothing",
        Either(SHARE, ("auto",)),
        meaning="Share of each target, in [0, 1), that is spread evenly over all classes, Y1; "
        "also for the validation loss, so that both losses measure the same. 'auto': 0.1 for one "
        "label per example, loss='log_loss' and at least 2,000 training examples, else 0.",
        of=("classifier",),
        mlp=0.0,
        network="auto",
        fit=0.0,
        fit_limit=SHARE,
        option=Option("Share of each target that is spread evenly over all classes."),
    ),
    Setting(
        "class_weight",
        meaning="Weights of the classes, which multiply `sample_weight`; 'balanced': all classes "
        "have the same total weight.",
        kind="dict, 'balanced' or None",
        of=("classifier",),
        mlp=None,
        fit=None,
        option=Option(
            "balanced: all classes have the same total weight; or none.",
            none="none",
            limit=Choice.of("none", "balanced"),
        ),
    ),
    Setting(
        "calibrate",
        Choice.of("auto", "on", "off"),
        meaning="Whether probabilities are calibrated by a temperature, TS1 and TS2: after "
        "training, the output layer is divided by the temperature with the lowest log loss on the "
        "validation examples. 'auto': only if, by cross-validation over these examples, it lowers "
        "the log loss by more than the standard error.",
        of=("classifier", "mixed"),
        mlp="off",
        network="auto",
        option=Option(
            "Calibrate class probabilities by a temperature, TS1, fitted to the validation rows: "
            "auto (if it lowers their log loss by more than the standard error), on or off."
        ),
    ),
)
