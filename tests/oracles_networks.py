"""Independent oracles: a network's loss written again, in rows, with JAX's own functions.

Nothing of the package's equations is used; `jax.grad` of this loss is the oracle of
backpropagation. Layout is written again too: W[1] row by row (row j: unit j), b[1], W[2], ….

Arrays are padded to a few lengths, so that JAX, whose compiler is what takes long, compiles each
function for these alone: padded inputs meet weights of zero, padded units are masked, padded
examples weigh nothing.
"""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from chainrule.network.registry.activations import ACTIVATIONS
from tests.equations.activations import oracles as activation_oracles
from tests.equations.cost_oracles import Case

_LENGTHS = (5, 32, 256, 2048, 16_384, 131_072)


def blocks(spec, vector):
    """Return [(W, b), …] of a flat vector: (n[l], n[l−1]) and (n[l],)."""
    result, start, n_in = [], 0, spec.n_features
    for layer in spec.layers:
        middle, stop = start + layer.units * n_in, start + layer.units * (n_in + 1)
        result.append((vector[start:middle].reshape(layer.units, n_in), vector[middle:stop]))
        start, n_in = stop, layer.units
    return result


def forward(spec, theta, X):
    """Return [(Z[1], A[1]), …] in rows, in float64."""
    layers, A = [], _padded(X, *_size(spec, X))
    for layer, (W, b) in zip(spec.layers, _padded_blocks(spec, theta, X), strict=True):
        Z, A = _layer(layer.activation, W, b, A, np.arange(len(b)) < layer.units)
        trimmed = (slice(len(X)), slice(layer.units))
        layers.append((np.asarray(Z)[trimmed], np.asarray(A)[trimmed]))
    return layers


def activation(text):
    """Return σ of an activation as users write it, an example a row."""
    name, _, rest = text.partition("(")
    parameters = {key: one.default for key, one in ACTIVATIONS[name].parameters.items()}
    for part in filter(None, rest.rstrip(")").split(",")):
        key, _, value = part.partition("=")
        parameters[key] = float(value)
    return partial(activation_oracles.ORACLES[name].differentiable, **parameters)


def kinks(text):
    """Return the z where σ′ jumps."""
    return ACTIVATIONS[text.partition("(")[0]].kinks


def slope_and_curvature(text, Z):
    """Return σ′(Z) and σ″(Z) of an element-wise activation by automatic differentiation."""
    return _of_each(partial(_slope_and_curvature, text), Z)


def loss(problem):
    """Return J plus penalties, in float64."""
    return float(_objective(_padded_blocks(*_network(problem)), *_rest(problem)))


def loss_and_gradient(problem):
    """Return J plus penalties and its gradient by automatic differentiation, in float64."""
    theta = _padded_blocks(*_network(problem))
    value, gradients = jax.value_and_grad(_objective)(theta, *_rest(problem))
    flat, n_in = [], problem.spec.n_features
    for layer, (W, b) in zip(problem.spec.layers, gradients, strict=True):
        flat += [np.asarray(W)[: layer.units, :n_in].ravel(), np.asarray(b)[: layer.units]]
        n_in = layer.units
    return float(value), np.concatenate(flat)


def sides_of_kinks(problem, theta):
    """Return on which side of every kink of J the parameters are, as ±1."""
    spec = problem.spec
    sides = [np.sign(theta)] if problem.penalties.l1 else [np.zeros(0)]
    for layer, (Z, _) in zip(spec.layers, forward(spec, theta, problem.X), strict=True):
        sides += [np.sign(Z - kink).ravel() for kink in kinks(layer.activation)]
    sides.append(np.sign(kink_distance(spec, forward(spec, theta, problem.X)[-1][1], problem.Y)))
    return np.concatenate([side.ravel() for side in sides])


def kink_distance(spec, A, Y):
    """Return how far each output is from where its cost has a kink; without kinks, nothing."""
    return Case.of(spec.cost).kink_distance(A, Y)


@partial(jax.jit, static_argnums=0)
def _layer(text, W, b, A, units):
    Z = A @ W.T + b
    if text == "softmax":
        Z = jnp.where(units, Z, -jnp.inf)
    return Z, activation(text)(Z)


@partial(jax.jit, static_argnums=0)
def _slope_and_curvature(text, Z):
    slope = jax.grad(lambda Z: activation(text)(Z).sum())
    return slope(Z), jax.grad(lambda Z: slope(Z).sum())(Z)


@partial(jax.jit, static_argnums=(0, 1))
def _costs(text, output, Z, A, Y, units):
    """Return C of each example, from Z wherever that is the stable way."""
    cost = Case.of(text)
    from_logits = cost.oracle.from_logits.get(output)
    if from_logits is not None:
        C = from_logits(Z, Y, **cost.parameters)
    else:
        C = cost.cost(jnp.where(units, A, 0.5), Y)
    return jnp.where(units, C, 0.0).sum(axis=1)


def cost_derivatives(text, A, Y):
    """Return C, ∂C/∂a and ∂²C/∂a² of each output, by automatic differentiation."""
    return _of_each(partial(_cost_derivatives, text), A, Y)


@partial(jax.jit, static_argnums=0)
def _cost_derivatives(text, A, Y):
    cost = Case.of(text).cost
    total = lambda A: cost(A, Y).sum()  # noqa: E731
    slope = jax.grad(total)
    return cost(A, Y), slope(A), jax.grad(lambda A: slope(A).sum())(A)


@jax.jit
def _penalty(W, l1, l2):
    return l2 / 2 * jnp.sum(jnp.square(W)) + l1 * jnp.sum(jnp.abs(W))


@jax.jit
def _mean(C, weights):
    return jnp.sum(weights * C) / jnp.sum(weights)


def _objective(theta, spec, A, Y, weights, penalties):
    for layer, (W, b) in zip(spec.layers, theta, strict=True):
        units = np.arange(len(b)) < layer.units
        Z, A = _layer(layer.activation, W, b, A, units)
    J = _mean(_costs(spec.cost, spec.layers[-1].activation, Z, A, Y, units), weights)
    for W, _ in theta:
        J += _penalty(W, penalties.l1, penalties.l2)
    return J


def _network(problem):
    return problem.spec, problem.theta, problem.X


def _rest(problem):
    size = _size(problem.spec, problem.X)
    weights = np.ones(len(problem.X)) if problem.weights is None else problem.weights
    return (
        problem.spec,
        _padded(problem.X, *size),
        _padded(problem.Y, *size),
        _padded(weights, size[0]),
        problem.penalties,
    )


def _size(spec, X):
    widths = (spec.n_features, *(layer.units for layer in spec.layers))
    return _length(len(X)), _length(max(widths))


def _padded_blocks(spec, theta, X):
    width = _size(spec, X)[1]
    return [(_padded(W, width, width), _padded(b, width)) for W, b in blocks(spec, theta)]


def _of_each(function, *arrays):
    """Return the arrays that a function of single elements makes of arrays of one shape."""
    shape, count = arrays[0].shape, arrays[0].size
    length = _length(count)
    found = function(*(_padded(np.ravel(array), length) for array in arrays))
    return tuple(np.asarray(array)[:count].reshape(shape) for array in found)


def _length(least):
    """Return the length that arrays of at least so many elements are padded to."""
    return next((length for length in _LENGTHS if length >= least), least)


def _padded(array, *shape):
    padding = [(0, size - now) for size, now in zip(shape, array.shape, strict=True)]
    return np.pad(np.asarray(array, np.float64), padding)
