"""Settings of the optimizer, its learning rate, and the end of a training."""

from math import inf

from chainrule.limits import (
    COUNT,
    FLAG,
    NOT_NEGATIVE,
    POSITIVE,
    SHARE,
    Choice,
    Either,
    Other,
    Whole,
)
from chainrule.settings.names import is_schedule, optimizers, schedules, solvers
from chainrule.settings.setting import By, Option, Setting

_SCHEDULE = Other(
    is_schedule, "a schedule such as CosineDecay(0.01), or a function of the step", "callable"
)
_EARLY_STOPPING = Other(
    lambda value: FLAG.fits(value) or isinstance(value, str) or callable(value),
    'True, False, "loss", the name of a scorer or a function of (estimator, X, y)',
    "bool, 'loss', str or callable",
)

DESCENT: tuple[Setting, ...] = (
    Setting(
        "optimizer",
        Choice(solvers),
        meaning="'lbfgs', or the name of an optimizer of the package: {optimizers}. 'sgd' has "
        "`momentum`, as in scikit-learn.",
        parameter="solver",
        mlp="adam",
        network="adamw",
        fit="adam",
        fit_limit=Choice(optimizers),
        option=Option("{optimizers} or lbfgs."),
    ),
    Setting(
        "learning_rate",
        POSITIVE,
        meaning="Initial learning rate.",
        parameter="learning_rate_init",
        mlp=0.001,
        network=By(0.0035, 0.006, 0.005),
        option=Option("Initial learning rate α."),
    ),
    Setting(
        "schedule",
        Either(Choice(schedules), ("auto", _SCHEDULE)),
        meaning="How `learning_rate_init` changes. 'constant': not at all; 'invscaling': by 1/(t + "
        "1)^power_t, t being the examples seen; 'adaptive': divided by 5 whenever "
        "`n_iter_no_change` epochs bring nothing (in MLP…, 'adam' keeps it constant under "
        "these, as in scikit-learn). Over `max_iter` epochs, for every solver but 'lbfgs': "
        "{schedules in words}. 'auto': 'cosine', but constant in `partial_fit`, which does not "
        "know its end. Or a schedule (`chainrule.CosineDecay`, …) or a function of the "
        "step t = 1, 2, …, which have rates of their own.",
        parameter="learning_rate",
        kind="str, Schedule or callable",
        mlp="constant",
        network="auto",
        option=Option("adaptive, constant, {schedules} or invscaling."),
    ),
    Setting(
        "epochs",
        Either(COUNT, ("auto",)),
        meaning="Maximum number of epochs (iterations of 'lbfgs'); 'auto': 64, and fewer for "
        "more than 20,000 examples.",
        parameter="max_iter",
        mlp=200,
        network="auto",
        fit=50,
        fit_limit=Whole(0),
        option=Option(
            "Maximum number of passes over the training rows.",
            presets={"fast": 30, "thorough": 200},
        ),
    ),
    Setting(
        "batch_size",
        Either(COUNT, ("auto",)),
        meaning="Examples per step; 'auto' chooses by their number (min(200, n_samples) in MLP…). "
        "Not for 'lbfgs'.",
        mlp="auto",
        fit=32,
        fit_limit=COUNT,
        option=Option("Rows per step."),
    ),
    Setting(
        "early_stopping",
        _EARLY_STOPPING,
        meaning="Whether training stops when a score of the validation data no longer improves, "
        "and the weights of the best epoch are kept. True: `score`; 'loss': the validation loss; "
        "or the name of a scorer, or a function of (estimator, X, y), larger being better.",
        mlp=False,
        network="loss",
        fit=False,
        fit_limit=Either(FLAG, (COUNT,)),
        option=Option(
            "Stop when the validation loss no longer decreases, and keep the best epoch's weights.",
            limit=FLAG,
        ),
    ),
    Setting(
        "patience",
        Either(COUNT, (inf, "auto")),
        meaning="Training ends after more than this many consecutive epochs without an improvement "
        "of at least `tol`. 'auto': with a schedule over `max_iter` epochs, training ends before "
        "it only if a validation loss is much worse than long before: more than 2 % above the "
        "best, after twice as many epochs and 3/16 of `max_iter`, and only if the rate never "
        "rises; else 10.",
        parameter="n_iter_no_change",
        mlp=10,
        network="auto",
        option=Option(
            "Epochs without an improvement before the rate is reduced or training ends; by "
            "default, a schedule ends early only if the validation loss becomes much worse.",
        ),
    ),
    Setting(
        "tolerance",
        NOT_NEGATIVE,
        meaning="Smallest improvement that counts (for 'lbfgs': largest gradient component at "
        "which it ends).",
        parameter="tol",
        mlp=1e-4,
        option=Option("Smallest improvement that counts."),
    ),
    Setting(
        "validation_fraction",
        SHARE,
        meaning="Share of the examples that early stopping sets aside if `fit` is not given "
        "`X_val`.",
        mlp=0.1,
        fit=0.0,
        fit_name="validation_split",
    ),
    Setting(
        "max_fun",
        COUNT,
        meaning="Maximum number of function evaluations by 'lbfgs'.",
        mlp=15000,
    ),
    Setting(
        "warm_start",
        FLAG,
        meaning="Whether `fit` continues from the result of the previous call.",
        mlp=False,
    ),
)
