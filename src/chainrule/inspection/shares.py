"""Shares of groups of inputs in an output: expected gradients (AT4), Shapley values (AT6)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from chainrule.engines.passes import as_columns
from chainrule.equations.attribution import (
    coalition_values,
    expected_gradients,
    shapley_values,
)
from chainrule.inspection.output import Output
from chainrule.inspection.paths import path_integrals

Floats64 = NDArray[np.float64]

MOST_PLAYERS = 14
"""The largest number of groups for which all 2ⁿ coalitions are evaluated."""

# Numbers of the largest array.
_BLOCK = 1 << 18


@dataclass(frozen=True)
class Shares:
    """The shares of groups of inputs in f(x) − E f.

    Attributes
    ----------
    value, baseline : float
        f(x), and E f, the mean of f over the background.
    shares : array (groups,)
    """

    value: float
    baseline: float
    shares: Floats64

    @property
    def unexplained(self) -> float:
        """The error of the numerical integration: f(x) − E f minus the sum of the shares."""
        return self.value - self.baseline - float(self.shares.sum())


def by_expected_gradients(
    f: Output,
    x: Floats64,
    background: Floats64,
    weights: Floats64,
    owners: NDArray[np.intp],
    n_groups: int,
) -> Shares:
    """Return the sums of the inputs' expected gradients, group by group.

    Parameters
    ----------
    f : Output
    x : array (n[0],)
        The example.
    background : array (k, n[0])
        The rows that it is compared with.
    weights : array (k,)
        The rows' weights, which add up to 1.
    owners : array (n[0],) of int
        The group of each input, from 0 to n_groups − 1.
    n_groups : int
    """
    X, references = x.reshape(-1, 1), as_columns(background)
    R = expected_gradients(path_integrals(f, X, references), weights)
    shares = np.bincount(owners, R.ravel(), n_groups).astype(np.float64)
    return Shares(*_ends(f, X, references, weights), shares)


def by_shapley_values(
    f: Output,
    x: Floats64,
    background: Floats64,
    weights: Floats64,
    owners: NDArray[np.intp],
    n_groups: int,
) -> Shares:
    """Return the groups' exact Shapley values; the arguments are those of expected gradients.

    All 2ⁿ coalitions of n groups are evaluated with each background row.
    """
    X, references = x.reshape(-1, 1), as_columns(background)
    k = references.shape[1]
    codes = np.arange(1 << n_groups)
    values = []
    per_block = max(1, _BLOCK // (max(f.spec.sizes) * k))
    for start in range(0, len(codes), per_block):
        block = codes[start : start + per_block]
        known = (block[None, :] >> owners[:, None]) & 1 == 1
        inputs = np.where(known[:, :, None], X[:, :, None], references[:, None, :])
        outputs = f.values(inputs.reshape(len(x), -1)).reshape(len(block), k)
        values.append(coalition_values(outputs, weights))
    phi = shapley_values(np.concatenate(values))
    return Shares(*_ends(f, X, references, weights), phi)


def _ends(f: Output, X: Floats64, references: Floats64, weights: Floats64) -> tuple[float, float]:
    """Return f of the example, and its mean over the background."""
    outputs = f.values(np.hstack([X, references]))
    return float(outputs[0]), float(coalition_values(outputs[None, 1:], weights)[0])
