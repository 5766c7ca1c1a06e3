"""The optimizers, by name: their settings, bound to the equations O0 to O11.

To add an optimizer, add its equations to `chainrule.equations.optimizers`, a class here, and its
compiled twin. Other modules read its metadata (names, limits, help, the estimators' parameters)
from the class.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from types import MappingProxyType
from typing import Any, TypeVar

from chainrule.engines.hyperparameters import documented, flag, number
from chainrule.engines.optimizer import RATE, Equations, Optimizer, Update

# Unpickling estimators from earlier releases requires this name here.
from chainrule.engines.optimizer import OptimizerState as OptimizerState
from chainrule.engines.schedule import LearningRate
from chainrule.equations import optimizers as equations
from chainrule.errors import InvalidArgumentError
from chainrule.limits import NOT_NEGATIVE, POSITIVE, SHARE
from chainrule.suggestions import did_you_mean

BETA = number("β in [0, 1).", SHARE, parameter="momentum")
BETA_1 = number("β₁ in [0, 1).", SHARE)
BETA_2 = number("β₂ in [0, 1).", SHARE)
EPSILON = number("ε > 0.", POSITIVE)

_found: dict[str, type[Optimizer]] = {}

OPTIMIZERS: Mapping[str, type[Optimizer]] = MappingProxyType(_found)
"""The optimizer classes by name."""


_Kind = TypeVar("_Kind", bound=type[Optimizer])


def _named(kind: _Kind) -> _Kind:
    """Register an optimizer by its name, and document its settings."""
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
        """Return the estimators' parameters, where "sgd" has scikit-learn's meaning."""
        return (*HeavyBall.parameters(), "nesterovs_momentum")

    @classmethod
    def described(cls, given: Mapping[str, Any], rate: LearningRate) -> Optimizer:
        """Return the optimizer that scikit-learn calls "sgd": O5 or O4."""
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
    """Adam, O3: W ← W − α V̂/(√Ŝ + ε), with the bias-corrected averages V and S of O1 and O2."""

    name = "adam"
    equations = Equations(
        equations.adam_init,
        equations.adam_update,
        equations.adam_plain_epsilon_update,
        equations.adam_corrections,
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
        """Return the optimizer that scikit-learn calls "adam": O3e."""
        return super().described({**given, "plain_epsilon": True}, rate)


@_named
@dataclass(frozen=True)
class AdamW(Optimizer):
    """Adam with decoupled weight decay, O6: W ← W − α (V̂/(√Ŝ + ε) + λ W); biases do not decay."""

    name = "adamw"
    equations = Equations(
        equations.adam_init, equations.adamw_update, corrections=equations.adam_corrections
    )

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
    equations = Equations(
        equations.adam_init, equations.nadam_update, corrections=equations.nadam_corrections
    )

    learning_rate: LearningRate = field(default=0.001, metadata=RATE)
    beta_1: float = field(default=0.9, metadata=BETA_1)
    beta_2: float = field(default=0.999, metadata=BETA_2)
    epsilon: float = field(default=1e-8, metadata=EPSILON)


@_named
@dataclass(frozen=True)
class Lion(Optimizer):
    """Lion, O8: W ← W − α (sign(β₁ V + (1 − β₁) δW) + λ W); biases do not decay.

    Use a learning rate three to ten times smaller than for Adam, and a weight decay larger than
    for AdamW by the same factor.
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
    """AdamW without a schedule, O9: steps update Z, gradients are at W, evaluation is at X.

    Instead of a decreasing learning rate, the network is evaluated at X, an average of the
    parameters Z over the steps. Use a learning rate one to ten times as large as for AdamW; a
    warm-up, ``Warmup(0.003)``, often helps. The running statistics of batch normalisation come from
    the training steps and are not averaged.

    Examples
    --------
    >>> import chainrule as cr
    >>> X, y = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]
    >>> net = cr.Network([2, cr.Dense(8, "tanh"), cr.Dense(2, "softmax")],
    ...                  cost="cross_entropy", seed=0)
    >>> history = net.fit(X, y, optimizer=cr.ScheduleFreeAdamW(0.05), epochs=200, batch_size=4)
    >>> net.predict(X).argmax(axis=1)
    array([0, 1, 1, 0])
    """

    name = "schedule_free_adamw"
    equations = Equations(
        equations.schedule_free_init,
        equations.schedule_free_adamw_update,
        corrections=equations.schedule_free_corrections,
    )
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


@_named
@dataclass(frozen=True)
class Muon(Optimizer):
    """Muon, O11: orthogonal steps for the weights of hidden layers, AdamW (O6) for the rest.

    The average of the gradients of a weight matrix is made orthogonal by O10 before the step, so
    that directions with small gradients are learned as fast as those with large ones. The matrices
    are those of dense layers between the first layer with weights and the output layer: inputs and
    outputs have a basis of their own, feature by feature and class by class, which is why the
    authors leave both layers, embeddings and all vectors to AdamW. Without such a layer between the
    two, that is with one hidden layer, Muon is AdamW.

    In a `GroupedDense` layer each group has a matrix of its own; in a `BatchEnsemble` layer it is
    the matrix that all members share. Steps are as long as those of AdamW with the same learning
    rate (0.2 α for each entry, about), so that a rate that suits AdamW suits Muon. The state of a
    hidden matrix is V alone; its S stays 0. Estimators and runs pass their `momentum` as β, by
    default 0.9, and their own `beta_2` and `weight_decay`.

    On CPUs with AVX-512-BF16, the products of O10 of matrices of at least 64 rows and columns round
    their factors to bfloat16 if the network is in float32, as in the authors' own program: results
    then differ by about one hundredth of a step.

    Examples
    --------
    >>> import chainrule as cr
    >>> X, y = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]
    >>> net = cr.Network([2, cr.Dense(8, "tanh"), cr.Dense(8, "tanh"), cr.Dense(2, "softmax")],
    ...                  cost="cross_entropy", seed=0)
    >>> history = net.fit(X, y, optimizer=cr.Muon(0.02), epochs=100, batch_size=4)
    >>> net.predict(X).argmax(axis=1)
    array([0, 1, 1, 0])
    """

    name = "muon"
    equations = Equations(
        equations.adam_init, equations.muon_update, corrections=equations.adam_corrections
    )
    orthogonal = True

    learning_rate: LearningRate = field(default=0.001, metadata=RATE)
    beta: float = field(
        default=0.95,
        metadata=number("β in [0, 1), of hidden matrices.", SHARE, parameter="momentum"),
    )
    beta_1: float = field(default=0.9, metadata=number("β₁ in [0, 1), of the rest.", SHARE))
    beta_2: float = field(default=0.95, metadata=number("β₂ in [0, 1), of the rest.", SHARE))
    epsilon: float = field(default=1e-8, metadata=EPSILON)
    weight_decay: float = field(
        default=0.01, metadata=number("λ ≥ 0; α multiplies it.", NOT_NEGATIVE)
    )

    def update_equation_of(self, hidden: bool) -> Update:
        """O11, or O6."""
        return self.equations.update if hidden else equations.adamw_update


def with_parameter(name: str) -> tuple[str, ...]:
    """Return the names of the optimizers that use the given estimators' parameter."""
    return tuple(kind.name for kind in OPTIMIZERS.values() if name in kind.parameters())


def optimizer_named(optimizer: Optimizer | str) -> Optimizer:
    """Return the given optimizer, or the named optimizer with its default settings.

    Raises
    ------
    InvalidArgumentError
        If it is neither an optimizer nor the name of one.
    """
    if isinstance(optimizer, Optimizer):
        return optimizer
    if isinstance(optimizer, str) and optimizer in OPTIMIZERS:
        return _with_defaults(optimizer)
    raise InvalidArgumentError(
        f"optimizer: expected one of {', '.join(OPTIMIZERS)}, or an instance such as "
        f"Adam(learning_rate=1e-3); got {optimizer!r}{did_you_mean(optimizer, OPTIMIZERS)}"
    )


@cache
def _with_defaults(name: str) -> Optimizer:
    # Optimizers are frozen, so every fit can share one; checking its settings takes 20 µs.
    return OPTIMIZERS[name]()  # type: ignore[call-arg]
