"""How far an engine's loss and gradient may be from the exact ones: running error analysis.

Every quantity is bounded beside its value, to first order in ε, by the rules of Higham, "Accuracy
and stability of numerical algorithms", chapter 3: a sum of n products errs by (n + 1) ε Σ|terms|
in any order of addition, so the bounds hold for every engine, blocked, threaded or fused. What an
engine's e^z, tanh, log … err by is its own, in units in the last place.

Only slopes and curvatures of activations and costs are needed, by automatic differentiation of
their oracles; a wrong formula in the package cannot widen its own tolerance.
"""

from typing import NamedTuple

import numpy as np

from chainrule.network.registry.activations import ACTIVATIONS
from chainrule.network.registry.values import ANY
from tests.equations.cost_oracles import Case
from tests.numerics import epsilon
from tests.oracles_networks import (
    blocks,
    cost_derivatives,
    forward,
    kink_distance,
    kinks,
    slope_and_curvature,
)

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
            # e^{−z²/2} inside GELU, e^z elsewhere: an argument's rounding grows with its size.
            rounding = eps * (2 * ulps + 2 + Z**2 / 2) * np.abs(A)
            a_error = _steepest(layer.activation, Z, z_error)[0] * z_error + rounding
            for kink in kinks(layer.activation):
                clear = clear and not (np.abs(Z - kink) <= 2 * z_error + eps * abs(kink)).any()
        layers.append(_Layer(Z, z_error, A, a_error))
    return layers, clear


def _steepest(text, Z, z_error):
    """Return |σ′| and |σ″| where they are largest: at Z, or at one end of its error."""
    ends = [slope_and_curvature(text, Z + sign * z_error) for sign in (-1, 0, 1)]
    return tuple(np.abs(each).max(axis=0) for each in zip(*ends, strict=True))


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
    sigma_prime = slope_and_curvature(activation, Z)[0]
    steepest, curvature = _steepest(activation, Z, z_error)
    # σ′ is added up from parts of order 1 at least, but where outputs have an end: it fades there
    # as they do, and a cost's ∇ₐC may be as large as it is small.
    ends = ACTIVATIONS[activation.partition("(")[0]].outputs is not ANY
    parts = steepest if ends else np.maximum(1, steepest)
    e_slope = curvature * z_error + 2 * (ulps + 3) * eps * parts * (1 + np.abs(Z))
    delta = g * sigma_prime
    return delta, e_g * np.abs(sigma_prime) + np.abs(g) * e_slope + 2 * eps * np.abs(delta)


def _output_error(spec, output, Y, eps, ulps):
    """Return δ[L], its error, and the error that Z's and A's errors make in C of each example."""
    _, z_error, A, a_error = output
    activation = spec.layers[-1].activation
    g, e_g = _cost_gradient(spec.cost, A, a_error, Y, eps, ulps)
    e_C = (np.abs(g) * a_error + e_g * a_error).sum(axis=1)
    if spec.fused_pair is None or Case.of(spec.cost).exponent():
        # Fused forms with powers multiply the same factors without dividing by a first.
        return *_through(activation, output, g, e_g, eps, ulps), e_C
    total = Y.sum(axis=1, keepdims=True) if activation == "softmax" else 1.0
    delta = A * total - Y
    e_delta = a_error * total + (Y.shape[1] + 3) * eps * (A * total + np.abs(Y))
    if spec.cost != "mse":  # from Z: |∂C/∂z| ≤ |a Σy| + |y|, and e^z, log err by themselves
        e_C = ((A * total + Y) * (z_error + 2 * ulps * eps)).sum(axis=1)
    return delta, e_delta, e_C


def _cost_gradient(text, A, a_error, Y, eps, ulps):
    """Return ∇ₐC and its error."""
    _, g, curvature = (np.asarray(array) for array in cost_derivatives(text, A, Y))
    curvature = np.abs(curvature)
    # Of a difference, the parts are a and y; of a quotient, 1 and a C″ (as y/a is); both a and
    # 1 − a may have been rounded when the other was made.
    parts = 1 + np.abs(g) + np.abs(Y) + 2 * curvature * np.maximum(1, np.abs(A))
    return g, curvature * (a_error + 2 * eps) + (ulps + 3 + _powers(text, A, ulps)) * eps * parts


def _powers(text, A, ulps):
    """Return the operations in a power of a or 1 − a, which is e^{γ log p}.

    Its argument's rounding grows with its size.
    """
    gamma = Case.of(text).exponent()
    if not gamma:
        return 0.0
    return 2 * ulps + 7 + (ulps + 2) * gamma * (np.abs(np.log(A)) + np.abs(np.log1p(-A)))


def _cost_terms(spec, output, Y, ulps):
    """Return the sum of the magnitudes that C is added up from, for each example."""
    n = output.A.shape[1]
    cost = Case.of(spec.cost)
    # Of a power, e^{γ log r}: r^γ (1 + γ |log r|) is at most 2.
    powers = 4 * (ulps + 3) if cost.exponent() else 0
    return (n + 4 * ulps + 8 + powers) * cost.terms(output.A, Y).sum(axis=1)
