"""Independent oracles: a network's loss written again, in rows, with JAX's own functions.

Nothing of the package's equations is used; `jax.grad` of this loss is the oracle of
backpropagation. Layout is written again too: W[1] row by row (row j: unit j), b[1], W[2], ….

Layers are padded to one width and batches to one length, so that JAX compiles each activation
once: padded inputs meet weights of zero, padded units are masked, padded examples weigh nothing.
"""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

ACTIVATIONS = {
    "identity": lambda Z: Z,
    "sigmoid": jax.nn.sigmoid,
    "tanh": jnp.tanh,
    "relu": jax.nn.relu,
    "leaky_relu": partial(jax.nn.leaky_relu, negative_slope=0.01),
    "leaky_relu(slope=0.2)": partial(jax.nn.leaky_relu, negative_slope=0.2),
    "elu": jax.nn.elu,
    "elu(alpha=0.5)": partial(jax.nn.elu, alpha=0.5),
    "selu": jax.nn.selu,
    "gelu": partial(jax.nn.gelu, approximate=False),
    "silu": jax.nn.silu,
    "mish": jax.nn.mish,
    "softplus": jax.nn.softplus,
    "softmax": partial(jax.nn.softmax, axis=1),
}

KINKED = ("relu", "leaky_relu", "elu", "selu")

_WIDTH, _EXAMPLES = 5, 4


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


def slope(activation, Z):
    """Return σ′(Z) of an element-wise activation by automatic differentiation."""
    rows, width = max(len(Z), _EXAMPLES), max(Z.shape[1], _WIDTH)
    return np.asarray(_slope(activation, _padded(Z, rows, width)))[: len(Z), : Z.shape[1]]


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
        if layer.activation.partition("(")[0] in KINKED:
            sides.append(np.sign(Z).ravel())
    sides.append(np.sign(kink_distance(spec, forward(spec, theta, problem.X)[-1][1], problem.Y)))
    return np.concatenate([side.ravel() for side in sides])


def kink_distance(spec, A, Y):
    """Return how far each output is from where its cost has a kink; without kinks, nothing."""
    name = spec.cost.partition("(")[0]
    if name in ("absolute_error", "quantile"):
        return A - Y
    return np.abs(A - Y) - parameter(spec.cost) if name == "huber" else np.zeros(0)


@partial(jax.jit, static_argnums=0)
def _layer(activation, W, b, A, units):
    Z = A @ W.T + b
    if activation == "softmax":
        Z = jnp.where(units, Z, -jnp.inf)
    return Z, ACTIVATIONS[activation](Z)


@partial(jax.jit, static_argnums=0)
def _slope(activation, Z):
    return jax.grad(lambda Z: ACTIVATIONS[activation](Z).sum())(Z)


@partial(jax.jit, static_argnums=(0, 1))
def _costs(cost, activation, Z, A, Y, units):
    """Return C of each example, from Z wherever that is the stable way."""
    A = jnp.where(units, A, 0.5)
    name, gamma = cost.partition("(")[0], parameter(cost)
    if cost == "mse":
        C = jnp.square(A - Y) / 2
    elif cost == "absolute_error":
        C = jnp.abs(A - Y)
    elif name == "huber":
        r, d = jnp.abs(A - Y), parameter(cost)
        C = jnp.where(r <= d, r**2 / 2, d * (r - d / 2))
    elif name == "quantile":
        q = parameter(cost)
        C = jnp.maximum(q * (Y - A), (q - 1) * (Y - A))
    elif cost == "log_cosh":
        C = jnp.logaddexp(A - Y, Y - A) - jnp.log(2.0)
    elif name == "binary_focal" and activation == "sigmoid":
        C = -Y * jax.nn.sigmoid(-Z) ** gamma * jax.nn.log_sigmoid(Z)
        C -= (1 - Y) * jax.nn.sigmoid(Z) ** gamma * jax.nn.log_sigmoid(-Z)
    elif name == "binary_focal":
        C = -Y * (1 - A) ** gamma * jnp.log(A) - (1 - Y) * A**gamma * jnp.log1p(-A)
    elif name == "focal" and activation == "sigmoid":
        C = -Y * jax.nn.sigmoid(-Z) ** gamma * jax.nn.log_sigmoid(Z)
    elif name == "focal":
        C = -Y * (1 - A) ** gamma * jnp.log(A)
    elif cost == "binary_cross_entropy" and activation == "sigmoid":
        C = -Y * jax.nn.log_sigmoid(Z) - (1 - Y) * jax.nn.log_sigmoid(-Z)
    elif cost == "binary_cross_entropy":
        C = -Y * jnp.log(A) - (1 - Y) * jnp.log1p(-A)
    elif activation == "sigmoid":
        C = -Y * jax.nn.log_sigmoid(Z)
    else:
        C = -Y * (Z - jax.nn.logsumexp(Z, axis=1, keepdims=True))
    return jnp.where(units, C, 0.0).sum(axis=1)


def parameter(cost):
    """Return the one parameter of a cost as users write it, or its default."""
    name, _, text = cost.partition("(")
    default = {"huber": 1.0, "quantile": 0.5, "focal": 2.0, "binary_focal": 2.0}.get(name)
    return float(text.rstrip(")").partition("=")[2]) if text else default


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
    return max(len(X), _EXAMPLES), max(*widths, _WIDTH)


def _padded_blocks(spec, theta, X):
    width = _size(spec, X)[1]
    return [(_padded(W, width, width), _padded(b, width)) for W, b in blocks(spec, theta)]


def _padded(array, *shape):
    padding = [(0, size - now) for size, now in zip(shape, array.shape, strict=True)]
    return np.pad(np.asarray(array, np.float64), padding)
