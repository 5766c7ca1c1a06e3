"""The learning rate of a training: a number, or a schedule."""

from chainrule.engines.schedule import LearningRate, Schedule
from chainrule.engines.schedules import SCHEDULES
from chainrule.settings.given import Settings

AUTO = "auto"
"""The rule that is `PLANNED_BY_DEFAULT`, except in `partial_fit`."""
PLANNED_BY_DEFAULT = "cosine"


def learning_rate_of(given: Settings, epochs: int, steps_per_epoch: int) -> LearningRate:
    """Return the initial learning rate, or the schedule, of a training of `epochs` epochs.

    With scikit-learn's rules ("invscaling", "adaptive") it is the initial number, which changes
    during training: see `chainrule.settings.rules`.
    """
    named, first = given["learning_rate"], float(given["learning_rate_init"])
    total = max(1, epochs * steps_per_epoch)
    if named == AUTO:
        named = PLANNED_BY_DEFAULT
    if isinstance(named, str):
        if named not in SCHEDULES:
            return first
        named = SCHEDULES[named].over(first, total)
    if isinstance(named, Schedule):
        # With `partial_fit`, the training is longer than one call.
        return named.planned(total, steps_per_epoch)
    rate: LearningRate = named
    return rate
