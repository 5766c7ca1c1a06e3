"""Schedules of the learning rate as a user names them, bound to the equations LR1 to LR7.

A schedule is data and its rates are a pure function of the step, so that many steps, and whole
epochs, go through an engine at once. Where a length is left out it is that of the training, which
the training loop tells by `planned`.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.checks import is_real, shown, whole_number
from chainrule.equations import schedules as equations
from chainrule.errors import InvalidArgumentError

Rates = NDArray[np.float64]


@dataclass(frozen=True)
class Schedule(ABC):
    """Base of the schedules: α for any steps, and lengths that the training decides."""

    def rates(self, first_step: int, steps: int) -> Rates:
        """Return α for the steps t = first_step, …, counted from 1: (steps,).

        Raises
        ------
        InvalidArgumentError
            If a length is left out and no training has told it.
        """
        return self.at(np.arange(first_step - 1, first_step - 1 + steps, dtype=np.float64))

    @abstractmethod
    def at(self, tau: Rates) -> Rates:
        """Return α where τ = t − 1 steps have been made."""

    def planned(self, total_steps: int, steps_per_epoch: int) -> "Schedule":
        """Return this schedule with the lengths that were left out filled in."""
        return self


@dataclass(frozen=True)
class TimeDecay(Schedule):
    """The learning rate falls as 1/(1 + time), LR1: α = α₀/(1 + k τ/T).

    Parameters
    ----------
    initial : float
        α₀, the rate of the first step.
    decay : float
        k ≥ 0.
    steps : int, optional
        T: after so many steps α is α₀/(1 + k), after twice as many α₀/(1 + 2k). By default those
        of one epoch.

    Examples
    --------
    >>> import chainrule as cr
    >>> cr.TimeDecay(0.1, decay=1.0, steps=2).rates(1, 5).round(4).tolist()
    [0.1, 0.0667, 0.05, 0.04, 0.0333]
    """

    initial: float
    decay: float
    steps: int | None = None

    def __post_init__(self) -> None:
        _set_number(self, "initial")
        _set_number(self, "decay")
        _set_steps(self)

    def planned(self, total_steps: int, steps_per_epoch: int) -> "TimeDecay":
        """Return this schedule with one epoch for the length that was left out."""
        return replace(self, steps=self.steps or steps_per_epoch)

    def at(self, tau: Rates) -> Rates:
        """LR1."""
        return np.asarray(equations.time_decay(tau, self.initial, self.decay, _length(self)))


@dataclass(frozen=True)
class ExponentialDecay(Schedule):
    """The learning rate is multiplied by a factor again and again, LR2: α = α₀ c^{τ/T}.

    Parameters
    ----------
    initial : float
        α₀, the rate of the first step.
    factor : float
        c > 0, below 1 to fall.
    steps : int, optional
        T: after so many steps α is c α₀. By default those of one epoch.
    staircase : bool, default False
        Whether α stays the same for T steps and then drops at once, LR3.

    Examples
    --------
    >>> import chainrule as cr
    >>> cr.ExponentialDecay(0.8, factor=0.5, steps=2, staircase=True).rates(1, 5).tolist()
    [0.8, 0.8, 0.4, 0.4, 0.2]
    """

    initial: float
    factor: float
    steps: int | None = None
    staircase: bool = False

    def __post_init__(self) -> None:
        _set_number(self, "initial")
        _set_number(self, "factor", positive=True)
        _set_steps(self)
        if not isinstance(self.staircase, bool):
            raise InvalidArgumentError(f"staircase: expected True or False; got {self.staircase!r}")

    def planned(self, total_steps: int, steps_per_epoch: int) -> "ExponentialDecay":
        """Return this schedule with one epoch for the length that was left out."""
        return replace(self, steps=self.steps or steps_per_epoch)

    def at(self, tau: Rates) -> Rates:
        """LR2 or LR3."""
        equation = equations.staircase_decay if self.staircase else equations.exponential_decay
        return np.asarray(equation(tau, self.initial, self.factor, _length(self)))


@dataclass(frozen=True)
class CosineDecay(Schedule):
    """The learning rate falls along half a cosine, LR4, or along several of them, LR5.

    Parameters
    ----------
    initial : float
        α₀, the rate of the first step.
    final : float, default 0
        α₁, where it ends and stays.
    steps : int, optional
        How many steps it takes, all cycles together. By default those of the training.
    restarts : int, default 0
        How often α jumps back to α₀ on the way.
    factor : float, default 1
        How much longer each cycle is than the one before.

    Examples
    --------
    >>> import chainrule as cr
    >>> cr.CosineDecay(1.0, steps=4).rates(1, 5).round(4).tolist()
    [1.0, 0.8536, 0.5, 0.1464, 0.0]
    """

    initial: float
    final: float = 0.0
    steps: int | None = None
    restarts: int = 0
    factor: float = 1.0

    def __post_init__(self) -> None:
        _set_number(self, "initial")
        _set_number(self, "final")
        _set_steps(self)
        object.__setattr__(self, "restarts", whole_number("restarts", self.restarts, 0))
        _set_number(self, "factor", positive=True)

    def planned(self, total_steps: int, steps_per_epoch: int) -> "CosineDecay":
        """Return this schedule with the training's length where none was given."""
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


@dataclass(frozen=True)
class OneCycle(Schedule):
    """The learning rate rises to its maximum and falls far below where it began, LR6.

    Parameters
    ----------
    maximum : float
        α₂, larger than the rate one would train at otherwise.
    steps : int, optional
        How many steps it takes: the last of them has the final rate. By default those of the
        training.
    rise : float, default 0.3
        The share of the steps in which α rises.
    initial : float, optional
        α₀, by default α₂/25.
    final : float, optional
        α₁, by default α₀/10,000.

    Examples
    --------
    >>> import chainrule as cr
    >>> cr.OneCycle(1.0, steps=5, rise=0.5, initial=0.2, final=0.0).rates(1, 5).round(4).tolist()
    [0.2, 0.6, 1.0, 0.5, 0.0]
    """

    maximum: float
    steps: int | None = None
    rise: float = 0.3
    initial: float | None = None
    final: float | None = None

    def __post_init__(self) -> None:
        _set_number(self, "maximum")
        _set_steps(self)
        _set_number(self, "rise")
        if not 0 < self.rise < 1:
            raise InvalidArgumentError(
                f"rise: expected a number between 0 and 1; got {self.rise:g}"
            )
        for name in ("initial", "final"):
            if getattr(self, name) is not None:
                _set_number(self, name)

    def planned(self, total_steps: int, steps_per_epoch: int) -> "OneCycle":
        """Return this schedule with the training's length where none was given."""
        return replace(self, steps=self.steps or total_steps)

    def at(self, tau: Rates) -> Rates:
        """LR6."""
        initial = self.maximum / 25 if self.initial is None else self.initial
        final = initial / 1e4 if self.final is None else self.final
        last = max(1, _length(self) - 1)  # τ of the last step
        peak = self.rise * last
        return np.asarray(equations.one_cycle(tau, initial, self.maximum, final, peak, last))


@dataclass(frozen=True)
class Warmup(Schedule):
    """The learning rate rises in a straight line to where another schedule begins, LR7.

    Parameters
    ----------
    then : float or Schedule
        What follows; a number stays.
    steps : int, optional
        How many steps it takes. By default those of one epoch. A schedule that follows and has no
        length of its own takes the rest of the training.

    Examples
    --------
    >>> import chainrule as cr
    >>> schedule = cr.Warmup(cr.CosineDecay(1.0, steps=2), steps=2)
    >>> schedule.rates(1, 5).round(4).tolist()
    [0.5, 1.0, 1.0, 0.5, 0.0]
    """

    then: float | Schedule
    steps: int | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.then, Schedule):
            _set_number(self, "then", also=" or a schedule such as CosineDecay(0.01)")
        _set_steps(self)

    def planned(self, total_steps: int, steps_per_epoch: int) -> "Warmup":
        """Return this schedule with its length and that of what follows filled in."""
        steps, then = self.steps or steps_per_epoch, self.then
        if isinstance(then, Schedule):
            then = then.planned(max(1, total_steps - steps), steps_per_epoch)
        return replace(self, then=then, steps=steps)

    def at(self, tau: Rates) -> Rates:
        """LR7, then what follows."""
        length = _length(self)
        if isinstance(self.then, Schedule):
            target = float(self.then.rates(1, 1)[0])
            after = self.then.at(np.maximum(tau - length, 0.0))
        else:
            target, after = self.then, np.full_like(tau, self.then)
        return np.where(tau < length, equations.warm_up(tau, target, length), after)


def _set_number(schedule: Schedule, name: str, positive: bool = False, also: str = "") -> None:
    """Check a field of a frozen schedule and make it a float."""
    value: Any = getattr(schedule, name)
    if not is_real(value) or not 0 <= value < np.inf or (positive and value == 0):
        least = "> 0" if positive else "≥ 0"
        raise InvalidArgumentError(
            f"{name}: expected a finite number {least}{also}; got {shown(value)}"
        )
    object.__setattr__(schedule, name, float(value))


def _set_steps(schedule: Any) -> None:
    if schedule.steps is not None:
        object.__setattr__(schedule, "steps", whole_number("steps", schedule.steps, 1))


def _length(schedule: Any) -> int:
    if schedule.steps is None:
        raise InvalidArgumentError(
            f"steps: {type(schedule).__name__} has no length of its own, and no training has told "
            "it one; give steps=, or call planned(total_steps, steps_per_epoch)"
        )
    return int(schedule.steps)
