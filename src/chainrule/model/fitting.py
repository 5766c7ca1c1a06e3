"""The parts of `Network.fit`: checks of its arguments, and the training that a plan describes."""

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from chainrule.checks import shown
from chainrule.engines.base import Examples, Floats
from chainrule.engines.optimizer import Optimizer, OptimizerState
from chainrule.errors import InvalidArgumentError
from chainrule.limits import MAX_NORM
from chainrule.network.spec import NetworkSpec
from chainrule.training.class_weights import class_weighted
from chainrule.training.events import Callback
from chainrule.training.examples import as_examples
from chainrule.training.plan import Plan
from chainrule.training.state import State, continues
from chainrule.training.validation import checked_share


class Data(NamedTuple):
    """The examples of a training."""

    examples: Examples
    validation: Examples | None
    share: float
    """Of the examples, which is to be set aside as validation data."""


def data_of(
    spec: NetworkSpec,
    examples: Examples,
    validation_data: tuple[ArrayLike, ArrayLike] | None,
    validation_split: float,
    class_weight: Literal["balanced"] | Mapping[int, float] | None,
) -> Data:
    """Return the examples with the weights of their classes, and the validation data.

    Raises
    ------
    InvalidArgumentError
        If an argument is invalid, or both kinds of validation data are given.
    """
    share = checked_share(validation_split, len(examples.X))
    if share and validation_data is not None:
        raise InvalidArgumentError(
            "validation_split: expected 0 where validation_data is given; got "
            f"{shown(validation_split)}. Give only one of the two"
        )
    validation = _validation(spec, validation_data)
    examples = class_weighted(spec, examples, class_weight)
    if validation is not None:
        validation = class_weighted(spec, validation, class_weight)
    return Data(examples, validation, share)


def _validation(spec: NetworkSpec, data: tuple[ArrayLike, ArrayLike] | None) -> Examples | None:
    if data is None:
        return None
    if not isinstance(data, tuple | list) or len(data) != 2:
        raise InvalidArgumentError(
            f"validation_data: expected a pair (X, Y); got {type(data).__name__}"
        )
    names = ("validation_data[0]", "validation_data[1]", "")
    return as_examples(spec, data[0], data[1], names=names)


def checked_callbacks(callbacks: Sequence[Callback]) -> None:
    """Raise unless `callbacks` is a list of functions."""
    wrong = (
        [callback for callback in callbacks if not callable(callback)]
        if isinstance(callbacks, Sequence)
        else [callbacks]
    )
    if wrong:
        raise InvalidArgumentError(
            f"callbacks: expected a list of functions that take an event; got {wrong[0]!r}"
        )


def gradient_bound(max_grad_norm: float | None) -> float:
    """Return the largest norm of a gradient; infinity for None."""
    MAX_NORM.require(max_grad_norm, "max_grad_norm: expected")
    return float("inf" if max_grad_norm is None else max_grad_norm)


def patience_text(plan: Plan) -> str:
    """Return the patience of a plan's stopping rule as text, for a checkpoint."""
    return "none" if plan.stopping is None else f"patience {plan.stopping.patience}"


def checked_state(
    state: OptimizerState | None, optimizer: Optimizer, spec: NetworkSpec, parameters: Floats
) -> OptimizerState | None:
    """Return the state of an optimizer if it is one of this optimizer and these parameters.

    Raises
    ------
    InvalidArgumentError
        If it is not.
    """
    if state is None:
        return None
    if not isinstance(state, OptimizerState):
        raise InvalidArgumentError(
            "state: expected an OptimizerState, such as the network's optimizer_state after fit; "
            f"got {shown(state)}"
        )
    if isinstance(state.t, bool) or not isinstance(state.t, int) or state.t < 0:
        raise InvalidArgumentError(
            f"state: expected t, the number of updates so far, to be at least 0; got {state.t!r}"
        )
    name = type(optimizer).__name__
    vectors: dict[str, tuple[object, tuple[int, ...]]] = {
        "slots": (state.slots, (optimizer.slots, parameters.size))
    }
    if optimizer.evaluated_at_average:
        vectors["theta"] = (state.theta, parameters.shape)
    for part, (array, shape) in vectors.items():
        if not isinstance(array, np.ndarray):
            raise InvalidArgumentError(
                f"state: expected {part} of shape {shape}, as {name} has; got {shown(array)}"
            )
        if array.shape != shape or array.dtype != spec.dtype:
            raise InvalidArgumentError(
                f"state: expected {part} of shape {shape} and dtype {spec.dtype}, as {name} has "
                f"for this network; got {array.shape} and {array.dtype}. Use the optimizer that "
                "the state comes from, with the same settings"
            )
    if not continues(state, optimizer, spec, parameters):
        raise InvalidArgumentError(
            f"state: expected a state whose average of the parameters, as {name} keeps it, equals "
            "the network's parameters; got a different one. Leave state out, or restore the "
            "parameters that it belongs to"
        )
    return state


def continuable(state: State, ended: bool) -> OptimizerState | None:
    """Return the state from which a training can be continued; None if the parameters went back.

    They go back to those of the best epoch if early stopping keeps these, and to those of an
    earlier step if the training diverged. `ended`: whether there was neither an error nor an
    interruption.
    """
    if state.memory is None or state.optimizer is None:
        return None
    stopping = state.stopping
    if stopping is not None and stopping.rule.keeps_best and not (ended and stopping.count == 0):
        return None
    state.memory.noise_key = state.noise_key
    return state.memory
