"""What keeps a network from learning its examples by heart."""

from chainrule.limits import FLAG, NOT_NEGATIVE, SHARE, Choice
from chainrule.settings.setting import By, Option, Setting

REGULARISATION: tuple[Setting, ...] = (
    Setting(
        "l2",
        NOT_NEGATIVE,
        meaning="Strength of the L2 penalty, P1, shared by the examples, P3: those of a batch, as "
        "in scikit-learn (MLP…), or all of them (Network…).",
        parameter="alpha",
        mlp=0.0001,
        network=By(3.0, 0.5, 1.0),
        fit=0.0,
        option=Option("Strength of the penalty on squared weights, P1, shared by all rows."),
    ),
    Setting(
        "l1",
        NOT_NEGATIVE,
        meaning="Strength of the L1 penalty, P2, scaled as `alpha` is.",
        mlp=0.0,
        fit=0.0,
        option=Option("Strength of the penalty on absolute weights, P2, shared by all rows."),
    ),
    Setting(
        "dropout",
        meaning="Share of a hidden layer's activations that each training step drops at random "
        "(`Dropout`); a list has one for each hidden layer. Not for 'lbfgs'.",
        kind="float or list of float",
        mlp=0.0,
        option=Option(
            "Share of a hidden layer's activations dropped in a step; one number, or one a layer.",
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
        SHARE,
        meaning="How much of its certainty each class in y hands to all classes, Y1, in [0, 1). "
        "Validation is of the true classes.",
        of=("classifier",),
        mlp=0.0,
        fit=0.0,
        option=Option("How much of its certainty a class hands to all classes."),
    ),
    Setting(
        "class_weight",
        meaning="Weights of the classes; 'balanced': each class weighs the same. They multiply "
        "`sample_weight`.",
        kind="dict, 'balanced' or None",
        of=("classifier",),
        mlp=None,
        fit=None,
        option=Option(
            "balanced: each class weighs the same; or none.",
            none="none",
            limit=Choice.of("none", "balanced"),
        ),
    ),
)
