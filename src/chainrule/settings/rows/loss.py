"""What is minimised."""

from chainrule.limits import Choice
from chainrule.settings.names import classification_losses, regression_losses
from chainrule.settings.setting import By, Option, Setting

LOSS: tuple[Setting, ...] = (
    Setting(
        "loss",
        meaning="What is minimised. Of a classifier: 'log_loss' or 'focal'. Of a regressor: "
        "'squared_error' (half of it), 'absolute_error', 'huber', 'quantile', 'log_cosh', "
        "or 'poisson' (half the deviance, with the exponential as output activation, for "
        "counts y ≥ 0). Of both: two functions (cost, gradient) of (outputs, targets), an "
        "example a row and scaled as the network has them, which take the reference "
        "engine. `score` stays accuracy or R²; early_stopping='loss' follows the loss.",
        kind="str, CustomCost or pair of functions",
        of=("classifier", "regressor"),
        mlp=By("log_loss", "squared_error"),
        option=Option(
            "{losses of classes}; {losses of values}.",
            limit=Choice(lambda: (*classification_losses(), *regression_losses())),
        ),
    ),
    Setting(
        "targets",
        meaning="'class' or 'value' for each column of y: a dict by name (which also picks columns "
        "of a table), a list, or one for all. None: texts, and whole numbers of at most 20 "
        "different ones, are classes.",
        kind="dict, list, str or None",
        of=("mixed",),
        mlp=None,
    ),
    Setting(
        "losses",
        meaning="The loss of some targets, by name: 'log_loss' (the default of classes) or "
        "'focal'; 'squared_error' (of values), 'absolute_error', 'huber', 'quantile', "
        "'log_cosh', 'poisson'.",
        kind="dict or None",
        of=("mixed",),
        mlp=None,
    ),
    Setting(
        "target_weights",
        meaning="Weights of some targets in the loss, by name; else 1.",
        kind="dict or None",
        of=("mixed",),
        mlp=None,
    ),
)
