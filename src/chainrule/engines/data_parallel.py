"""Data-parallel steps: every rank has a share of each batch, and all make the same update.

All ranks have the same examples and orders. Of a batch of n examples, a rank takes a contiguous
share, and divides its sums by the weight of the whole batch; gradient and cost then travel as one
message. The native engine does the same in native/step.hpp.

Source: Li et al. 2020, "PyTorch Distributed: Experiences on Accelerating Data Parallel Training".
"""

import numpy as np

from chainrule.communication.communicator import Communicator
from chainrule.engines.base import Engine, Examples, Floats
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


def share_of(communicator: Communicator, n: int) -> slice:
    """Return which of n examples of a batch this rank takes; none if there are too few."""
    rank, size = communicator.rank, communicator.size
    return slice(n * rank // size, n * (rank + 1) // size)


def gradient_over_ranks(
    communicator: Communicator,
    recipe: Recipe,
    parameters: Floats,
    examples: Examples,
    numbers: StepNumbers,
) -> GradientPass:
    """Return J and the gradient of a whole batch, of which this rank computes its share."""
    spec, theta = recipe.spec, views(recipe.spec, parameters)
    share = share_of(communicator, len(examples.X))
    own = Examples(*(None if array is None else array[share] for array in examples))  # type: ignore[arg-type]
    message = np.zeros(parameters.size + 1, parameters.dtype)
    if len(own.X) and examples.weight > 0:
        step = TrainingStep(numbers.noise, weights=own.weights, first=share.start)
        found = gradient_pass(spec, theta, columns(spec, own), step)
        of_whole = own.weight / examples.weight
        message[:-1] = flat_gradient(spec, found.gradients, parameters) * of_whole
        message[-1] = found.J * of_whole
    communicator.allreduce(message)
    gradients = [tuple(layer) for layer in views(spec, message[:-1])]
    gradients = with_penalties(spec, theta, gradients, recipe.penalties, numbers.penalty_share)
    return GradientPass(message[-1], gradients, [])
