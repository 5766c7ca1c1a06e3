"""The learning rate of a training: a number, or a schedule with a name and a length."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from chainrule.engines.optimizers import LearningRate
from chainrule.engines.schedules import (
    CosineDecay,
    ExponentialDecay,
    OneCycle,
    Schedule,
    TimeDecay,
    Warmup,
)

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


def learning_rate_of(estimator: Any, epochs: int, steps_per_epoch: int) -> LearningRate:
    """Return the learning rate that a training of so many epochs begins with or follows.

    The rules of scikit-learn ("invscaling", "adaptive") begin with a number, which
    `chainrule.estimators.stopping` changes as training goes.
    """
    given, first = estimator.learning_rate, float(estimator.learning_rate_init)
    total = max(1, epochs * steps_per_epoch)
    if isinstance(given, str):
        if given not in NAMED_SCHEDULES:
            return first
        given = NAMED_SCHEDULES[given](first, total)
    if isinstance(given, Schedule):
        # By parts, a training is longer than what one call sees of it.
        return given.planned(total, steps_per_epoch)
    rate: LearningRate = given
    return rate
