"""The optimizer base class: equations, settings, state, and averaging of parameters."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cache, cached_property
from typing import Any, ClassVar, NamedTuple, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from chainrule.engines.hyperparameters import check, number, parameter_of, rule
from chainrule.engines.schedule import LearningRate, Schedule, schedule_of
from chainrule.equations.averages import exponential_share, rate_share
from chainrule.equations.optimizers import Matrices
from chainrule.errors import InvalidArgumentError
from chainrule.limits import SHARE

Update: TypeAlias = Callable[..., tuple[Any, Any]]

HATS = {"V": "V̂", "S": "Ŝ"}
"""The symbols of bias-corrected averages."""


@dataclass
class OptimizerState:
    """The state of an optimizer, in arrays that all engines can use.

    Attributes
    ----------
    slots : array (optimizer.slots, number of parameters)
        One row for each vector (V, S), in the order of the equations' state.
    t : int
        Number of updates so far.
    theta : array (number of parameters,), optional
        The parameters that the steps update, if the network is evaluated at an average of them;
        None if the steps update the network's parameters directly.
    weight : float
        Σα² over the updates so far, if WA3 needs it.
    noise_key : int, optional
        Determines, together with t, the random numbers of each step, such as those of dropout. By
        default they follow from the network's seed and epochs.
    """

    slots: NDArray[np.floating]
    t: int = 0
    theta: NDArray[np.floating] | None = None
    weight: float = 0.0
    noise_key: int | None = None

    def copy(self) -> "OptimizerState":
        """Return a copy that shares no memory."""
        theta = None if self.theta is None else self.theta.copy()
        return replace(self, slots=self.slots.copy(), theta=theta)

    def restore(self, saved: "OptimizerState") -> None:
        """Restore a copied state in place, into the same arrays."""
        self.slots[...], self.t, self.weight = saved.slots, saved.t, saved.weight
        if self.theta is not None:
            self.theta[...] = saved.theta


@cache
def _state_of(init: Callable[[Any], Any]) -> Any:
    """Return the equations' initial state for a single parameter."""
    return init(np.zeros(1))


def _fields_of(init: Callable[[Any], Any]) -> tuple[str, ...]:
    state = _state_of(init)
    return tuple(state._fields) if state else ()


class Equations(NamedTuple):
    """The equations of an optimizer: the initial state and the update."""

    init: Callable[[Any], Any]
    update: Update
    variant: Update | None = None
    """An alternative update equation, selected by a setting."""
    corrections: Callable[..., Any] | None = None
    """V̂ and Ŝ, as a function of the gradient, the state after the update, β₁ and β₂; None if the
    update has none."""

    @property
    def vectors(self) -> tuple[str, ...]:
        """The names of the vectors in the state, which exclude t."""
        return tuple(name for name in _fields_of(self.init) if name != "t")

    @property
    def counts(self) -> bool:
        """Whether the state has t."""
        return "t" in _fields_of(self.init)

    def state(self, vectors: Iterable[Any], t: int) -> Any:
        """Return the state after t updates with the given vectors."""
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
    """Base class of the optimizers: a learning rate and an update equation."""

    name: ClassVar[str]
    equations: ClassVar[Equations]
    written_as: ClassVar[str] = ""
    """Class name in checkpoints, if the class has been renamed since."""

    averages: ClassVar[bool] = False
    """Whether the network is evaluated at the state vector X, an average by WA1 and WA3."""

    orthogonal: ClassVar[bool] = False
    """Whether the steps of hidden matrices are orthogonal: O11 is told where the matrices are."""

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
                f"ema_decay: expected 0, because {type(self).__name__} averages the parameters "
                f"itself; got {self.ema_decay!r}"
            )

    @property
    def slots(self) -> int:
        """Number of state vectors: those of the equations, then the average, if there is one."""
        return len(self.equations.vectors) + (self.ema_decay > 0)

    @property
    def evaluated_at_average(self) -> bool:
        """Whether the network is evaluated at an average of the updated parameters."""
        return self.averages or self.ema_decay > 0

    def average(self, state: OptimizerState) -> NDArray[np.floating]:
        """Return the average of the parameters, which is one of the state vectors."""
        own = self.equations.vectors
        return np.asarray(state.slots[own.index("X") if self.averages else len(own)])

    def shares(
        self, state: OptimizerState, learning_rates: NDArray[np.float64]
    ) -> NDArray[np.float64] | None:
        """Return c of WA1 for steps with these learning rates; None without averaging."""
        if self.ema_decay:
            t = state.t + np.arange(1, len(learning_rates) + 1, dtype=np.float64)
            return np.asarray(exponential_share(t, self.ema_decay))
        if self.averages:
            totals = self._weights(state, learning_rates)[1:]
            return np.asarray(rate_share(learning_rates, totals))
        return None

    def count(self, state: OptimizerState, learning_rates: NDArray[np.float64]) -> None:
        """Record in `state` that updates with these learning rates were made."""
        state.t += len(learning_rates)
        if self.averages:
            state.weight = float(self._weights(state, learning_rates)[-1])

    @staticmethod
    def _weights(state: OptimizerState, learning_rates: NDArray[np.float64]) -> NDArray[np.float64]:
        # Summed sequentially, so results are bit-identical however calls divide the steps.
        return np.add.accumulate(np.concatenate([[state.weight], learning_rates**2]))

    @cached_property
    def schedule(self) -> Schedule:
        """The learning rate, converted to a schedule."""
        return schedule_of(self.learning_rate)

    @property
    def update_equation(self) -> Update:
        """The update equation for these settings."""
        return self.equations.update

    def update_equation_of(self, hidden: bool) -> Update:
        """Return the update equation of the matrices of hidden layers, or of other parameters."""
        return self.update_equation

    @property
    def hyperparameters(self) -> dict[str, float]:
        """Numeric settings except the learning rate, by the names of the equation's arguments."""
        return {name: value for name, value in self._own().items() if not isinstance(value, bool)}

    @cached_property
    def settings(self) -> dict[str, float]:
        """All settings except the learning rate, as numbers by name, for the compiled twin."""
        return {name: float(value) for name, value in self._own().items()}

    def _own(self) -> dict[str, Any]:
        return {f.name: getattr(self, f.name) for f in fields(self) if f.name not in _COMMON}

    @property
    def decays(self) -> bool:
        """Whether its equation includes decoupled weight decay."""
        return "weight_decay" in self._own()

    def learning_rates(self, first_step: int, steps: int) -> NDArray[np.float64]:
        """Return α for the steps t = first_step, …, as an array (steps,).

        Raises
        ------
        InvalidArgumentError
            If a schedule returns a value that is not a finite number ≥ 0.
        """
        return self.schedule.rates(first_step, steps)

    def planned(self, total_steps: int, steps_per_epoch: int) -> Self:
        """Return this optimizer, with omitted lengths of its schedule filled in."""
        schedule = self.schedule
        told = schedule.planned(max(1, total_steps), steps_per_epoch)
        return self if told is schedule else replace(self, learning_rate=told)

    def in_words(self, of_code: Callable[[Any], str]) -> str:
        """Return a text that determines the steps and is stable across releases.

        Checkpoints compare this text.

        Parameters
        ----------
        of_code : callable
            Returns a text for a user's function.
        """
        parts = [f"learning_rate={self.schedule.in_words(of_code)}"]
        parts += [f"{name}={value!r}" for name, value in self._own().items()]
        if self.ema_decay:  # omitted at 0, because checkpoints may predate it
            parts.append(f"ema_decay={self.ema_decay!r}")
        return f"{self.written_as or type(self).__name__}({', '.join(parts)})"

    def new_state(self, theta: NDArray[np.floating]) -> OptimizerState:
        """Return the state before the first update; averages start at the parameters."""
        # np.zeros commits no memory until written to, so only nonzero initial vectors are written.
        slots = np.zeros((self.slots, theta.size), theta.dtype)
        vectors = self.equations.vectors_of(self.equations.init(theta))
        if self.ema_decay:
            vectors.append(theta)
        for slot, vector in zip(slots, vectors, strict=True):
            if vector is theta:
                slot[...] = theta
        return OptimizerState(slots, theta=theta.copy() if self.evaluated_at_average else None)

    def theta_slots(self) -> tuple[int, ...]:
        """Return the indices of the state vectors that start at the parameters: averages."""
        theta = np.zeros(1)
        vectors = self.equations.vectors_of(self.equations.init(theta))
        if self.ema_decay:
            vectors.append(theta)
        return tuple(slot for slot, vector in enumerate(vectors) if vector is theta)

    def equation_state(self, state: OptimizerState) -> Any:
        """Return `state` as the named tuple that the equations take."""
        return self.equations.state(state.slots[: len(self.equations.vectors)], state.t)

    def corrected(self, gradient: Any, equation_state: Any) -> dict[str, Any]:
        """Return V̂ and Ŝ of an update, by symbol, as far as its equation has them.

        `equation_state` is the state after the update.
        """
        corrections = self.equations.corrections
        if corrections is None or self.update_equation is not self.equations.update:
            return {}
        own = self.hyperparameters
        found = corrections(gradient, equation_state, own["beta_1"], own["beta_2"])
        return {HATS[name[0]]: value for name, value in found._asdict().items()}

    def update(
        self,
        theta: Any,
        gradient: Any,
        equation_state: Any,
        learning_rate: Any,
        weights: Any = 1.0,
        share: Any = 1.0,
        matrices: Sequence[Matrices] = (),
        hyperparameters: Mapping[str, Any] | None = None,
    ) -> tuple[Any, Any]:
        """Return the new θ and the new state by the optimizer's equation, without in-place changes.

        `learning_rate` is α, a scalar or one value per parameter. `weights` is 1 for each parameter
        that weight decay applies to, 0 for the others. `share` is c of an average, WA1. `matrices`
        are those of hidden layers, in the order of θ. `hyperparameters` are used instead of the
        optimizer's own, such as arrays that a library traces.
        """
        own = self.hyperparameters if hyperparameters is None else hyperparameters
        settings: dict[str, Any] = dict(own)
        if self.averages:
            settings["share"] = share
        if self.orthogonal:
            settings["matrices"] = matrices
        if self.decays:
            settings["weight_decay"] = settings["weight_decay"] * weights
        return self.update_equation(theta, gradient, equation_state, learning_rate, **settings)

    @classmethod
    def parameters(cls) -> tuple[str, ...]:
        """Return the estimators' parameters that it uses, except the learning rate."""
        return tuple(
            parameter_of(f)
            for f in fields(cls)
            if f.name != "learning_rate" and not (cls.averages and f.name == "ema_decay")
        )

    @classmethod
    def described(cls, given: Mapping[str, Any], rate: LearningRate) -> "Optimizer":
        """Return the optimizer of this class with settings from an estimator's parameters."""
        used = cls.parameters()
        settings = {
            f.name: given[name]
            for f in fields(cls)
            if (name := parameter_of(f)) in used and name in given
        }
        return cls(learning_rate=rate, **settings)


_COMMON = frozenset(setting.name for setting in fields(Optimizer))
