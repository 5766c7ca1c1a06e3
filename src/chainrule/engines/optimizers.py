"""Optimizers as a user names them: their settings, bound to the equations O0 to O8.

To add one: its equations in `chainrule.equations.optimizers`, a class here, its compiled twin,
and a line in `OPTIMIZERS`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from types import MappingProxyType
from typing import Any, ClassVar, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from chainrule.checks import is_real, shown
from chainrule.engines.schedules import Schedule
from chainrule.equations import optimizers as equations
from chainrule.errors import InvalidArgumentError

LearningRate: TypeAlias = float | Schedule | Callable[[int], float]
"""A number, a schedule, or a function of the step t = 1, 2, … (counted over the whole `fit`)."""


@dataclass
class OptimizerState:
    """What an optimizer remembers, in arrays that every engine can share.

    Attributes
    ----------
    slots : array (optimizer.slots, number of parameters)
        V, S: one row each, in the order of the equations' state.
    t : int
        Updates made so far.
    """

    slots: NDArray[np.floating]
    t: int = 0


@dataclass(frozen=True)
class Optimizer:
    """Base of the optimizers: a learning rate, and the equation that an update follows."""

    name: ClassVar[str]
    slots: ClassVar[int]
    """Vectors of state."""
    update_equation: ClassVar[Callable[..., tuple[Any, Any]]]
    state_type: ClassVar[Callable[..., Any]]
    counts_steps: ClassVar[bool] = False
    """Whether t is part of the equations' state."""

    learning_rate: LearningRate

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(field.default, bool):
                if not isinstance(value, bool):
                    raise InvalidArgumentError(
                        f"{field.name}: expected True or False; got {shown(value)}"
                    )
                continue
            if field.name == "learning_rate":
                if isinstance(value, Schedule) or callable(value):
                    continue
                check_learning_rate(value)
            elif field.name == "epsilon":
                if not (is_real(value) and 0 < value < np.inf):
                    raise InvalidArgumentError(
                        f"epsilon: expected a number > 0; got {shown(value)}"
                    )
            elif field.name == "weight_decay":
                if not (is_real(value) and 0 <= value < np.inf):
                    raise InvalidArgumentError(
                        f"weight_decay: expected a finite number ≥ 0; got {shown(value)}"
                    )
            elif not (is_real(value) and 0 <= value < 1):
                raise InvalidArgumentError(
                    f"{field.name}: expected a number in [0, 1); got {shown(value)}"
                )
            # A float64 of NumPy would turn float32 arithmetic into float64.
            object.__setattr__(self, field.name, float(value))

    @property
    def hyperparameters(self) -> dict[str, float]:
        """The numbers but the learning rate, by the names of the equation's arguments."""
        return {
            f.name: getattr(self, f.name)
            for f in fields(self)
            if f.name != "learning_rate" and not isinstance(f.default, bool)
        }

    @property
    def settings(self) -> dict[str, float]:
        """All but the learning rate as numbers, by name: what the compiled twin takes."""
        return {
            f.name: float(getattr(self, f.name)) for f in fields(self) if f.name != "learning_rate"
        }

    @property
    def decays(self) -> bool:
        """Whether its equation lets weights decay by themselves."""
        return hasattr(self, "weight_decay")

    def learning_rates(self, first_step: int, steps: int) -> NDArray[np.float64]:
        """Return α for the steps t = first_step, …: (steps,).

        Raises
        ------
        InvalidArgumentError
            If a schedule returns anything but a finite number ≥ 0.
        """
        if isinstance(self.learning_rate, Schedule):
            return self.learning_rate.rates(first_step, steps)
        if not callable(self.learning_rate):
            return np.full(steps, self.learning_rate)
        rates = [self.learning_rate(t) for t in range(first_step, first_step + steps)]
        for rate in rates:
            check_learning_rate(rate)
        return np.array(rates, np.float64)

    def planned(self, total_steps: int, steps_per_epoch: int) -> Self:
        """Return this optimizer, its schedule told how long a training is."""
        if not isinstance(self.learning_rate, Schedule):
            return self
        return replace(
            self, learning_rate=self.learning_rate.planned(max(1, total_steps), steps_per_epoch)
        )

    def new_state(self, theta: NDArray[np.floating]) -> OptimizerState:
        """Return the state before the first update: all zero."""
        return OptimizerState(np.zeros((self.slots, theta.size), theta.dtype))

    def equation_state(self, state: OptimizerState) -> Any:
        """Return `state` as the named tuple that the equations take."""
        counted = (state.t,) if self.counts_steps else ()
        return self.state_type(*state.slots, *counted)

    def update(
        self,
        theta: Any,
        gradient: Any,
        equation_state: Any,
        learning_rate: Any,
        weights: Any = 1.0,
    ) -> tuple[Any, Any]:
        """Return the new θ and the new state: the optimizer's equation, nothing in place.

        `learning_rate` is α, one number or one for each parameter. `weights` is 1 for each
        parameter that a decay pulls on, 0 for the others.
        """
        settings: dict[str, Any] = self.hyperparameters
        if self.decays:
            settings["weight_decay"] = settings["weight_decay"] * weights
        return type(self).update_equation(
            theta, gradient, equation_state, learning_rate, **settings
        )


def check_learning_rate(value: object) -> None:
    """Raise unless `value` is a finite number ≥ 0."""
    if not (is_real(value) and 0 <= value < np.inf):
        raise InvalidArgumentError(
            "learning_rate: expected a finite number ≥ 0, a schedule such as CosineDecay(0.01), or "
            f"a function of the step that returns a number; got {shown(value)}"
        )


def _no_state() -> tuple[()]:
    return ()


@dataclass(frozen=True)
class SGD(Optimizer):
    """Gradient descent, O0: W ← W − α δW.

    Parameters
    ----------
    learning_rate : float, Schedule or callable, default 0.01
        α, a schedule (`TimeDecay`, `ExponentialDecay`, `CosineDecay`, `OneCycle`, `Warmup`), or a
        function of the step t = 1, 2, ….
    """

    name = "sgd"
    slots = 0
    update_equation = staticmethod(equations.gradient_descent_update)
    state_type = staticmethod(_no_state)

    learning_rate: LearningRate = 0.01


@dataclass(frozen=True)
class Momentum(Optimizer):
    """Momentum as an exponentially weighted average, O1: V ← βV + (1 − β) δW; W ← W − α V.

    Parameters
    ----------
    learning_rate : float, Schedule or callable, default 0.01
    beta : float, default 0.9
        β in [0, 1).
    """

    name = "momentum"
    slots = 1
    update_equation = staticmethod(equations.momentum_update)
    state_type = equations.MomentumState

    learning_rate: LearningRate = 0.01
    beta: float = 0.9


@dataclass(frozen=True)
class HeavyBall(Optimizer):
    """Polyak's momentum, O4: V ← βV − α δW; W ← W + V.

    Parameters
    ----------
    learning_rate : float, Schedule or callable, default 0.01
    beta : float, default 0.9
        β in [0, 1).
    """

    name = "heavy_ball"
    slots = 1
    update_equation = staticmethod(equations.heavy_ball_update)
    state_type = equations.MomentumState

    learning_rate: LearningRate = 0.01
    beta: float = 0.9


@dataclass(frozen=True)
class Nesterov(Optimizer):
    """Nesterov's momentum in look-ahead form, O5: V ← βV − α δW; W ← W + βV − α δW.

    Parameters
    ----------
    learning_rate : float, Schedule or callable, default 0.01
    beta : float, default 0.9
        β in [0, 1).
    """

    name = "nesterov"
    slots = 1
    update_equation = staticmethod(equations.nesterov_update)
    state_type = equations.MomentumState

    learning_rate: LearningRate = 0.01
    beta: float = 0.9


@dataclass(frozen=True)
class RMSprop(Optimizer):
    """RMSprop, O2: S ← βS + (1 − β) δW²; W ← W − α δW/(√S + ε).

    Parameters
    ----------
    learning_rate : float, Schedule or callable, default 0.001
    beta : float, default 0.9
        β in [0, 1).
    epsilon : float, default 1e-8
    """

    name = "rmsprop"
    slots = 1
    update_equation = staticmethod(equations.rmsprop_update)
    state_type = equations.RMSpropState

    learning_rate: LearningRate = 0.001
    beta: float = 0.9
    epsilon: float = 1e-8


@dataclass(frozen=True)
class Adam(Optimizer):
    """Adam, O3: W ← W − α V̂/(√Ŝ + ε), V and S the averages of O1 and O2, corrected.

    Parameters
    ----------
    learning_rate : float, Schedule or callable, default 0.001
    beta_1, beta_2 : float, default 0.9 and 0.999
        β₁ and β₂ in [0, 1).
    epsilon : float, default 1e-8
    plain_epsilon : bool, default False
        Whether ε stands beside the uncorrected √S, O3e, as in scikit-learn.
    """

    name = "adam"
    slots = 2
    update_equation = staticmethod(equations.adam_update)
    state_type = equations.AdamState
    counts_steps = True

    learning_rate: LearningRate = 0.001
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-8
    plain_epsilon: bool = False

    def update(
        self,
        theta: Any,
        gradient: Any,
        equation_state: Any,
        learning_rate: Any,
        weights: Any = 1.0,
    ) -> tuple[Any, Any]:
        """Return the new θ and the new state: O3 or O3e, nothing in place."""
        equation = (
            equations.adam_plain_epsilon_update
            if self.plain_epsilon
            else type(self).update_equation
        )
        return equation(theta, gradient, equation_state, learning_rate, **self.hyperparameters)


@dataclass(frozen=True)
class AdamW(Optimizer):
    """Adam with decoupled weight decay, O6: W ← W − α (V̂/(√Ŝ + ε) + λ W); biases do not decay.

    Parameters
    ----------
    learning_rate : float, Schedule or callable, default 0.001
    beta_1, beta_2 : float, default 0.9 and 0.999
        β₁ and β₂ in [0, 1).
    epsilon : float, default 1e-8
    weight_decay : float, default 0.01
        λ ≥ 0; α multiplies it.
    """

    name = "adamw"
    slots = 2
    update_equation = staticmethod(equations.adamw_update)
    state_type = equations.AdamState
    counts_steps = True

    learning_rate: LearningRate = 0.001
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-8
    weight_decay: float = 0.01


@dataclass(frozen=True)
class NAdam(Optimizer):
    """Adam with Nesterov's look-ahead, O7, at a constant β₁.

    Parameters
    ----------
    learning_rate : float, Schedule or callable, default 0.001
    beta_1, beta_2 : float, default 0.9 and 0.999
        β₁ and β₂ in [0, 1).
    epsilon : float, default 1e-8
    """

    name = "nadam"
    slots = 2
    update_equation = staticmethod(equations.nadam_update)
    state_type = equations.AdamState
    counts_steps = True

    learning_rate: LearningRate = 0.001
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-8


@dataclass(frozen=True)
class Lion(Optimizer):
    """Lion, O8: W ← W − α (sign(β₁ V + (1 − β₁) δW) + λ W); biases do not decay.

    Parameters
    ----------
    learning_rate : float, Schedule or callable, default 0.0001
        Three to ten times smaller than Adam's.
    beta_1, beta_2 : float, default 0.9 and 0.99
        β₁ and β₂ in [0, 1).
    weight_decay : float, default 0.01
        λ ≥ 0, three to ten times larger than AdamW's; α multiplies it.
    """

    name = "lion"
    slots = 1
    update_equation = staticmethod(equations.lion_update)
    state_type = equations.MomentumState

    learning_rate: LearningRate = 0.0001
    beta_1: float = 0.9
    beta_2: float = 0.99
    weight_decay: float = 0.01


OPTIMIZERS: Mapping[str, type[Optimizer]] = MappingProxyType(
    {
        kind.name: kind
        for kind in (SGD, Momentum, HeavyBall, Nesterov, RMSprop, Adam, AdamW, NAdam, Lion)
    }
)


def optimizer_named(optimizer: Optimizer | str) -> Optimizer:
    """Return an optimizer, or the one of that name with its default settings.

    Raises
    ------
    InvalidArgumentError
        If it is neither an optimizer nor the name of one.
    """
    if isinstance(optimizer, Optimizer):
        return optimizer
    if isinstance(optimizer, str) and optimizer in OPTIMIZERS:
        return OPTIMIZERS[optimizer]()  # type: ignore[call-arg]
    raise InvalidArgumentError(
        f"optimizer: expected one of {', '.join(OPTIMIZERS)}, or an instance such as "
        f"Adam(learning_rate=1e-3); got {optimizer!r}"
    )
