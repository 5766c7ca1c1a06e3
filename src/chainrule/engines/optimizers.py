"""Optimizers as a user names them: their settings, bound to the equations O0 to O9.

To add one: its equations in `chainrule.equations.optimizers`, a class here, and its compiled twin.
What others need to know of it (names, limits, help, the estimators' parameters) is read from here.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cache, cached_property
from types import MappingProxyType
from typing import Any, ClassVar, NamedTuple, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from chainrule.engines.hyperparameters import check, documented, flag, number, parameter_of, rule
from chainrule.engines.schedules import LearningRate, Schedule, schedule_of
from chainrule.equations import optimizers as equations
from chainrule.equations.averages import exponential_share, rate_share
from chainrule.errors import InvalidArgumentError
from chainrule.limits import NOT_NEGATIVE, POSITIVE, SHARE

Update: TypeAlias = Callable[..., tuple[Any, Any]]


@dataclass
class OptimizerState:
    """What an optimizer remembers, in arrays that every engine can share.

    Attributes
    ----------
    slots : array (optimizer.slots, number of parameters)
        V, S: one row each, in the order of the equations' state.
    t : int
        Updates made so far.
    theta : array (number of parameters,), optional
        The parameters that the steps move, where the network is evaluated at an average of them;
        None: they are the network's own.
    weight : float
        Σα² of the updates so far, where WA3 asks for it.
    """

    slots: NDArray[np.floating]
    t: int = 0
    theta: NDArray[np.floating] | None = None
    weight: float = 0.0

    def copy(self) -> "OptimizerState":
        """Return a copy that shares no memory."""
        theta = None if self.theta is None else self.theta.copy()
        return replace(self, slots=self.slots.copy(), theta=theta)

    def restore(self, saved: "OptimizerState") -> None:
        """Take back, into the same arrays, what was copied before."""
        self.slots[...], self.t, self.weight = saved.slots, saved.t, saved.weight
        if self.theta is not None:
            self.theta[...] = saved.theta


@cache
def _state_of(init: Callable[[Any], Any]) -> Any:
    """Return a state as the equations have it, of a single parameter."""
    return init(np.zeros(1))


def _fields_of(init: Callable[[Any], Any]) -> tuple[str, ...]:
    return getattr(_state_of(init), "_fields", ())


class Equations(NamedTuple):
    """The equations of an optimizer: the state before the first update, and updates."""

    init: Callable[[Any], Any]
    update: Update
    variant: Update | None = None
    """The same with another detail, which a setting chooses."""

    @property
    def vectors(self) -> tuple[str, ...]:
        """The names of the vectors in the state; t is none."""
        return tuple(name for name in _fields_of(self.init) if name != "t")

    def state(self, vectors: Iterable[Any], t: int) -> Any:
        """Return the state with these vectors after t updates."""
        names = _fields_of(self.init)
        if not names:
            return ()
        return type(_state_of(self.init))(*vectors, *([t] if "t" in names else []))

    def vectors_of(self, state: Any) -> list[Any]:
        """Return the vectors of a state."""
        return list(state[: len(self.vectors)])


def _checked_rate(name: str, value: Any) -> Any:
    return value if schedule_of(value).constant is None else float(value)


RATE = rule(
    "float, Schedule or callable",
    "α, a schedule such as `CosineDecay`, or a function of the step t = 1, 2, ….",
    _checked_rate,
)
BETA = number("β in [0, 1).", SHARE, parameter="momentum")
BETA_1 = number("β₁ in [0, 1).", SHARE)
BETA_2 = number("β₂ in [0, 1).", SHARE)
EPSILON = number("ε > 0.", POSITIVE)


@dataclass(frozen=True)
class Optimizer:
    """Base of the optimizers: a learning rate, and the equation that an update follows."""

    name: ClassVar[str]
    equations: ClassVar[Equations]
    written_as: ClassVar[str] = ""
    """What checkpoints call it, where the class has another name by now."""

    averages: ClassVar[bool] = False
    """Whether its vector X is an average by WA1 and WA3, at which the network is evaluated."""

    learning_rate: LearningRate
    ema_decay: float = field(
        default=0.0,
        kw_only=True,
        metadata=number(
            "ρ in [0, 1): the network is evaluated, saved and used at the exponential moving "
            "average of its parameters, WA1 and WA2, over about the last 1/(1 − ρ) steps, such as "
            "0.999. 0: at the parameters themselves.",
            SHARE,
        ),
    )

    def __post_init__(self) -> None:
        check(self)
        if self.averages and self.ema_decay:
            raise InvalidArgumentError(
                f"ema_decay: expected 0, for {type(self).__name__} is evaluated at an average "
                f"already; got {self.ema_decay!r}"
            )

    @property
    def slots(self) -> int:
        """Vectors of state: those of the equations, and the average behind them."""
        return len(self.equations.vectors) + (self.ema_decay > 0)

    @property
    def evaluated_at_average(self) -> bool:
        """Whether the network is evaluated at an average of the parameters that the steps move."""
        return self.averages or self.ema_decay > 0

    def average(self, state: OptimizerState) -> NDArray[np.floating]:
        """Return that average, X: one of the state's vectors."""
        own = self.equations.vectors
        return np.asarray(state.slots[own.index("X") if self.averages else len(own)])

    def shares(
        self, state: OptimizerState, learning_rates: NDArray[np.float64]
    ) -> NDArray[np.float64] | None:
        """Return c of WA1 for steps with these learning rates; None: nothing is averaged."""
        if self.ema_decay:
            t = state.t + np.arange(1, len(learning_rates) + 1, dtype=np.float64)
            return np.asarray(exponential_share(t, self.ema_decay))
        if self.averages:
            totals = self._weights(state, learning_rates)[1:]
            return np.asarray(rate_share(learning_rates, totals))
        return None

    def count(self, state: OptimizerState, learning_rates: NDArray[np.float64]) -> None:
        """Take note in a state of updates that were made with these learning rates."""
        state.t += len(learning_rates)
        if self.averages:
            state.weight = float(self._weights(state, learning_rates)[-1])

    @staticmethod
    def _weights(state: OptimizerState, learning_rates: NDArray[np.float64]) -> NDArray[np.float64]:
        # One after the other: the same bits however the steps are divided between calls.
        return np.add.accumulate(np.concatenate([[state.weight], learning_rates**2]))

    @cached_property
    def schedule(self) -> Schedule:
        """The learning rate as a schedule, whatever form it was given in."""
        return schedule_of(self.learning_rate)

    @property
    def update_equation(self) -> Update:
        """The equation of an update with these settings."""
        return self.equations.update

    @property
    def hyperparameters(self) -> dict[str, float]:
        """The numbers but the learning rate, by the names of the equation's arguments."""
        return {name: value for name, value in self._own().items() if not isinstance(value, bool)}

    @property
    def settings(self) -> dict[str, float]:
        """All but the learning rate as numbers, by name: what the compiled twin takes."""
        return {name: float(value) for name, value in self._own().items()}

    def _own(self) -> dict[str, Any]:
        return {f.name: getattr(self, f.name) for f in fields(self) if f.name not in _COMMON}

    @property
    def decays(self) -> bool:
        """Whether its equation lets weights decay by themselves."""
        return "weight_decay" in self._own()

    def learning_rates(self, first_step: int, steps: int) -> NDArray[np.float64]:
        """Return α for the steps t = first_step, …: (steps,).

        Raises
        ------
        InvalidArgumentError
            If a schedule returns anything but a finite number ≥ 0.
        """
        return self.schedule.rates(first_step, steps)

    def planned(self, total_steps: int, steps_per_epoch: int) -> Self:
        """Return this optimizer, its schedule told how long a training is."""
        schedule = self.schedule
        told = schedule.planned(max(1, total_steps), steps_per_epoch)
        return self if told is schedule else replace(self, learning_rate=told)

    def in_words(self, of_code: Callable[[Any], str]) -> str:
        """Return what decides its steps, the same text in every release: checkpoints compare it.

        Parameters
        ----------
        of_code : callable
            Returns the text of a user's function.
        """
        parts = [f"learning_rate={self.schedule.in_words(of_code)}"]
        parts += [f"{name}={value!r}" for name, value in self._own().items()]
        if self.ema_decay:  # checkpoints are older than it
            parts.append(f"ema_decay={self.ema_decay!r}")
        return f"{self.written_as or type(self).__name__}({', '.join(parts)})"

    def new_state(self, theta: NDArray[np.floating]) -> OptimizerState:
        """Return the state before the first update; averages begin at the parameters."""
        slots = np.empty((self.slots, theta.size), theta.dtype)
        vectors = self.equations.vectors_of(self.equations.init(theta))
        if self.ema_decay:
            vectors.append(theta)
        for slot, vector in zip(slots, vectors, strict=True):
            slot[...] = vector
        return OptimizerState(slots, theta=theta.copy() if self.evaluated_at_average else None)

    def equation_state(self, state: OptimizerState) -> Any:
        """Return `state` as the named tuple that the equations take."""
        return self.equations.state(state.slots[: len(self.equations.vectors)], state.t)

    def update(
        self,
        theta: Any,
        gradient: Any,
        equation_state: Any,
        learning_rate: Any,
        weights: Any = 1.0,
        share: Any = 1.0,
    ) -> tuple[Any, Any]:
        """Return the new θ and the new state: the optimizer's equation, nothing in place.

        `learning_rate` is α, one number or one for each parameter. `weights` is 1 for each
        parameter that a decay pulls on, 0 for the others. `share` is c of an average, WA1.
        """
        settings: dict[str, Any] = self.hyperparameters
        if self.averages:
            settings["share"] = share
        if self.decays:
            settings["weight_decay"] = settings["weight_decay"] * weights
        return self.update_equation(theta, gradient, equation_state, learning_rate, **settings)

    @classmethod
    def parameters(cls) -> tuple[str, ...]:
        """Return the estimators' parameters, beside the learning rate, that it has a use for."""
        return tuple(
            parameter_of(f)
            for f in fields(cls)
            if f.name != "learning_rate" and not (cls.averages and f.name == "ema_decay")
        )

    @classmethod
    def described(cls, given: Mapping[str, Any], rate: LearningRate) -> "Optimizer":
        """Return the optimizer that an estimator's parameters describe under its name."""
        settings = {
            f.name: given[parameter_of(f)]
            for f in fields(cls)
            if parameter_of(f) in given and parameter_of(f) in cls.parameters()
        }
        return cls(learning_rate=rate, **settings)


_COMMON = frozenset(field.name for field in fields(Optimizer))

_found: dict[str, type[Optimizer]] = {}

OPTIMIZERS: Mapping[str, type[Optimizer]] = MappingProxyType(_found)
"""The optimizers by their names."""


def _named(kind: type[Optimizer]) -> type[Optimizer]:
    """Put an optimizer among those that go by a name, and document its settings."""
    _found[kind.name] = documented(kind)
    return kind


@_named
@dataclass(frozen=True)
class SGD(Optimizer):
    """Gradient descent, O0: W ← W − α δW."""

    name = "sgd"
    equations = Equations(equations.gradient_descent_init, equations.gradient_descent_update)

    learning_rate: LearningRate = field(default=0.01, metadata=RATE)

    @classmethod
    def parameters(cls) -> tuple[str, ...]:
        """Return the estimators' parameters: "sgd" there has scikit-learn's meaning."""
        return (*HeavyBall.parameters(), "nesterovs_momentum")

    @classmethod
    def described(cls, given: Mapping[str, Any], rate: LearningRate) -> Optimizer:
        """Return what scikit-learn calls "sgd": O5 or O4."""
        kind = Nesterov if given["nesterovs_momentum"] else HeavyBall
        return kind.described(given, rate)


@_named
@dataclass(frozen=True)
class Momentum(Optimizer):
    """Momentum as an exponentially weighted average, O1: V ← βV + (1 − β) δW; W ← W − α V."""

    name = "momentum"
    equations = Equations(equations.momentum_init, equations.momentum_update)

    learning_rate: LearningRate = field(default=0.01, metadata=RATE)
    beta: float = field(default=0.9, metadata=BETA)


@_named
@dataclass(frozen=True)
class HeavyBall(Optimizer):
    """Polyak's momentum, O4: V ← βV − α δW; W ← W + V."""

    name = "heavy_ball"
    equations = Equations(equations.momentum_init, equations.heavy_ball_update)

    learning_rate: LearningRate = field(default=0.01, metadata=RATE)
    beta: float = field(default=0.9, metadata=BETA)


@_named
@dataclass(frozen=True)
class Nesterov(Optimizer):
    """Nesterov's momentum in look-ahead form, O5: V ← βV − α δW; W ← W + βV − α δW."""

    name = "nesterov"
    equations = Equations(equations.momentum_init, equations.nesterov_update)

    learning_rate: LearningRate = field(default=0.01, metadata=RATE)
    beta: float = field(default=0.9, metadata=BETA)


@_named
@dataclass(frozen=True)
class RMSprop(Optimizer):
    """RMSprop, O2: S ← βS + (1 − β) δW²; W ← W − α δW/(√S + ε)."""

    name = "rmsprop"
    equations = Equations(equations.rmsprop_init, equations.rmsprop_update)

    learning_rate: LearningRate = field(default=0.001, metadata=RATE)
    beta: float = field(default=0.9, metadata=BETA)
    epsilon: float = field(default=1e-8, metadata=EPSILON)


@_named
@dataclass(frozen=True)
class Adam(Optimizer):
    """Adam, O3: W ← W − α V̂/(√Ŝ + ε), V and S the averages of O1 and O2, corrected."""

    name = "adam"
    equations = Equations(
        equations.adam_init, equations.adam_update, equations.adam_plain_epsilon_update
    )

    learning_rate: LearningRate = field(default=0.001, metadata=RATE)
    beta_1: float = field(default=0.9, metadata=BETA_1)
    beta_2: float = field(default=0.999, metadata=BETA_2)
    epsilon: float = field(default=1e-8, metadata=EPSILON)
    plain_epsilon: bool = field(
        default=False,
        metadata=flag("Whether ε stands beside the uncorrected √S, O3e, as in scikit-learn."),
    )

    @property
    def update_equation(self) -> Update:
        """O3 or O3e."""
        plain = self.equations.variant
        return plain if self.plain_epsilon and plain is not None else self.equations.update

    @classmethod
    def described(cls, given: Mapping[str, Any], rate: LearningRate) -> Optimizer:
        """Return what scikit-learn calls "adam": O3e."""
        return super().described({**given, "plain_epsilon": True}, rate)


@_named
@dataclass(frozen=True)
class AdamW(Optimizer):
    """Adam with decoupled weight decay, O6: W ← W − α (V̂/(√Ŝ + ε) + λ W); biases do not decay."""

    name = "adamw"
    equations = Equations(equations.adam_init, equations.adamw_update)

    learning_rate: LearningRate = field(default=0.001, metadata=RATE)
    beta_1: float = field(default=0.9, metadata=BETA_1)
    beta_2: float = field(default=0.999, metadata=BETA_2)
    epsilon: float = field(default=1e-8, metadata=EPSILON)
    weight_decay: float = field(
        default=0.01, metadata=number("λ ≥ 0; α multiplies it.", NOT_NEGATIVE)
    )


@_named
@dataclass(frozen=True)
class NAdam(Optimizer):
    """Adam with Nesterov's look-ahead, O7, at a constant β₁."""

    name = "nadam"
    equations = Equations(equations.adam_init, equations.nadam_update)

    learning_rate: LearningRate = field(default=0.001, metadata=RATE)
    beta_1: float = field(default=0.9, metadata=BETA_1)
    beta_2: float = field(default=0.999, metadata=BETA_2)
    epsilon: float = field(default=1e-8, metadata=EPSILON)


@_named
@dataclass(frozen=True)
class Lion(Optimizer):
    """Lion, O8: W ← W − α (sign(β₁ V + (1 − β₁) δW) + λ W); biases do not decay.

    Its learning rate is three to ten times smaller than Adam's, its decay as much larger than
    AdamW's.
    """

    name = "lion"
    equations = Equations(equations.momentum_init, equations.lion_update)

    learning_rate: LearningRate = field(default=0.0001, metadata=RATE)
    beta_1: float = field(default=0.9, metadata=BETA_1)
    beta_2: float = field(default=0.99, metadata=BETA_2)
    weight_decay: float = field(
        default=0.01, metadata=number("λ ≥ 0; α multiplies it.", NOT_NEGATIVE)
    )


@_named
@dataclass(frozen=True)
class ScheduleFreeAdamW(Optimizer):
    """AdamW without a schedule, O9: steps from Z, gradients at W, evaluated at the average X.

    In place of a learning rate that falls, the network is evaluated at an average of the
    parameters that the steps went through. Its learning rate is one to ten times AdamW's; a
    warm-up, ``Warmup(0.003)``, often helps. Running statistics of batch normalisation are those of
    the steps.
    """

    name = "schedule_free_adamw"
    equations = Equations(equations.schedule_free_init, equations.schedule_free_adamw_update)
    averages = True

    learning_rate: LearningRate = field(default=0.0025, metadata=RATE)
    beta_1: float = field(
        default=0.9,
        metadata=number("β₁ in [0, 1): how near to X the gradients are taken.", SHARE),
    )
    beta_2: float = field(default=0.999, metadata=BETA_2)
    epsilon: float = field(default=1e-8, metadata=EPSILON)
    weight_decay: float = field(
        default=0.0, metadata=number("λ ≥ 0 at W; α multiplies it.", NOT_NEGATIVE)
    )


def with_parameter(name: str) -> tuple[str, ...]:
    """Return the names of the optimizers that have a use for an estimators' parameter."""
    return tuple(kind.name for kind in OPTIMIZERS.values() if name in kind.parameters())


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
