"""What an optimizer is: its equations, settings and state, and where a network is evaluated."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cache, cached_property
from typing import Any, ClassVar, NamedTuple, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from chainrule.engines.hyperparameters import check, number, parameter_of, rule
from chainrule.engines.schedule import LearningRate, Schedule, schedule_of
from chainrule.equations.averages import exponential_share, rate_share
from chainrule.errors import InvalidArgumentError
from chainrule.limits import SHARE

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
    state = _state_of(init)
    return tuple(state._fields) if state else ()


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

    @cached_property
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
        # Zeros take no memory before they are written to: only what begins elsewhere is.
        slots = np.zeros((self.slots, theta.size), theta.dtype)
        vectors = self.equations.vectors_of(self.equations.init(theta))
        if self.ema_decay:
            vectors.append(theta)
        for slot, vector in zip(slots, vectors, strict=True):
            if vector is theta:
                slot[...] = theta
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


_COMMON = frozenset(setting.name for setting in fields(Optimizer))
