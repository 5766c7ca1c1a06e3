"""What is minimised."""

from chainrule.limits import Choice
from chainrule.settings.names import losses
from chainrule.settings.setting import By, Option, Setting

LOSS: tuple[Setting, ...] = (
    Setting(
        "loss",
        meaning="What is minimised. Of a classifier: {losses of classes in words}. Of a "
        "regressor: {losses of values in words}. Of both: two functions (cost, gradient) of "
        "(outputs, targets), an example a row and scaled as the network has them, which take the "
        "reference engine. `score` stays accuracy or R²; early_stopping='loss' follows the loss.",
        kind="str, CustomCost or pair of functions",
        of=("classifier", "regressor"),
        mlp=By("log_loss", "squared_error"),
        option=Option(
            "{losses of classes}; {losses of values}.",
            limit=Choice(losses),
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
        meaning="The loss of some targets, by name. Of classes: {losses of classes in words}. Of "
        "values: {losses of values in words}. The first of each is the default.",
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
