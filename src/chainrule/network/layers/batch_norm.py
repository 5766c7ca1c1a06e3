"""Batch normalisation: activations are standardised per unit, then scaled by γ and shifted by β."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

from chainrule.arguments import hinting
from chainrule.checks import number_below_one, positive_number
from chainrule.equations._array import Array
from chainrule.equations.backpropagation import bias_gradient
from chainrule.equations.batch_normalization import (
    batch_error,
    batch_statistics,
    fixed_error,
    normalized,
    running_value,
    scale_gradient,
    scaled_and_shifted,
)
from chainrule.equations.forward import activation
from chainrule.names import ActivationText
from chainrule.network.activation import activation_of
from chainrule.network.layers.base import (
    Block,
    Layer,
    LayerPass,
    Shown,
    TrainingStep,
    activation_error_text,
)
from chainrule.network.layers.operations import Normalized, Operation, activated, column


class _Own(NamedTuple):
    """Forward-pass values that the backward pass of batch normalisation needs."""

    X_hat: Array
    mean: Array
    variance: Array
    step: TrainingStep | None
    """The training step whose batch gave mean and variance; None: they are the running ones."""


@hinting
@dataclass(frozen=True)
class BatchNorm(Layer):
    """Batch normalisation, A[l] = σ(γ[l] ⊙ (A[l−1] − μ)/√(v + ε) + β[l]), unit by unit.

    In training steps, μ and v are the batch's mean and (biased) variance, computed with the example
    weights; each step moves the running mean and variance towards them. Predictions, losses,
    gradients and gradient checks use the running values, so an example's output depends on that
    example alone.

    `BatchNorm` usually follows a dense layer without an activation and applies the activation
    itself: ``Dense(24, "identity"), BatchNorm("relu")``.

    Parameters
    ----------
    activation : str, default "identity"
        σ, as for `Dense`.
    momentum : float, default 0.9
        Fraction of a running value that is kept in each step, at least 0 and below 1. (As in
        Keras; PyTorch's momentum is 1 minus this.)
    epsilon : float, default 1e-5
        ε, above 0.

    Raises
    ------
    InvalidArgumentError
        If an argument is invalid.

    Notes
    -----
    γ starts at 1 and β at 0; penalties and decoupled weight decay do not apply to them. The running
    mean and variance start at 0 and 1 and are stored in the network's parameter vector together
    with γ and β: files and checkpoints contain them, and their gradient entries are 0.

    A batch of one example has variance 0, so x̂ is 0 and the layers below learn nothing from the
    batch. The compiled core keeps the whole batch in memory.

    Examples
    --------
    >>> import numpy as np, chainrule as cr
    >>> net = cr.Network([2, cr.Dense(8, "identity"), cr.BatchNorm("relu"),
    ...                   cr.Dense(1, "identity")], cost="mse", seed=0)
    >>> X = np.random.default_rng(0).standard_normal((256, 2))
    >>> history = net.fit(X, X[:, 0] * X[:, 1], epochs=100, optimizer=cr.Adam(0.02))
    >>> net.loss(X, X[:, 0] * X[:, 1]) < 0.05
    True
    """

    kind: ClassVar[str] = "batch_norm"
    standardises: ClassVar[bool] = True
    error_equation: ClassVar[Callable[..., Any]] = staticmethod(batch_error)
    gradient_equations: ClassVar[tuple[Callable[..., Any], ...]] = (scale_gradient, bias_gradient)

    activation: ActivationText = "identity"
    momentum: float = 0.9
    epsilon: float = 1e-5

    def __post_init__(self) -> None:
        object.__setattr__(self, "activation", str(activation_of(self.activation)))
        object.__setattr__(self, "momentum", number_below_one("momentum", self.momentum))
        object.__setattr__(self, "epsilon", positive_number("epsilon", self.epsilon))

    def __repr__(self) -> str:
        return (
            f"BatchNorm({self.activation!r}, momentum={self.momentum!r}, epsilon={self.epsilon!r})"
        )

    @property
    def settings(self) -> Mapping[str, float]:
        """Momentum and ε."""
        return {"momentum": self.momentum, "epsilon": self.epsilon}

    def blocks(self, n_in: int, default_init: str) -> tuple[Block, ...]:
        """Return γ, β and the running μ and v, each n[l] × 1."""
        return (
            Block("γ", (n_in, 1), "scale", 1.0),
            Block("β", (n_in, 1), "scale", "zeros"),
            Block("μ", (n_in, 1), "statistics", "zeros"),
            Block("v", (n_in, 1), "statistics", 1.0),
        )

    def forward(
        self, theta: Sequence[Array], A_prev: Array, step: TrainingStep | None = None
    ) -> LayerPass:
        """BN1 (in a training step), BN2, BN3 and F2."""
        scale, shift, mean, variance = theta
        if step is not None:
            mean, variance = batch_statistics(A_prev, step.weights)
        X_hat = normalized(A_prev, mean, variance, self.epsilon)
        Z = scaled_and_shifted(X_hat, scale, shift)
        sigma = activation_of(self.activation).function
        return LayerPass(Z, activation(sigma, Z), _Own(X_hat, mean, variance, step))

    def through_activation(self, layer_pass: LayerPass) -> Callable[[Array], Array]:
        """BP1, or BP1s for softmax."""
        return activation_of(self.activation).through(layer_pass.Z, layer_pass.A)

    def error_below(
        self,
        theta: Sequence[Array],
        layer_pass: LayerPass,
        delta: Array,
        through: Callable[[Array], Array],
    ) -> Array:
        """BN4 in a training step, otherwise BN5."""
        own: _Own = layer_pass.own
        if own.step is None:
            return through(fixed_error(delta, theta[0], own.variance, self.epsilon))
        grad_A = batch_error(
            delta, own.X_hat, theta[0], own.variance, self.epsilon, own.step.weights
        )
        return through(grad_A)

    def gradients(self, layer_pass: LayerPass, delta: Array, A_prev: Array) -> tuple[Array, ...]:
        """BN3's gradient for γ and BP3 for β."""
        return scale_gradient(delta, layer_pass.own.X_hat), bias_gradient(delta)

    def statistics(self, theta: Sequence[Array], layer_pass: LayerPass) -> tuple[Array, ...]:
        """BN6 for μ and v."""
        own: _Own = layer_pass.own
        return (
            running_value(theta[2], own.mean, self.momentum),
            running_value(theta[3], own.variance, self.momentum),
        )

    def shown(self, layer_pass: LayerPass) -> tuple[Shown, ...]:
        """BN1, BN2, BN3 and F2."""
        own: _Own = layer_pass.own
        sigma = activation_of(self.activation).function
        return (
            Shown("μ_B", batch_statistics, own.mean),
            Shown("v_B", batch_statistics, own.variance),
            Shown("X̂", normalized, own.X_hat),
            Shown("Z", scaled_and_shifted, layer_pass.Z),
            Shown("A", activation, layer_pass.A, sigma),
        )

    def error_text(self, grad_A: str, l: int) -> str:  # noqa: E741 - the field's letter
        """BP1, or BP1s for softmax."""
        return activation_error_text(self.activation, grad_A, l)

    @property
    def detail(self) -> str:
        """σ."""
        return self.activation

    def operations(self, theta: Sequence[Array]) -> tuple[Operation, ...]:
        """Return the normalisation, then σ."""
        gamma, beta, mean, variance = map(column, theta)
        own = Normalized(gamma, beta, mean, variance, self.epsilon, self.momentum)
        return (own, *activated(self.activation))
