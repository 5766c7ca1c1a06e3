"""How far an engine's loss and gradient may be from the exact ones: running error analysis.

Every quantity is bounded beside its value, to first order in ε, by the rules of Higham, "Accuracy
and stability of numerical algorithms", chapter 3: a sum of n products errs by (n + 1) ε Σ|terms|
in any order of addition, so the bounds hold for every engine, blocked, threaded or fused. What an
engine's e^z, tanh, log … err by is its own, in units in the last place.

Only slopes and curvatures of the activations are needed, as constants that bound them everywhere;
a wrong formula in the package cannot widen its own tolerance.
"""

from typing import NamedTuple

import numpy as np

from tests.numerics import epsilon
from tests.oracles_networks import KINKED, blocks, forward, kink_distance, parameter, slope
from tests.strategies_networks import for_values

# max |σ′| and max |σ″| over all z, rounded up (σ″ away from the kink).
_SLOPE_AND_CURVATURE = {
    "identity": (1.0, 0.0),
    "sigmoid": (0.25, 0.1),
    "tanh": (1.0, 0.77),
    "relu": (1.0, 0.0),
    "leaky_relu": (1.0, 0.0),
    "elu": (1.0, 1.0),
    "selu": (1.76, 1.76),
    "gelu": (1.13, 0.8),
    "silu": (1.1, 0.5),
    "mish": (1.1, 0.7),
    "softplus": (1.0, 0.25),
}

# First order in ε neglects products of errors; in float32 and six layers they are far below this.
_HIGHER_ORDERS = 1.1


class Bounds(NamedTuple):
    outputs: np.ndarray
    """(m, n[L])"""
    loss: float
    gradient: np.ndarray
    """Like the parameters."""
    clear_of_kinks: bool
    """Whether rounding cannot move any Z over a kink, where no bound would hold."""


class _Layer(NamedTuple):
    Z: np.ndarray
    z_error: np.ndarray
    A: np.ndarray
    a_error: np.ndarray


def error_bounds(problem, ulps):
    """Bound the errors of an engine's outputs, loss and gradient for a problem in its dtype.

    `ulps`: units in the last place by which the engine's elementary functions may err.
    """
    spec, eps = problem.spec, epsilon(problem.spec.dtype)
    theta = blocks(spec, problem.theta.astype(np.float64))
    X, Y = problem.X.astype(np.float64), problem.Y.astype(np.float64)
    layers, clear = _forward(spec, theta, X, eps, ulps)
    distance = kink_distance(spec, layers[-1].A, Y)
    if distance.size:
        rounding = eps * (np.abs(layers[-1].A) + np.abs(Y))
        clear = clear and not (np.abs(distance) <= 2 * (layers[-1].a_error + rounding)).any()
    delta, e_delta, e_C = _output_error(spec, layers[-1], Y, eps, ulps)

    m = len(X)
    w = np.ones(m) if problem.weights is None else problem.weights.astype(np.float64)
    share = w / w.sum()
    C_part = (m + 3) * eps * _cost_terms(spec, layers[-1], Y, ulps)
    loss = float(share @ (e_C + C_part))
    delta = delta * (m * share)[:, None]
    e_delta = e_delta * (m * share)[:, None] + (m + 3) * eps * np.abs(delta)

    l1, l2 = problem.penalties.l1, problem.penalties.l2
    gradient = []
    for index in reversed(range(len(theta))):
        W = np.abs(theta[index][0])
        A, a_error = (
            (layers[index - 1].A, layers[index - 1].a_error) if index else (X, np.zeros_like(X))
        )
        D, A = np.abs(delta), np.abs(A)
        e_W = (e_delta.T @ A + D.T @ a_error + (m + 2) * eps * (D.T @ A)) / m
        e_W += 4 * eps * (D.T @ A / m + l2 * W + l1)
        e_b = (e_delta.sum(axis=0) + (m + 2) * eps * D.sum(axis=0)) / m
        gradient[:0] = [e_W.ravel(), e_b]
        loss += (W.size + 3) * eps * (l2 / 2 * (W**2).sum() + l1 * W.sum())
        if index:
            g = delta @ theta[index][0]
            e_g = e_delta @ W + (len(W) + 1) * eps * (D @ W)
            activation = spec.layers[index - 1].activation
            delta, e_delta = _through(activation, layers[index - 1], g, e_g, eps, ulps)
    bounds = _HIGHER_ORDERS * np.concatenate(gradient)
    return Bounds(
        _HIGHER_ORDERS * layers[-1].a_error, _HIGHER_ORDERS * loss + eps * loss, bounds, clear
    )


def _forward(spec, theta, X, eps, ulps):
    layers, clear = [], True
    values = forward(spec, np.concatenate([part.ravel() for pair in theta for part in pair]), X)
    A, a_error = X, np.zeros_like(X)
    for layer, (W, b), (Z, A_next) in zip(spec.layers, theta, values, strict=True):
        z_error = (W.shape[1] + 2) * eps * (np.abs(A) @ np.abs(W).T + np.abs(b)) + a_error @ np.abs(
            W
        ).T
        A = A_next
        if layer.activation == "softmax":
            a_error = _softmax_errors(Z, z_error, A, eps, ulps)
        else:
            name = layer.activation.partition("(")[0]
            # e^{−z²/2} inside GELU, e^z elsewhere: an argument's rounding grows with its size.
            a_error = _slope(name, Z, z_error) * z_error + eps * (2 * ulps + 2 + Z**2 / 2) * np.abs(
                A
            )
            clear = clear and not (name in KINKED and (np.abs(Z) <= 2 * z_error).any())
        layers.append(_Layer(Z, z_error, A, a_error))
    return layers, clear


def _slope(name, Z, z_error):
    """Bound |σ′| between Z − e and Z + e; sigmoid's locally, for 1/a outweighs its constant."""
    if name != "sigmoid":
        return _SLOPE_AND_CURVATURE[name][0]
    s = 1 / (1 + np.exp(np.abs(Z) - z_error))
    return np.minimum(0.25, s)


def _softmax_errors(Z, z_error, A, eps, ulps):
    spread = Z.max(axis=1, keepdims=True) - Z
    relative = z_error + (A * z_error).sum(axis=1, keepdims=True)
    relative = relative + eps * (2 * ulps + Z.shape[1] + 3 + 2 * spread)
    return A * relative


def _through(activation, layer, g, e_g, eps, ulps):
    """Return δ from ∂C/∂A, and its error."""
    Z, z_error, A, a_error = layer
    if activation == "softmax":
        n = A.shape[1]
        dot = (g * A).sum(axis=1, keepdims=True)
        absolute = np.abs(g) + (np.abs(g) * A).sum(axis=1, keepdims=True)
        e_dot = (e_g * A + np.abs(g) * a_error).sum(axis=1, keepdims=True)
        return A * (g - dot), a_error * absolute + A * (e_g + e_dot) + (n + 3) * eps * A * absolute
    name = activation.partition("(")[0]
    if name == "sigmoid":
        sigma_prime = A * (1 - A)
        e_slope = sigma_prime * (2 * z_error + 4 * (ulps + 2) * eps)
    else:
        sigma_prime = slope(activation, Z)
        slope_bound, curvature = _SLOPE_AND_CURVATURE[name]
        e_slope = curvature * z_error + 2 * (ulps + 3) * eps * slope_bound * (1 + np.abs(Z))
    delta = g * sigma_prime
    return delta, e_g * np.abs(sigma_prime) + np.abs(g) * e_slope + 2 * eps * np.abs(delta)


def _output_error(spec, output, Y, eps, ulps):
    """Return δ[L], its error, and the error that Z's and A's errors make in C of each example."""
    _, z_error, A, a_error = output
    activation = spec.layers[-1].activation
    g, e_g = _cost_gradient(spec.cost, A, a_error, Y, eps, ulps)
    e_C = (np.abs(g) * a_error + e_g * a_error).sum(axis=1)
    if spec.fused_pair is None or "focal" in spec.cost:
        # The fused focal forms multiply the same factors without dividing by a first.
        return *_through(activation, output, g, e_g, eps, ulps), e_C
    total = Y.sum(axis=1, keepdims=True) if activation == "softmax" else 1.0
    delta = A * total - Y
    e_delta = a_error * total + (Y.shape[1] + 3) * eps * (A * total + np.abs(Y))
    if spec.cost != "mse":  # from Z: |∂C/∂z| ≤ |a Σy| + |y|, and e^z, log err by themselves
        e_C = ((A * total + Y) * (z_error + 2 * ulps * eps)).sum(axis=1)
    return delta, e_delta, e_C


def _cost_gradient(cost, A, a_error, Y, eps, ulps):
    """Return ∇ₐC and its error."""
    name, value = cost.partition("(")[0], parameter(cost)
    e = A - Y
    e_error = a_error + eps * (np.abs(A) + np.abs(Y))
    if name == "mse":
        return e, e_error
    if name == "absolute_error":  # away from the kink
        return np.sign(e), np.zeros_like(e)
    if name == "huber":
        return np.clip(e, -value, value), e_error
    if name == "quantile":
        return np.where(e > 0, 1 - value, -value), np.full_like(e, 2 * eps)
    if name == "log_cosh":
        return np.tanh(e), e_error + (ulps + 1) * eps
    if "focal" in name:
        g, e_g = _focal_slope(A, a_error, value, eps, ulps)
        if name == "focal":
            return Y * g, Y * e_g
        other, e_other = _focal_slope(1 - A, a_error, value, eps, ulps)
        size = np.abs(Y * g) + np.abs((1 - Y) * other)
        return Y * g - (1 - Y) * other, Y * e_g + (1 - Y) * e_other + 2 * eps * size
    g, e_g = -Y / A, Y / A**2 * a_error + 3 * eps * Y / A
    if name == "binary_cross_entropy":
        rest, rest_Y = 1 - A, 1 - Y
        g = g + rest_Y / rest
        e_g = e_g + rest_Y / rest**2 * (a_error + eps) + 3 * eps * rest_Y / rest + eps * np.abs(g)
    return g, e_g


def _focal_slope(p, p_error, gamma, eps, ulps):
    """Return f′(p) of f(p) = −(1 − p)^γ log p, and its error; 1 − p errs by another ε."""
    r, log = 1 - p, np.abs(np.log(p))
    parts = gamma * r ** (gamma - 1) * log + r**gamma / p
    second = gamma * abs(gamma - 1) * r ** (gamma - 2) * log
    second = second + 2 * gamma * r ** (gamma - 1) / p + r**gamma / p**2
    # A power is e^{γ log r}: its argument's rounding grows with its size.
    operations = 3 * ulps + 10 + (ulps + 2) * gamma * np.abs(np.log(r))
    # Both p and 1 − p may have been rounded when the other was made.
    return -parts, second * (p_error + 2 * eps) + operations * eps * parts


def _cost_terms(spec, output, Y, ulps):
    """Return the sum of the magnitudes that C is added up from, for each example."""
    Z, A = output.Z, output.A
    n = A.shape[1]
    if spec.cost == "mse":
        return (n + 3) * ((A - Y) ** 2 / 2).sum(axis=1)
    if for_values(spec.cost):  # at most |a − y|, of which log cosh cancels a part
        largest = max(1.0, parameter(spec.cost) or 1.0)
        return (n + 4 * ulps + 8) * largest * np.abs(A - Y).sum(axis=1)
    # |log a| and |log(1 − a)| are at most the spread of Z plus log n; so are a fused pair's parts.
    size = np.abs(Z).max(axis=1, keepdims=True) * 2 + np.log(2 * n)
    # Of a power, e^{γ log r}: r^γ (1 + γ |log r|) is at most 2.
    powers = 4 * (ulps + 3) if "focal" in spec.cost else 0
    return (n + 3 + powers) * ((np.abs(Y) + np.abs(1 - Y)) * size).sum(axis=1)
