"""The learning rate of a training: a number, or a schedule with a name and a length."""

from chainrule.engines.schedule import LearningRate, Schedule
from chainrule.engines.schedules import SCHEDULES
from chainrule.settings.given import Settings


def learning_rate_of(given: Settings, epochs: int, steps_per_epoch: int) -> LearningRate:
    """Return the learning rate that a training of so many epochs begins with or follows.

    The rules of scikit-learn ("invscaling", "adaptive") begin with a number, which changes as
    training goes: see `chainrule.settings.rules`.
    """
    named, first = given["learning_rate"], float(given["learning_rate_init"])
    total = max(1, epochs * steps_per_epoch)
    if isinstance(named, str):
        if named not in SCHEDULES:
            return first
        named = SCHEDULES[named].over(first, total)
    if isinstance(named, Schedule):
        # By parts, a training is longer than what one call sees of it.
        return named.planned(total, steps_per_epoch)
    rate: LearningRate = named
    return rate
