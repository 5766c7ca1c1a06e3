"""The learning rate schedules, bound to the equations LR1 to LR7.

`SCHEDULES` contains the schedules that can be selected by name.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from chainrule.checks import shown
from chainrule.engines.hyperparameters import documented, flag, number, rule, whole
from chainrule.engines.schedule import Rates, Schedule, schedule_of
from chainrule.equations import schedules as equations
from chainrule.errors import InvalidArgumentError
from chainrule.limits import INSIDE, NOT_NEGATIVE, POSITIVE, SHARE


@documented
@dataclass(frozen=True)
class TimeDecay(Schedule):
    """The learning rate decays as 1/(1 + time), LR1: α = α₀/(1 + k τ/T).

    Examples
    --------
    >>> import chainrule as cr
    >>> cr.TimeDecay(0.1, decay=1.0, steps=2).rates(1, 5).round(4).tolist()
    [0.1, 0.0667, 0.05, 0.04, 0.0333]
    """

    initial: float = field(metadata=number("α₀, the rate of the first step.", NOT_NEGATIVE))
    decay: float = field(metadata=number("k ≥ 0.", NOT_NEGATIVE))
    steps: int | None = field(
        default=None,
        metadata=whole(
            "T: after so many steps α is α₀/(1 + k), after twice as many α₀/(1 + 2k). By default "
            "those of one epoch.",
            1,
            optional=True,
        ),
    )

    def planned(self, total_steps: int, steps_per_epoch: int) -> "TimeDecay":
        """Return this schedule, with one epoch as the length if it was omitted."""
        return replace(self, steps=self.steps or steps_per_epoch)

    def at(self, tau: Rates) -> Rates:
        """LR1."""
        return np.asarray(equations.time_decay(tau, self.initial, self.decay, _length(self)))


@documented
@dataclass(frozen=True)
class ExponentialDecay(Schedule):
    """The learning rate decays exponentially, LR2: α = α₀ c^{τ/T}.

    Examples
    --------
    >>> import chainrule as cr
    >>> cr.ExponentialDecay(0.8, factor=0.5, steps=2, staircase=True).rates(1, 5).tolist()
    [0.8, 0.8, 0.4, 0.4, 0.2]
    """

    initial: float = field(metadata=number("α₀, the rate of the first step.", NOT_NEGATIVE))
    factor: float = field(metadata=number("c > 0, below 1 to fall.", POSITIVE))
    steps: int | None = field(
        default=None,
        metadata=whole(
            "T: after so many steps α is c α₀. By default those of one epoch.", 1, optional=True
        ),
    )
    staircase: bool = field(
        default=False,
        metadata=flag("Whether α stays the same for T steps and then drops at once, LR3."),
    )

    def planned(self, total_steps: int, steps_per_epoch: int) -> "ExponentialDecay":
        """Return this schedule, with one epoch as the length if it was omitted."""
        return replace(self, steps=self.steps or steps_per_epoch)

    def at(self, tau: Rates) -> Rates:
        """LR2 or LR3."""
        equation = equations.staircase_decay if self.staircase else equations.exponential_decay
        return np.asarray(equation(tau, self.initial, self.factor, _length(self)))


@documented
@dataclass(frozen=True)
class CosineDecay(Schedule):
    """The learning rate decays along half a cosine, LR4, or along several half cosines, LR5.

    Examples
    --------
    >>> import chainrule as cr
    >>> cr.CosineDecay(1.0, steps=4).rates(1, 5).round(4).tolist()
    [1.0, 0.8536, 0.5, 0.1464, 0.0]
    """

    initial: float = field(metadata=number("α₀, the rate of the first step.", NOT_NEGATIVE))
    final: float = field(default=0.0, metadata=number("α₁, where it ends and stays.", NOT_NEGATIVE))
    steps: int | None = field(
        default=None,
        metadata=whole(
            "How many steps it takes, all cycles together. By default those of the training.",
            1,
            optional=True,
        ),
    )
    restarts: int = field(default=0, metadata=whole("How often α jumps back to α₀ on the way.", 0))
    factor: float = field(
        default=1.0,
        metadata=number("How much longer each cycle is than the one before.", POSITIVE),
    )

    def planned(self, total_steps: int, steps_per_epoch: int) -> "CosineDecay":
        """Return this schedule, with the training length as its length if it was omitted."""
        return replace(self, steps=self.steps or total_steps)

    def at(self, tau: Rates) -> Rates:
        """LR4 or LR5."""
        cycles = sum(self.factor**i for i in range(self.restarts + 1))
        first = _length(self) / cycles
        return np.asarray(
            equations.cosine_restarts(
                tau, self.initial, self.final, first, self.factor, self.restarts
            )
        )


@documented
@dataclass(frozen=True)
class FlatCosine(Schedule):
    """The learning rate stays, and then decays along half a cosine, LR8.

    Examples
    --------
    >>> import chainrule as cr
    >>> cr.FlatCosine(1.0, steps=4, flat=0.5).rates(1, 6).round(4).tolist()
    [1.0, 1.0, 1.0, 0.5, 0.0, 0.0]
    """

    initial: float = field(metadata=number("α₀, the rate of the first step.", NOT_NEGATIVE))
    final: float = field(default=0.0, metadata=number("α₁, where it ends and stays.", NOT_NEGATIVE))
    steps: int | None = field(
        default=None,
        metadata=whole(
            "How many steps it takes. By default those of the training.", 1, optional=True
        ),
    )
    flat: float = field(
        default=0.5, metadata=number("The share of the steps in which α stays.", SHARE)
    )

    def planned(self, total_steps: int, steps_per_epoch: int) -> "FlatCosine":
        """Return this schedule, with the training length as its length if it was omitted."""
        return replace(self, steps=self.steps or total_steps)

    def at(self, tau: Rates) -> Rates:
        """LR8."""
        length = _length(self)
        return np.asarray(
            equations.flat_cosine(tau, self.initial, self.final, self.flat * length, length)
        )


@documented
@dataclass(frozen=True)
class LogCosine(Schedule):
    """The learning rate rises and falls several times, each time for about twice as long, LR9.

    Examples
    --------
    >>> import chainrule as cr
    >>> cr.LogCosine(1.0, cycles=2, steps=6).rates(1, 7).round(3).tolist()
    [0.0, 0.93, 0.0, 0.718, 0.93, 0.324, 0.0]
    """

    maximum: float = field(metadata=number("α₂, which each cycle reaches.", NOT_NEGATIVE))
    cycles: int = field(
        default=4, metadata=whole("k, the number of times that α rises and falls.", 1)
    )
    steps: int | None = field(
        default=None,
        metadata=whole(
            "How many steps it takes. By default those of the training.", 1, optional=True
        ),
    )

    def planned(self, total_steps: int, steps_per_epoch: int) -> "LogCosine":
        """Return this schedule, with the training length as its length if it was omitted."""
        return replace(self, steps=self.steps or total_steps)

    def at(self, tau: Rates) -> Rates:
        """LR9."""
        return np.asarray(equations.log_cosine(tau, self.maximum, self.cycles, _length(self)))


@documented
@dataclass(frozen=True)
class OneCycle(Schedule):
    """The learning rate rises to a maximum, then falls far below its initial value, LR6.

    Examples
    --------
    >>> import chainrule as cr
    >>> cr.OneCycle(1.0, steps=5, rise=0.5, initial=0.2, final=0.0).rates(1, 5).round(4).tolist()
    [0.2, 0.6, 1.0, 0.5, 0.0]
    """

    maximum: float = field(
        metadata=number("α₂, larger than the rate one would train at otherwise.", NOT_NEGATIVE)
    )
    steps: int | None = field(
        default=None,
        metadata=whole(
            "How many steps it takes: the last of them has the final rate. By default those of "
            "the training.",
            1,
            optional=True,
        ),
    )
    rise: float = field(
        default=0.3, metadata=number("The share of the steps in which α rises.", INSIDE)
    )
    initial: float | None = field(
        default=None, metadata=number("α₀, by default α₂/25.", NOT_NEGATIVE, optional=True)
    )
    final: float | None = field(
        default=None, metadata=number("α₁, by default α₀/10,000.", NOT_NEGATIVE, optional=True)
    )

    def planned(self, total_steps: int, steps_per_epoch: int) -> "OneCycle":
        """Return this schedule, with the training length as its length if it was omitted."""
        return replace(self, steps=self.steps or total_steps)

    def at(self, tau: Rates) -> Rates:
        """LR6."""
        initial = self.maximum / 25 if self.initial is None else self.initial
        final = initial / 1e4 if self.final is None else self.final
        last = max(1, _length(self) - 1)  # τ of the last step
        peak = self.rise * last
        return np.asarray(equations.one_cycle(tau, initial, self.maximum, final, peak, last))


def _then_checked(name: str, value: Any) -> "float | Schedule":
    if isinstance(value, Schedule):
        return value
    if not NOT_NEGATIVE.fits(value):
        raise InvalidArgumentError(
            f"{name}: expected {NOT_NEGATIVE.expected()} or a schedule such as CosineDecay(0.01); "
            f"got {shown(value)}"
        )
    return float(value)


@documented
@dataclass(frozen=True)
class Warmup(Schedule):
    """The learning rate rises linearly to the initial value of another schedule, LR7.

    Examples
    --------
    >>> import chainrule as cr
    >>> schedule = cr.Warmup(cr.CosineDecay(1.0, steps=2), steps=2)
    >>> schedule.rates(1, 5).round(4).tolist()
    [0.5, 1.0, 1.0, 0.5, 0.0]
    """

    then: float | Schedule = field(
        metadata=rule("float or Schedule", "What follows; a number stays.", _then_checked)
    )
    steps: int | None = field(
        default=None,
        metadata=whole(
            "How many steps it takes. By default those of one epoch. A schedule that follows and "
            "has no length of its own takes the rest of the training.",
            1,
            optional=True,
        ),
    )

    def planned(self, total_steps: int, steps_per_epoch: int) -> "Warmup":
        """Return this schedule with its length and the length of `then` filled in."""
        steps, then = self.steps or steps_per_epoch, self.then
        if isinstance(then, Schedule):
            then = then.planned(max(1, total_steps - steps), steps_per_epoch)
        return replace(self, then=then, steps=steps)

    def at(self, tau: Rates) -> Rates:
        """LR7, followed by `then`."""
        length, then = _length(self), schedule_of(self.then)
        target = float(then.rates(1, 1)[0])
        after = then.at(np.maximum(tau - length, 0.0))
        return np.where(tau < length, equations.warm_up(tau, target, length), after)


class Named(NamedTuple):
    """A schedule that can be selected by name: a description and a factory."""

    about: str
    over: Callable[[float, int], Schedule]
    """Factory: maps a learning rate and the total number of training steps to a schedule."""


SCHEDULES: Mapping[str, Named] = MappingProxyType(
    {
        "cosine": Named("to 0, LR4", lambda rate, steps: CosineDecay(rate, steps=steps)),
        "flat_cosine": Named(
            "constant for half of the steps, then to 0, LR8",
            lambda rate, steps: FlatCosine(rate, steps=steps),
        ),
        "coslog4": Named(
            "up to it and to 0 four times, LR9", lambda rate, steps: LogCosine(rate, steps=steps)
        ),
        "one_cycle": Named(
            "up to it and down to nothing, LR6", lambda rate, steps: OneCycle(rate, steps=steps)
        ),
        "warmup_cosine": Named(
            "up to it in one epoch, LR7, then 'cosine'",
            lambda rate, steps: Warmup(CosineDecay(rate)),
        ),
        "time": Named(
            "to a tenth, LR1", lambda rate, steps: TimeDecay(rate, decay=9.0, steps=steps)
        ),
        "exponential": Named(
            "to a hundredth, LR2",
            lambda rate, steps: ExponentialDecay(rate, factor=0.01, steps=steps),
        ),
        "staircase": Named(
            "to a tenth after each third, LR3",
            lambda rate, steps: ExponentialDecay(
                rate, factor=0.1, steps=-(-steps // 3), staircase=True
            ),
        ),
    }
)


def _length(schedule: Any) -> int:
    if schedule.steps is None:
        raise InvalidArgumentError(
            f"steps: {type(schedule).__name__} has no length of its own, and no training has told "
            "it one; give steps=, or call planned(total_steps, steps_per_epoch)"
        )
    return int(schedule.steps)
