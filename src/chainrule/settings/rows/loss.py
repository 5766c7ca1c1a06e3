"""Settings of the loss."""

from chainrule.limits import Choice
from chainrule.settings.names import losses
from chainrule.settings.setting import By, Option, Setting

LOSS: tuple[Setting, ...] = (
    Setting(
        "loss",
        meaning="The loss to minimise. For a classifier: {losses of classes in words}. For a "
        "regressor: {losses of values in words}. For both: two functions (cost, gradient) of "
        "(outputs, targets), with examples as rows on the network's scale, which need the "
        "reference engine. `score` is accuracy or R² in any case; early_stopping='loss' monitors "
        "the loss.",
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
        meaning="'class' or 'value' for each column of y: a dict by name (which also selects "
        "columns of a table), a list, or one for all. None: text, and whole numbers with at most "
        "20 different values, are classes.",
        kind="dict, list, str or None",
        of=("mixed",),
        mlp=None,
    ),
    Setting(
        "losses",
        meaning="The losses of some targets, by name. For classes: {losses of classes in words}. "
        "For values: {losses of values in words}. The first of each is the default.",
        kind="dict or None",
        of=("mixed",),
        mlp=None,
    ),
    Setting(
        "target_weights",
        meaning="Weights of some targets in the loss, by name; 1 for the others.",
        kind="dict or None",
        of=("mixed",),
        mlp=None,
    ),
)
