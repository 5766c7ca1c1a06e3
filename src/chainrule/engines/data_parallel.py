"""Data-parallel steps: every rank has a share of each batch, and all make the same update.

Of a batch of n examples, a rank takes a contiguous share, and divides its sums by the weight of the
whole batch; gradient and cost then travel as one message. All ranks have the same examples and
orders, or each has the examples of its own shares only. The native engine does the same in
native/engine.hpp and native/step.hpp.

Source: Li et al. 2020, "PyTorch Distributed: Experiences on Accelerating Data Parallel Training".
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from chainrule.communication.communicator import Communicator
from chainrule.communication.shares import Share
from chainrule.engines.base import Batches, Engine, Examples, Floats
from chainrule.engines.passes import (
    GradientPass,
    columns,
    flat_gradient,
    gradient_pass,
    with_penalties,
)
from chainrule.engines.steps import Recipe, StepNumbers
from chainrule.errors import InvalidArgumentError
from chainrule.network.layers import TrainingStep
from chainrule.network.parameters import views
from chainrule.network.spec import NetworkSpec


def over_ranks(engine: Engine, spec: NetworkSpec, communicator: Communicator) -> Engine:
    """Return an engine as one of several ranks.

    Raises
    ------
    InvalidArgumentError
        If the engine, or a layer, needs the whole batch in one process.
    """
    if any(not block.has_gradient for blocks in spec.blocks() for block in blocks):
        raise InvalidArgumentError(
            "communicator: batch normalization needs the statistics of the whole batch, and each "
            "rank has a share of it; use a network without BatchNorm, or one process"
        )
    own = engine.with_communicator(communicator)
    if isinstance(own, str):
        raise InvalidArgumentError(f"communicator: the engine {engine.name} has no ranks: {own}")
    return own


class BatchShare(NamedTuple):
    """The share of a batch that is a rank's."""

    examples: Examples
    first: int
    """How many examples of the batch come before them."""
    weight: float
    """The sum of the weights of the whole batch."""


def shares_of_batches(share: Share, examples: Examples, batches: Batches) -> Iterator[BatchShare]:
    """Yield a rank's share of each batch."""
    for order in batches.order:
        done, total = 0, len(order) if batches.total is None else batches.total
        for start in range(0, total, batches.size):
            count = min(batches.size, total - start)
            part = share.of(count)
            if batches.total is None:
                whole = order[start : start + count]
                rows, weight = whole[part], examples.weight_of(whole)
            else:
                rows, weight = order[done : done + share.count(count)], float(count)
                done += len(rows)
            yield BatchShare(examples.take(rows), part.start, weight)


def gradient_over_ranks(
    communicator: Communicator,
    recipe: Recipe,
    parameters: Floats,
    share: BatchShare,
    numbers: StepNumbers,
) -> GradientPass:
    """Return J and the gradient of a whole batch, of which this rank computes its share."""
    spec, theta = recipe.spec, views(recipe.spec, parameters)
    own = share.examples
    message = np.zeros(parameters.size + 1, parameters.dtype)
    if len(own.X) and share.weight > 0:
        step = TrainingStep(numbers.noise, weights=own.weights, first=share.first)
        found = gradient_pass(spec, theta, columns(spec, own), step)
        of_whole = own.weight / share.weight
        message[:-1] = flat_gradient(spec, found.gradients, parameters) * of_whole
        message[-1] = found.J * of_whole
    communicator.allreduce(message)
    gradients = [tuple(layer) for layer in views(spec, message[:-1])]
    gradients = with_penalties(spec, theta, gradients, recipe.penalties, numbers.penalty_share)
    return GradientPass(message[-1], gradients, [])
