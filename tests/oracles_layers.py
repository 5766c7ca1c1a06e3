"""An independent oracle of training steps: a network's cost written again, in rows, with JAX.

It knows dense layers, also in groups (a block-diagonal matrix) and with members that share a matrix
(member by member), dropout (its factors are given), batch normalisation (with the batch's own
statistics), scales, parametric activations, piecewise-linear embeddings (by interpolation),
periodic embeddings and category embeddings (one-hot codes times a table), and reads the flat vector
by a layout of its own. Nothing of the package is used.
"""

from functools import partial
from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np

from tests.oracles_networks import activation


def training_cost(spec, theta, X, Y, weights=None, factors=None):
    """Return the weighted mean of the cross-entropy, or of half the squared error, of one batch.

    Parameters
    ----------
    factors : dict, optional
        M of each dropout layer, by its number l, in rows: (m, n[l]).
    """
    p = jnp.ones(len(X)) if weights is None else jnp.asarray(weights)
    p = (p / p.sum())[:, None]
    A, at = jnp.asarray(X), 0
    for l, layer in enumerate(spec.layers, start=1):  # noqa: E741 - the field's letter
        n = A.shape[1]
        if layer.kind == "dropout":
            A = A * factors[l]
        elif layer.kind == "batch_norm":
            scale, shift = theta[at : at + n], theta[at + n : at + 2 * n]
            mean = (p * A).sum(axis=0)
            variance = (p * (A - mean) ** 2).sum(axis=0)
            Z = scale * (A - mean) / jnp.sqrt(variance + layer.epsilon) + shift
            A, at = activation(layer.activation)(Z), at + 4 * n
        elif layer.kind == "scale":
            A, at = A * theta[at : at + n], at + n
        elif layer.kind == "parametric_activation":
            alpha = theta[at : at + n]
            A, at = (1 - alpha) * A + alpha * activation(layer.activation)(A), at + n
        elif layer.kind == "periodic_embedding":
            columns = range(n) if layer.columns is None else layer.columns
            k, F, s = len(columns), layer.frequencies, layer.size - 1
            arrays = []
            for count in (F, F, s * F, s):
                arrays.append(theta[at : at + k * count].reshape(k, count))
                at += k * count
            w, c, V, d = arrays
            parts = [A]
            for row, column in enumerate(columns):
                waves = jnp.cos(2 * jnp.pi * A[:, [column]] * w[row] + c[row])
                parts.append(waves @ V[row].reshape(s, F).T + d[row])
            A = jnp.concatenate(parts, axis=1)
        elif layer.kind == "piecewise_linear_embedding":
            bins = [
                jnp.interp(A[:, column], jnp.array([low, high]), jnp.array([0.0, 1.0]))[:, None]
                for column, edges in layer.columns
                for low, high in pairwise(edges)
            ]
            A = jnp.concatenate([A, *bins], axis=1)
        elif layer.kind == "category_embedding":
            inputs, codes_of = A, {column: codes for column, codes, _ in layer.columns}
            parts = [A[:, [j for j in range(n) if j not in codes_of]]]
            for column, codes, dimension in layer.columns:
                E = theta[at : at + codes * dimension].reshape(codes, dimension)
                one_hot = inputs[:, [column]] == jnp.arange(codes)
                parts.append(one_hot.astype(E.dtype) @ E)
                at += codes * dimension
            A = jnp.concatenate(parts, axis=1)
        elif layer.kind == "batch_ensemble":
            K, shared = layer.members, layer.shared_input
            seen, units = n if shared else n // K, layer.units // K
            arrays = []
            for count in (units * seen, K * seen, layer.units, layer.units):
                arrays.append(theta[at : at + count])
                at += count
            W = arrays[0].reshape(units, seen)
            members = zip(*(array.reshape(K, -1) for array in arrays[1:]), strict=True)
            Z = jnp.concatenate(
                [
                    (A[:, :seen] if shared else A[:, k * seen : (k + 1) * seen]) * r @ W.T * s + b
                    for k, (r, s, b) in enumerate(members)
                ],
                axis=1,
            )
            A = activation(layer.activation)(Z)
        else:
            groups = layer.groups if layer.kind == "grouped_dense" else 1
            count = n * layer.units // groups
            W = theta[at : at + count].reshape(groups, layer.units // groups, n // groups)
            W, at = jax.scipy.linalg.block_diag(*W), at + count
            Z = A @ W.T + theta[at : at + layer.units]
            A, at = activation(layer.activation)(Z), at + layer.units
    if spec.cost == "cross_entropy":
        C = -(Y * jax.nn.log_softmax(Z, axis=1)).sum(axis=1)
    else:
        C = ((A - Y) ** 2).sum(axis=1) / 2
    return (p[:, 0] * C).sum()


def cost_and_gradient(spec, theta, X, Y, weights=None, factors=None):
    """Return that cost and its gradient by automatic differentiation, in float64."""
    weights = np.ones(len(X)) if weights is None else weights
    value, gradient = _value_and_gradient(spec, theta, X, Y, weights, factors)
    return float(value), np.asarray(gradient)


# Compiled as one: operation by operation, JAX would compile hundreds for each shape.
@partial(jax.jit, static_argnums=0)
def _value_and_gradient(spec, theta, X, Y, weights, factors):
    return jax.value_and_grad(lambda theta: training_cost(spec, theta, X, Y, weights, factors))(
        theta
    )
