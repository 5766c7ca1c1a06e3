"""The schedule base class, and conversion of learning rates of any form to schedules.

A schedule is data, and its rates are a pure function of the step, so an engine can execute many
steps or whole epochs in one call. If a length is omitted, the training loop supplies it through
`planned`.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, TypeAlias, TypeGuard

import numpy as np
from numpy.typing import NDArray

from chainrule.checks import is_real, shown
from chainrule.engines.hyperparameters import check, rule
from chainrule.errors import InvalidArgumentError

Rates: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True)
class Schedule(ABC):
    """Base class of schedules: α for any steps, with lengths that training can supply."""

    asks_user: ClassVar[bool] = False
    """Whether rates come from a user's function, called at most one epoch in advance."""
    written_as: ClassVar[str] = ""
    """Class name in checkpoints, if the class has been renamed since."""

    def __post_init__(self) -> None:
        check(self)

    @property
    def constant(self) -> float | None:
        """α if it is the same at all steps, else None."""
        return None

    def rates(self, first_step: int, steps: int) -> Rates:
        """Return α for the steps t = first_step, …, counted from 1, as an array (steps,).

        Raises
        ------
        InvalidArgumentError
            If a length was omitted and `planned` has not supplied it.
        """
        return self.at(np.arange(first_step - 1, first_step - 1 + steps, dtype=np.float64))

    @abstractmethod
    def at(self, tau: Rates) -> Rates:
        """Return α after τ = t − 1 completed steps."""

    def planned(self, total_steps: int, steps_per_epoch: int) -> "Schedule":
        """Return this schedule with omitted lengths filled in."""
        return self

    def in_words(self, of_code: Callable[[Any], str]) -> str:
        """Return a text that determines the rates and is stable across releases.

        Checkpoints compare this text.

        Parameters
        ----------
        of_code : callable
            Returns a text for a user's function.
        """
        parts = []
        for each in fields(self):
            value = getattr(self, each.name)
            text = value.in_words(of_code) if isinstance(value, Schedule) else repr(value)
            parts.append(f"{each.name}={text}")
        return f"{self.written_as or type(self).__name__}({', '.join(parts)})"


@dataclass(frozen=True)
class _Constant(Schedule):
    """The same rate at every step: a plain number as a schedule."""

    rate: float = field(metadata=rule("float", "α.", lambda name, value: value))

    @property
    def constant(self) -> float | None:
        return self.rate

    def rates(self, first_step: int, steps: int) -> Rates:
        return np.full(steps, self.rate)

    def at(self, tau: Rates) -> Rates:
        return np.full_like(tau, self.rate)

    def in_words(self, of_code: Callable[[Any], str]) -> str:
        return repr(self.rate)


@dataclass(frozen=True)
class _OfSteps(Schedule):
    """A user's function of the step t = 1, 2, …, called for each step in turn."""

    asks_user: ClassVar[bool] = True
    function: Callable[[int], float] = field(
        metadata=rule("callable", "α of the step t.", lambda name, value: value)
    )

    def rates(self, first_step: int, steps: int) -> Rates:
        return np.array([self._rate(t) for t in range(first_step, first_step + steps)], np.float64)

    def at(self, tau: Rates) -> Rates:
        return np.array([self._rate(int(t) + 1) for t in tau], np.float64)

    def _rate(self, step: int) -> float:
        rate = self.function(step)
        if not (is_real(rate) and 0 <= rate < np.inf):
            raise InvalidArgumentError(
                "learning_rate: expected a function of the step that returns a finite number ≥ 0; "
                f"got {shown(rate)} at step {step}"
            )
        return float(rate)

    def in_words(self, of_code: Callable[[Any], str]) -> str:
        return of_code(self.function)


LearningRate: TypeAlias = float | Schedule | Callable[[int], float]
"""A number, a schedule, or a function of the step t = 1, 2, … (counted over the whole `fit`)."""


def is_schedule(rate: object) -> TypeGuard[Schedule | Callable[[int], float]]:
    """Return whether a learning rate is a schedule or a function of the step."""
    return isinstance(rate, Schedule) or (callable(rate) and not isinstance(rate, type))


def schedule_of(rate: LearningRate) -> Schedule:
    """Return a learning rate of any form as a schedule.

    Raises
    ------
    InvalidArgumentError
        If `rate` is not a valid learning rate.
    """
    if not is_schedule(rate):
        return _Constant(checked_rate(rate))
    return rate if isinstance(rate, Schedule) else _OfSteps(rate)


def checked_rate(value: object) -> float:
    """Return the rate of one step as a float.

    Raises
    ------
    InvalidArgumentError
        If `value` is not a finite number ≥ 0.
    """
    if not (is_real(value) and 0 <= value < np.inf):
        raise InvalidArgumentError(
            "learning_rate: expected a finite number ≥ 0, a schedule such as CosineDecay(0.01), or "
            f"a function of the step that returns a number; got {shown(value)}"
        )
    return float(value)
