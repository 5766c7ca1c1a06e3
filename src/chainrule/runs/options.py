"""What can be decided about a run: each setting once, for the command line and for run.toml.

A setting that is None is decided by the preset and the data; `chainrule.runs.presets` says how.
"""

from dataclasses import Field, dataclass, field, fields
from typing import Any


def setting(about: str, kind: str, metavar: str, default: Any = None, **more: Any) -> Any:
    """Return a field of a group of settings.

    Parameters
    ----------
    about : str
        One line of help.
    kind : str
        "text", "whole", "number", "flag", or several of them: "texts", "wholes", "numbers".
    metavar : str
        What stands for the value in the help.
    default
        None where the preset or the data decide.
    **more
        "parameter": the estimators' name, where it is another; "choices": the values there are.
    """
    return field(
        default=default, metadata={"about": about, "kind": kind, "metavar": metavar, **more}
    )


@dataclass(frozen=True)
class DataOptions:
    """The table, what is predicted from what, and which rows are for what."""

    table: str = setting("The table to learn from.", "text", "TABLE", "")
    target: str = setting("The column to predict.", "text", "COLUMN", "")
    task: str = setting(
        "classification, regression, or auto: classification for text, true/false, and whole "
        "numbers with few different values (2 to 20, with 10 rows per value).",
        "text",
        "NAME",
        "auto",
        choices=("auto", "classification", "regression"),
    )
    test: str = setting(
        "Another table to test with, instead of a part of this one.", "text", "OTHER", ""
    )
    split: tuple[float, ...] | None = setting(
        "Shares of the rows that train, validate and test (0.8,0.1,0.1); with --test, of the rows "
        "that train and validate (0.9,0.1).",
        "numbers",
        "SHARES",
    )
    group: str = setting(
        "A column whose equal values stay together in one part (a patient, a customer).",
        "text",
        "COLUMN",
        "",
    )
    time: str = setting(
        "A column to order the rows by: the first train, the last test.", "text", "COLUMN", ""
    )
    ignore: tuple[str, ...] = setting(
        "Columns to leave out; may be repeated, or several with commas.", "texts", "COLUMNS", ()
    )
    target_missing: str | None = setting(
        "Which texts of a target of classes are missing values: words (NA, N/A, NaN, NULL, ?, …), "
        "empty (nothing but empty cells), or auto: words, but NA among codes of two capitals, "
        "such as countries, is one of them.",
        "text",
        "NAME",
        choices=("auto", "words", "empty"),
    )
    merge_spellings: bool | None = setting(
        "Classes that differ by case and spaces alone are one: the most frequent spelling.",
        "flag",
        "",
    )
    skip_bad_rows: bool = setting(
        "Leave out rows that cannot be read, and tell how many.", "flag", "", False
    )


@dataclass(frozen=True)
class TrainingOptions:
    """The network and how it is trained."""

    preset: str = setting(
        "fast, standard or thorough: what is not set by another option.",
        "text",
        "NAME",
        "standard",
        choices=("fast", "standard", "thorough"),
    )
    seed: int = setting(
        "Decides the split, the first weights and the order of rows.", "whole", "N", 0
    )
    layers: tuple[int, ...] | None = setting(
        "Units of the hidden layers (128,64), or none.",
        "wholes",
        "SIZES",
        parameter="hidden_layer_sizes",
    )
    activation: str | None = setting(
        "Of the hidden layers: relu, silu, tanh, gelu, …", "text", "NAME"
    )
    loss: str | None = setting(
        "log_loss or focal; squared_error, absolute_error, huber, quantile, log_cosh or poisson.",
        "text",
        "NAME",
    )
    optimizer: str | None = setting(
        "adam, adamw, nadam, sgd, momentum, heavy_ball, nesterov, rmsprop, lion or lbfgs.",
        "text",
        "NAME",
        parameter="solver",
    )
    learning_rate: float | None = setting(
        "α, or where its schedule begins.", "number", "NUMBER", parameter="learning_rate_init"
    )
    schedule: str | None = setting(
        "adaptive, constant, cosine, one_cycle, warmup_cosine, time, exponential, staircase or "
        "invscaling.",
        "text",
        "NAME",
        parameter="learning_rate",
    )
    epochs: int | None = setting(
        "At most so many passes over the training rows.", "whole", "N", parameter="max_iter"
    )
    batch_size: int | None = setting("Rows a step.", "whole", "N")
    early_stopping: bool | None = setting(
        "Stop when the loss of the validation rows no longer falls, and keep the best epoch.",
        "flag",
        "",
    )
    patience: int | None = setting(
        "Epochs without an improvement before the rate falls or training ends.",
        "whole",
        "N",
        parameter="n_iter_no_change",
    )
    tolerance: float | None = setting(
        "What counts as an improvement.", "number", "NUMBER", parameter="tol"
    )
    l2: float | None = setting(
        "Strength of the penalty on squared weights, P1, shared by all rows.",
        "number",
        "NUMBER",
        parameter="alpha",
    )
    l1: float | None = setting(
        "Strength of the penalty on absolute weights, P2, shared by all rows.", "number", "NUMBER"
    )
    dropout: tuple[float, ...] | None = setting(
        "Share of a hidden layer's activations dropped in a step; one number, or one a layer.",
        "numbers",
        "SHARES",
    )
    batch_norm: bool | None = setting("Normalise each hidden layer over the batch.", "flag", "")
    label_smoothing: float | None = setting(
        "How much of its certainty a class hands to all classes.", "number", "NUMBER"
    )
    class_weight: str | None = setting(
        "balanced: each class weighs the same; or none.",
        "text",
        "NAME",
        choices=("none", "balanced"),
    )
    focal_gamma: float | None = setting("γ of the focal loss.", "number", "NUMBER")
    huber_delta: float | None = setting(
        "δ of the Huber loss, in the target's units.", "number", "NUMBER"
    )
    quantile: float | None = setting("Which quantile the loss estimates.", "number", "NUMBER")
    max_grad_norm: float | None = setting(
        "A longer gradient is scaled down to this; 0: none is.", "number", "NUMBER"
    )
    weight_decay: float | None = setting("Decay of adamw and lion.", "number", "NUMBER")
    momentum: float | None = setting("β of the optimizers with one.", "number", "NUMBER")
    nesterov: bool | None = setting(
        "Whether sgd looks ahead.", "flag", "", parameter="nesterovs_momentum"
    )
    beta_1: float | None = setting("β₁ of adam.", "number", "NUMBER")
    beta_2: float | None = setting("β₂ of adam.", "number", "NUMBER")
    epsilon: float | None = setting("ε of adam and rmsprop.", "number", "NUMBER")
    power: float | None = setting(
        "The exponent of invscaling.", "number", "NUMBER", parameter="power_t"
    )
    init: str | None = setting(
        "Initialiser of the weights: auto, glorot_uniform, he_normal, lecun_normal, …; default: "
        "scikit-learn's draws.",
        "text",
        "NAME",
    )
    shuffle: bool | None = setting("Draw a new order of rows in each epoch.", "flag", "")
    dtype: str | None = setting("float32 or float64.", "text", "NAME")
    precision: str | None = setting(
        "full, or mixed: products in bfloat16.", "text", "NAME", choices=("full", "mixed")
    )
    engine: str | None = setting("Who computes: auto, native or reference.", "text", "NAME")
    threads: int | None = setting(
        "At most so many; the result has the same bits for any number.", "whole", "N"
    )


@dataclass(frozen=True)
class EncodingOptions:
    """How columns become numbers."""

    scaling: str | None = setting(
        "standard (mean and deviation), robust (median and quartiles) or none.",
        "text",
        "NAME",
        choices=("standard", "robust", "none"),
    )
    max_categories: int | None = setting(
        "A text column with more categories keeps the most frequent ones.", "whole", "N"
    )
    min_frequency: int | None = setting(
        "A category in fewer rows goes with the rare ones.", "whole", "N"
    )
    embed_above: int | None = setting(
        "A text column with more categories than this gets numbers that are learned.", "whole", "N"
    )
    target_transform: str | None = setting(
        "What is learned of a target of values: none (themselves), log, asinh, or auto: a log or "
        "asinh where a few values hide all others. Answers are in the target's units.",
        "text",
        "NAME",
        choices=("auto", "none", "log", "asinh"),
    )
    categorical: tuple[str, ...] | None = setting(
        "Columns of numbers that only name something.", "texts", "COLUMNS"
    )


Settings = DataOptions | EncodingOptions | TrainingOptions

SECTIONS: dict[str, type[Settings]] = {
    "data": DataOptions,
    "encoding": EncodingOptions,
    "training": TrainingOptions,
}


def settings_of(section: str) -> tuple[Field[Any], ...]:
    """Return the settings of a section."""
    return fields(SECTIONS[section])
