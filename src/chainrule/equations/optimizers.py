"""Optimizers: O0 to O11 and O3e, pure functions of θ, its gradient and a state.

θ is the whole parameter vector: every equation but O11 holds for W and b alike, so an update is one
element-wise pass. `*_init` gives the state before the first update (V and S start at 0, t at 0);
`*_update` returns the new θ and the new state, and changes nothing in place. λ of O6, O8, O9 and
O11 is one number, or one for each parameter: 0 for those that are not to decay, such as biases.
"""

from collections.abc import Sequence
from typing import NamedTuple

from chainrule.equations._array import Array, namespace
from chainrule.equations.averages import average_update


class MomentumState(NamedTuple):
    """V: running average of gradients (O1), or the velocity (O4, O5)."""

    V: Array


class RMSpropState(NamedTuple):
    """S: running average of squared gradients."""

    S: Array


class AdamState(NamedTuple):
    """V and S as in O1 and O2; t: updates made so far."""

    V: Array
    S: Array
    t: int


class ScheduleFreeState(NamedTuple):
    """Z: the parameters that steps move; X: their average, WA1; S and t as in O3."""

    Z: Array
    X: Array
    S: Array
    t: int


class Matrices(NamedTuple):
    """Where weight matrices of equal shape lie in θ, row by row and one after the other."""

    start: int
    groups: int
    rows: int
    columns: int

    @property
    def shape(self) -> tuple[int, int, int]:
        """The shape of all of them together."""
        return self.groups, self.rows, self.columns

    @property
    def part(self) -> slice:
        """Their part of θ."""
        return slice(self.start, self.start + self.groups * self.rows * self.columns)


class Corrections(NamedTuple):
    """What O3, O6 and O7 divide: the averages without the bias towards their start at 0."""

    V_hat: Array
    S_hat: Array


class SquareCorrection(NamedTuple):
    """What O9 divides by."""

    S_hat: Array


def gradient_descent_init(theta: Array) -> tuple[()]:
    """O0 state: nothing."""
    return ()


def gradient_descent_update(
    theta: Array, gradient: Array, state: tuple[()], learning_rate: float
) -> tuple[Array, tuple[()]]:
    """O0: W ← W − α δW."""
    return theta - learning_rate * gradient, state


def momentum_init(theta: Array) -> MomentumState:
    """O1 state: V = 0. Also the state of O4 and O5."""
    return MomentumState(V=namespace(theta).zeros_like(theta))


def momentum_update(
    theta: Array, gradient: Array, state: MomentumState, learning_rate: float, beta: float = 0.9
) -> tuple[Array, MomentumState]:
    """O1: V ← βV + (1 − β) δW;  W ← W − α V.

    The exponentially weighted average of the gradients, (1 − β) included, so that α means the
    same as in O0.
    """
    V = beta * state.V + (1 - beta) * gradient
    return theta - learning_rate * V, MomentumState(V)


def rmsprop_init(theta: Array) -> RMSpropState:
    """O2 state: S = 0."""
    return RMSpropState(S=namespace(theta).zeros_like(theta))


def rmsprop_update(
    theta: Array,
    gradient: Array,
    state: RMSpropState,
    learning_rate: float,
    beta: float = 0.9,
    epsilon: float = 1e-8,
) -> tuple[Array, RMSpropState]:
    """O2: S ← βS + (1 − β) δW²;  W ← W − α δW / (√S + ε).

    Source: Tieleman and Hinton 2012, lecture 6.5 of "Neural Networks for Machine Learning".
    """
    xp = namespace(theta)
    S = beta * state.S + (1 - beta) * gradient * gradient
    return theta - learning_rate * gradient / (xp.sqrt(S) + epsilon), RMSpropState(S)


def adam_init(theta: Array) -> AdamState:
    """O3 state: V = S = 0, t = 0."""
    xp = namespace(theta)
    return AdamState(V=xp.zeros_like(theta), S=xp.zeros_like(theta), t=0)


def adam_update(
    theta: Array,
    gradient: Array,
    state: AdamState,
    learning_rate: float,
    beta_1: float = 0.9,
    beta_2: float = 0.999,
    epsilon: float = 1e-8,
) -> tuple[Array, AdamState]:
    """O3: V ← β₁V + (1 − β₁) δW;  S ← β₂S + (1 − β₂) δW²;  V̂ = V/(1 − β₁ᵗ);
    Ŝ = S/(1 − β₂ᵗ);  W ← W − α V̂ / (√Ŝ + ε).

    Both corrections use their own β; ε stands outside the root; t = 1 at the first update.

    Source: Kingma and Ba 2015, "Adam: a method for stochastic optimization", ICLR, algorithm 1.
    """
    xp = namespace(theta)
    state = _averages(gradient, state, beta_1, beta_2)
    V_hat, S_hat = adam_corrections(gradient, state, beta_1, beta_2)
    return theta - learning_rate * V_hat / (xp.sqrt(S_hat) + epsilon), state


def adam_corrections(
    gradient: Array, state: AdamState, beta_1: float, beta_2: float
) -> Corrections:
    """Return V̂ and Ŝ of O3, from the state after the update."""
    V, S, t = state
    return Corrections(V / (1 - beta_1**t), S / (1 - beta_2**t))


def _averages(gradient: Array, state: AdamState, beta_1: float, beta_2: float) -> AdamState:
    """Return V, S and t of O3 after one more gradient."""
    V = beta_1 * state.V + (1 - beta_1) * gradient
    S = beta_2 * state.S + (1 - beta_2) * gradient * gradient
    return AdamState(V, S, state.t + 1)


def adam_plain_epsilon_update(
    theta: Array,
    gradient: Array,
    state: AdamState,
    learning_rate: float,
    beta_1: float = 0.9,
    beta_2: float = 0.999,
    epsilon: float = 1e-8,
) -> tuple[Array, AdamState]:
    """O3e: V and S as in O3;  W ← W − α √(1 − β₂ᵗ)/(1 − β₁ᵗ) · V / (√S + ε).

    O3 with ε beside the uncorrected √S: the same for ε = 0, and otherwise O3 with an ε that is
    larger in the first steps, ε/√(1 − β₂ᵗ). The paper's authors call this ε "ε̂"; it is what
    scikit-learn computes.

    Source: Kingma and Ba 2015, "Adam: a method for stochastic optimization", ICLR, section 2.
    """
    xp = namespace(theta)
    V, S, t = _averages(gradient, state, beta_1, beta_2)
    rate = learning_rate * (1 - beta_2**t) ** 0.5 / (1 - beta_1**t)
    return theta - rate * V / (xp.sqrt(S) + epsilon), AdamState(V, S, t)


def heavy_ball_update(
    theta: Array, gradient: Array, state: MomentumState, learning_rate: float, beta: float = 0.9
) -> tuple[Array, MomentumState]:
    """O4: V ← βV − α δW;  W ← W + V.

    Source: Polyak 1964, "Some methods of speeding up the convergence of iteration methods".
    """
    V = beta * state.V - learning_rate * gradient
    return theta + V, MomentumState(V)


def nesterov_update(
    theta: Array, gradient: Array, state: MomentumState, learning_rate: float, beta: float = 0.9
) -> tuple[Array, MomentumState]:
    """O5: V ← βV − α δW;  W ← W + βV − α δW.

    The form in which W is the look-ahead point itself, so that the gradient is taken where the
    parameters are: with W̃ = W − βV it is Nesterov's V ← βV − α ∂J/∂W(W̃ + βV), W̃ ← W̃ + V.

    Source: Nesterov 1983; in this form Sutskever et al. 2013, "On the importance of
    initialization and momentum in deep learning", ICML, and Bengio et al. 2013.
    """
    V = beta * state.V - learning_rate * gradient
    return theta + beta * V - learning_rate * gradient, MomentumState(V)


def adamw_update(
    theta: Array,
    gradient: Array,
    state: AdamState,
    learning_rate: float,
    beta_1: float = 0.9,
    beta_2: float = 0.999,
    epsilon: float = 1e-8,
    weight_decay: float | Array = 0.01,
) -> tuple[Array, AdamState]:
    """O6: W ← W − α (V̂ / (√Ŝ + ε) + λ W), V̂ and Ŝ as in O3.

    The decay is decoupled from the gradient: unlike that of P1 it is not divided by √Ŝ, so that
    every weight decays at one pace. α multiplies it too, so a schedule acts on both.

    Source: Loshchilov and Hutter 2019, "Decoupled weight decay regularization", ICLR, algorithm 2,
    with α in the place of its η α.
    """
    stepped, state = adam_update(theta, gradient, state, learning_rate, beta_1, beta_2, epsilon)
    return stepped - learning_rate * weight_decay * theta, state


def nadam_update(
    theta: Array,
    gradient: Array,
    state: AdamState,
    learning_rate: float,
    beta_1: float = 0.9,
    beta_2: float = 0.999,
    epsilon: float = 1e-8,
) -> tuple[Array, AdamState]:
    """O7: V̂ = β₁ V/(1 − β₁ᵗ⁺¹) + (1 − β₁) δW/(1 − β₁ᵗ);  W ← W − α V̂ / (√Ŝ + ε), V, S and Ŝ
    as in O3.

    Nesterov's look-ahead in Adam: the average as the next step will have it, with the present
    gradient in the place of the next one. β₁ is the same at every step (no momentum schedule).

    Source: Dozat 2016, "Incorporating Nesterov momentum into Adam", ICLR workshop, algorithm 2,
    with μ constant.
    """
    xp = namespace(theta)
    state = _averages(gradient, state, beta_1, beta_2)
    V_hat, S_hat = nadam_corrections(gradient, state, beta_1, beta_2)
    return theta - learning_rate * V_hat / (xp.sqrt(S_hat) + epsilon), state


def nadam_corrections(
    gradient: Array, state: AdamState, beta_1: float, beta_2: float
) -> Corrections:
    """Return V̂ and Ŝ of O7, from the state after the update."""
    V, S, t = state
    V_hat = beta_1 / (1 - beta_1 ** (t + 1)) * V + (1 - beta_1) / (1 - beta_1**t) * gradient
    return Corrections(V_hat, S / (1 - beta_2**t))


def lion_update(
    theta: Array,
    gradient: Array,
    state: MomentumState,
    learning_rate: float,
    beta_1: float = 0.9,
    beta_2: float = 0.99,
    weight_decay: float | Array = 0.01,
) -> tuple[Array, MomentumState]:
    """O8: W ← W − α (sign(β₁ V + (1 − β₁) δW) + λ W);  V ← β₂ V + (1 − β₂) δW.

    Every parameter steps by α, up or down: α is to be three to ten times smaller than Adam's, λ
    as much larger. sign(0) = 0.

    Source: Chen et al. 2023, "Symbolic discovery of optimization algorithms", NeurIPS, algorithm 2.
    """
    xp = namespace(theta)
    direction = xp.sign(beta_1 * state.V + (1 - beta_1) * gradient)
    V = beta_2 * state.V + (1 - beta_2) * gradient
    return theta - learning_rate * (direction + weight_decay * theta), MomentumState(V)


def schedule_free_init(theta: Array) -> ScheduleFreeState:
    """O9 state: Z = X = W, S = 0, t = 0."""
    xp = namespace(theta)
    return ScheduleFreeState(Z=theta, X=theta, S=xp.zeros_like(theta), t=0)


def schedule_free_adamw_update(
    theta: Array,
    gradient: Array,
    state: ScheduleFreeState,
    learning_rate: float,
    share: float,
    beta_1: float = 0.9,
    beta_2: float = 0.999,
    epsilon: float = 1e-8,
    weight_decay: float | Array = 0.0,
) -> tuple[Array, ScheduleFreeState]:
    """O9: Z ← Z − α (δW/(√Ŝ + ε) + λ W);  X ← X + c (Z − X);  W ← X + (1 − β₁)(Z − X), Ŝ as in
    O3, c by WA3.

    The gradient is taken at W, between the parameters Z that it moves and their average X, at which
    the network is evaluated. The average does what a schedule does that falls to 0, whenever one
    stops; a warm-up is still of use.

    Source: Defazio et al. 2024, "The road less scheduled", NeurIPS, algorithm 1, with √(1 − β₂ᵗ) in
    Ŝ alone, as in its authors' program.
    """
    xp = namespace(theta)
    t = state.t + 1
    S = beta_2 * state.S + (1 - beta_2) * gradient * gradient
    after = ScheduleFreeState(state.Z, state.X, S, t)
    S_hat = schedule_free_corrections(gradient, after, beta_1, beta_2).S_hat
    step = gradient / (xp.sqrt(S_hat) + epsilon) + weight_decay * theta
    Z = state.Z - learning_rate * step
    X = average_update(state.X, Z, share)
    return X + (1 - beta_1) * (Z - X), ScheduleFreeState(Z, X, S, t)


def schedule_free_corrections(
    gradient: Array, state: ScheduleFreeState, beta_1: float, beta_2: float
) -> SquareCorrection:
    """Return Ŝ of O9, from S and t after the update."""
    return SquareCorrection(state.S / (1 - beta_2**state.t))


NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)
"""a, b and c of O10."""


def orthogonalised(G: Array, epsilon: float = 1e-8) -> Array:
    """O10: X ← (a + b A + c A²) X, A = X Xᵀ, five times from X = G / (‖G‖ + ε).

    Newton–Schulz steps: they keep the singular vectors of G, and take each singular value x of X to
    a x + b x³ + c x⁵. With a = 3.4445, b = −4.7750 and c = 2.0315, which grow small values as fast
    as possible, those above 0.002 are between 0.68 and 1.21 after five steps: the result is
    nearly the orthogonal matrix U Vᵀ of the decomposition G = U Σ Vᵀ. The norm is that of all
    entries, so that no singular value begins above 1; ε keeps G = 0 at 0. A taller G is transposed
    before and after, so that A is the smaller of the two possible matrices. G may be several
    matrices along further axes.

    Source: Jordan et al. 2024, "Muon: an optimizer for hidden layers in neural networks".
    """
    xp = namespace(G)
    if G.shape[-2] > G.shape[-1]:
        return xp.matrix_transpose(orthogonalised(xp.matrix_transpose(G), epsilon))
    a, b, c = NEWTON_SCHULZ
    X = G / (xp.sqrt(xp.sum(G * G, axis=(-2, -1), keepdims=True)) + epsilon)
    for _ in range(5):
        A = X @ xp.matrix_transpose(X)
        X = a * X + (b * A + c * (A @ A)) @ X
    return X


def muon_update(
    theta: Array,
    gradient: Array,
    state: AdamState,
    learning_rate: float | Array,
    matrices: Sequence[Matrices] = (),
    beta: float = 0.95,
    beta_1: float = 0.9,
    beta_2: float = 0.95,
    epsilon: float = 1e-8,
    weight_decay: float | Array = 0.01,
) -> tuple[Array, AdamState]:
    """O11: V ← βV + (1 − β) δW;  O = NS(βV + (1 − β) δW), NS by O10;  W ← W − α (s O + λ W),
    s = 0.2 √(max(n[l], n[l−1])).

    This is the update of the given matrices, the weights of hidden layers; all other parameters
    are updated by O6, with the same α and λ. O is Nesterov's look-ahead of the averaged gradient,
    made orthogonal: a step is equally long in all directions, whatever the singular values of the
    gradient. The root of the mean square of O's entries is about 1/√(max(n[l], n[l−1])), so that an
    entry's step is about 0.2 α for every shape, as it is by O6. In a grouped layer, n[l] and n[l−1]
    are those of a group.

    Source: Jordan et al. 2024, "Muon: an optimizer for hidden layers in neural networks"; the
    size and the decay by Liu et al. 2025, "Muon is scalable for LLM training".
    """
    xp = namespace(theta)
    new, after = adamw_update(
        theta, gradient, state, learning_rate, beta_1, beta_2, epsilon, weight_decay
    )
    if not matrices:
        return new, after
    V = beta * state.V + (1 - beta) * gradient
    directions = muon_directions(gradient, V, matrices, beta, epsilon)
    ones = [xp.ones_like(gradient[place.part]) for place in matrices]
    inside = _placed(gradient, matrices, ones) > 0
    sizes = [muon_size(place) * one for place, one in zip(matrices, ones, strict=True)]
    step = _placed(gradient, matrices, sizes) * directions + weight_decay * theta
    state = AdamState(xp.where(inside, V, after.V), xp.where(inside, state.S, after.S), after.t)
    return xp.where(inside, theta - learning_rate * step, new), state


def muon_size(matrices: Matrices) -> float:
    """Return s of O11."""
    return float(0.2 * max(matrices.rows, matrices.columns) ** 0.5)


def muon_directions(
    gradient: Array, V: Array, matrices: Sequence[Matrices], beta: float, epsilon: float
) -> Array:
    """Return O of O11 from V after the update: a vector like θ, 0 outside the matrices."""
    xp = namespace(gradient)
    ahead = beta * V + (1 - beta) * gradient
    shaped = [xp.reshape(ahead[place.part], place.shape) for place in matrices]
    return _placed(gradient, matrices, [orthogonalised(G, epsilon) for G in shaped])


def _placed(like: Array, matrices: Sequence[Matrices], values: Sequence[Array]) -> Array:
    """Return a vector with the values in the places of the matrices, and 0 elsewhere."""
    xp = namespace(like)
    parts, end = [], 0
    for place, value in zip(matrices, values, strict=True):
        parts += [xp.zeros_like(like[end : place.start]), xp.reshape(value, (-1,))]
        end = place.part.stop
    return xp.concat([*parts, xp.zeros_like(like[end:])])
