"""Heads: an output layer whose units are divided among several targets, HD1 to HD3.

Z[L] is divided into the rows of its heads, one below the other. Each head has an activation and a
cost of its own, and a weight in the sum. So one network can predict targets of different kinds.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from chainrule.equations._array import Array, namespace


class HeadPart(NamedTuple):
    """A head's part of an equation: its number of rows, and its own function."""

    units: int
    function: Callable[..., Array]
    weight: float = 1.0


def heads_activation(Z: Array, heads: Sequence[HeadPart]) -> Array:
    """HD1: Aₕ = σₕ(Zₕ), the rows of each head h by its own σ.

    Parameters
    ----------
    Z : array (n[L], m)
    heads : list of HeadPart
        σ of each.

    Returns
    -------
    A : array (n[L], m)
    """
    return _stacked(heads, (Z,), weighted=False)


def heads_activation_derivative(
    grad_A: Array, Z: Array, A: Array, heads: Sequence[HeadPart]
) -> Array:
    """HD1 derivative: δₕ = ∇ₐCₕ ⊙ σ′ₕ(Zₕ), BP1 of each head, or its BP1s.

    Parameters
    ----------
    grad_A, Z, A : array (n[L], m)
    heads : list of HeadPart
        (∂C/∂A, Z, A) ↦ δ of each.

    Returns
    -------
    delta : array (n[L], m)
    """
    return _stacked(heads, (grad_A, Z, A), weighted=False)


def heads_cost(A: Array, Y: Array, heads: Sequence[HeadPart]) -> Array:
    """HD2: C = Σₕ wₕ Cₕ(Aₕ, Yₕ), the cost of each head h by its weight.

    Parameters
    ----------
    A, Y : array (n[L], m)
        Z instead of A if every head's cost is computed from Z.
    heads : list of HeadPart
        C of each, with its weight.

    Returns
    -------
    C : array (m,)
    """
    (first, _, weight), *others = _parts(heads, (A, Y))
    total = weight * first
    for cost, _, weight in others:
        total = total + weight * cost
    return total


def heads_cost_gradient(A: Array, Y: Array, heads: Sequence[HeadPart]) -> Array:
    """HD2 gradient: ∇ₐC = wₕ ∇ₐCₕ in the rows of each head h.

    Parameters
    ----------
    A, Y : array (n[L], m)
    heads : list of HeadPart
        ∇ₐC of each, with its weight.

    Returns
    -------
    grad_A : array (n[L], m)
    """
    return _stacked(heads, (A, Y), weighted=True)


def heads_error(A: Array, Y: Array, heads: Sequence[HeadPart]) -> Array:
    """HD3: δ[L] = wₕ δₕ in the rows of each head h, which meets its own cost.

    Parameters
    ----------
    A, Y : array (n[L], m)
    heads : list of HeadPart
        The fused δ of each, with its weight.

    Returns
    -------
    delta : array (n[L], m)
    """
    return _stacked(heads, (A, Y), weighted=True)


def _parts(heads: Sequence[HeadPart], arrays: Sequence[Array]) -> list[tuple[Array, slice, float]]:
    """Return, for each head, the value of its function for its rows, the rows, and its weight."""
    parts, begin = [], 0
    for head in heads:
        rows = slice(begin, begin + head.units)
        parts.append((head.function(*(array[rows, :] for array in arrays)), rows, head.weight))
        begin = rows.stop
    return parts


def _stacked(heads: Sequence[HeadPart], arrays: Sequence[Array], weighted: bool) -> Array:
    parts = _parts(heads, arrays)
    xp = namespace(arrays[0])
    return xp.concat([weight * part if weighted else part for part, _, weight in parts], axis=0)
