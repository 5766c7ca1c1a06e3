"""Checks of user-defined functions, at their first use: custom costs and metrics."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.checks import is_real, shown
from chainrule.engines.base import Problem
from chainrule.engines.passes import as_columns, forward_pass
from chainrule.errors import InvalidArgumentError
from chainrule.network.cost import CustomCost
from chainrule.network.parameters import views


def check_cost(problem: Problem) -> None:
    """Raise unless a network's `CustomCost` can be trained with; other costs pass.

    The functions of the cost are called with the outputs of two or three examples. Shapes and types
    are also checked in every later call (`CustomCost.costs`), values only here.

    Raises
    ------
    InvalidArgumentError
        If a function returns something of the wrong shape or type, or that is not finite, or
        changes its arguments.
    """
    spec, examples = problem.spec, problem.examples
    own = spec.cost
    if not isinstance(own, CustomCost) or not len(examples.X):
        return
    # As many examples as outputs would hide a sum over the wrong axis.
    some = examples.take(np.arange(3 if spec.n_outputs == 2 else 2) % len(examples.X))
    with np.errstate(all="ignore"):
        passes = forward_pass(spec, views(spec, problem.parameters), as_columns(some.X))
        A = np.ascontiguousarray(as_columns(passes[-1].A))
        Y = np.ascontiguousarray(some.targets(spec.n_outputs))
        for what, function in (("cost", own.costs), ("gradient", own.gradients)):
            outputs, targets = A.copy(), Y.copy()
            value = np.asarray(function(outputs, targets))
            _check_unchanged(own, what, "outputs", A, outputs)
            _check_unchanged(own, what, "targets", Y, targets)
            if np.isfinite(A).all() and not np.isfinite(value).all():
                row = int(np.argmin(np.isfinite(value.reshape(len(value), -1)).all(axis=1)))
                raise InvalidArgumentError(
                    f"cost: the {what} function of {own.name!r} must return finite numbers; got "
                    f"{value[row]} for the outputs {A[row]} and the targets {Y[row]}"
                )


def _check_unchanged(
    own: CustomCost, what: str, which: str, before: NDArray[Any], after: NDArray[Any]
) -> None:
    if not np.array_equal(before, after, equal_nan=True):
        raise InvalidArgumentError(
            f"cost: the {what} function of {own.name!r} must not change its arguments, but it "
            f"changed the {which}; let it work on a copy, such as {which}.copy()"
        )


def metric_value(name: str, value: Any) -> float:
    """Return the value of a metric as a float.

    Raises
    ------
    InvalidArgumentError
        If it is not a single real number.
    """
    if isinstance(value, np.ndarray) and value.shape == ():
        value = value.item()
    if not is_real(value) and not isinstance(value, np.bool_ | bool):
        got = f"an array of shape {value.shape}" if isinstance(value, np.ndarray) else shown(value)
        raise InvalidArgumentError(
            f"metrics: the function {name!r} must return a number for all examples together; "
            f"got {got}"
        )
    return float(value)
