"""The learning rate of a training: a number, or a schedule with a name and a length."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from chainrule.engines.optimizers import LearningRate
from chainrule.engines.schedules import (
    CosineDecay,
    ExponentialDecay,
    OneCycle,
    Schedule,
    TimeDecay,
    Warmup,
)
from chainrule.settings.given import Settings

# By the first learning rate and the number of steps of the whole training.
NAMED_SCHEDULES: Mapping[str, Callable[[float, int], Schedule]] = MappingProxyType(
    {
        "time": lambda rate, steps: TimeDecay(rate, decay=9.0, steps=steps),
        "exponential": lambda rate, steps: ExponentialDecay(rate, factor=0.01, steps=steps),
        "staircase": lambda rate, steps: ExponentialDecay(
            rate, factor=0.1, steps=-(-steps // 3), staircase=True
        ),
        "cosine": lambda rate, steps: CosineDecay(rate, steps=steps),
        "one_cycle": lambda rate, steps: OneCycle(rate, steps=steps),
        "warmup_cosine": lambda rate, steps: Warmup(CosineDecay(rate)),
    }
)


def learning_rate_of(given: Settings, epochs: int, steps_per_epoch: int) -> LearningRate:
    """Return the learning rate that a training of so many epochs begins with or follows.

    The rules of scikit-learn ("invscaling", "adaptive") begin with a number, which changes as
    training goes: see `chainrule.settings.rules`.
    """
    named, first = given["learning_rate"], float(given["learning_rate_init"])
    total = max(1, epochs * steps_per_epoch)
    if isinstance(named, str):
        if named not in NAMED_SCHEDULES:
            return first
        named = NAMED_SCHEDULES[named](first, total)
    if isinstance(named, Schedule):
        # By parts, a training is longer than what one call sees of it.
        return named.planned(total, steps_per_epoch)
    rate: LearningRate = named
    return rate
