"""Greedy selection: how much each of several networks counts in an ensemble.

Source: Caruana, Niculescu-Mizil, Crew and Ksikes 2004, "Ensemble selection from libraries of
models".
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from chainrule.engines.base import Examples
from chainrule.engines.passes import as_columns, example_costs, mean_cost
from chainrule.network.layers import LayerPass
from chainrule.network.spec import NetworkSpec

Floats = NDArray[np.floating]

ROUNDS = 24
"""How often a network is added; the same one may be added several times."""

# The mean of so many pre-activations says enough about a choice; of more, evenly spaced rows are
# taken.
_MOST_NUMBERS = 2_000_000


def greedy_weights(
    outputs: Sequence[Floats], loss: Callable[[Floats], float], rounds: int = ROUNDS
) -> NDArray[np.float64]:
    """Return the weights of candidates in the mean with the lowest loss that a greedy search finds.

    Each round adds the candidate with which the loss of the mean of all that were added is lowest;
    a candidate may be added again. The best round counts.

    Parameters
    ----------
    outputs : sequence of arrays (m, outputs)
        What each candidate gives for the same rows, which it was not trained on.
    loss : callable
        The loss of outputs, (m, outputs), on these rows.
    rounds : int

    Returns
    -------
    array (candidates,)
        Not negative, with the sum 1.
    """
    chosen: list[int] = []
    total = np.zeros_like(outputs[0], dtype=np.float64)
    best, size = np.inf, 1
    for number in range(1, rounds + 1):
        losses = [loss((total + each) / number) for each in outputs]
        # A loss that is not a number compares as no improvement.
        added = int(np.argmin(np.where(np.isfinite(losses), losses, np.inf)))
        chosen.append(added)
        total += outputs[added]
        if losses[added] < best:
            best, size = losses[added], number
        if len(outputs) == 1:
            break
    counts = np.bincount(chosen[:size], minlength=len(outputs))
    return np.asarray(counts / counts.sum())


def loss_of(spec: NetworkSpec, examples: Examples) -> Callable[[Floats], float]:
    """Return the function that gives the mean cost of pre-activations Z[L] of examples, (m, n[L]).

    Of very many numbers, it takes evenly spaced rows.
    """
    step = max(1, -(-len(examples.X) * spec.n_outputs // _MOST_NUMBERS))
    Y = as_columns(examples.targets(spec.n_outputs, slice(None, None, step))).astype(np.float64)
    weights = None if examples.weights is None else examples.weights[::step].astype(np.float64)
    sigma = spec.activations[-1].function

    def loss(Z: Floats) -> float:
        columns = as_columns(Z[::step]).astype(np.float64)
        with np.errstate(over="ignore", invalid="ignore"):
            costs = example_costs(spec, LayerPass(columns, sigma(columns)), Y)
            return float(mean_cost(costs, weights))

    return loss
