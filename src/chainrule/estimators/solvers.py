"""Solvers: the package's optimizers by scikit-learn's parameters, and L-BFGS by SciPy."""

import warnings
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from chainrule.engines.base import Engine, Examples, Objective
from chainrule.engines.optimizers import (
    OPTIMIZERS,
    Adam,
    HeavyBall,
    LearningRate,
    Nesterov,
    Optimizer,
)
from chainrule.network.spec import NetworkSpec

Floats = NDArray[np.floating]


def _below_one(momentum: float) -> float:
    # scikit-learn allows a momentum of 1, which no velocity survives; this is the next number.
    return min(float(momentum), float(np.nextafter(1.0, 0.0)))


def _sgd(estimator: Any, rate: LearningRate) -> Optimizer:
    kind = Nesterov if estimator.nesterovs_momentum else HeavyBall
    return kind(rate, _below_one(estimator.momentum))


def _adam(estimator: Any, rate: LearningRate) -> Optimizer:
    return Adam(
        rate,
        estimator.beta_1,
        estimator.beta_2,
        estimator.epsilon,
        plain_epsilon=True,
    )


# Where scikit-learn's name means something of its own.
_OWN: Mapping[str, Callable[[Any, LearningRate], Optimizer]] = MappingProxyType(
    {"sgd": _sgd, "adam": _adam}
)

# An optimizer's setting: the estimator's parameter, where their names differ.
_PARAMETERS = MappingProxyType({"beta": "momentum"})


def optimizer_of(estimator: Any, rate: LearningRate) -> Optimizer:
    """Return the optimizer that an estimator's `solver` and its settings describe.

    Every optimizer of the package goes by its name, with those of its settings that the estimator
    has a parameter for.
    """
    if estimator.solver in _OWN:
        return _OWN[estimator.solver](estimator, rate)
    kind = OPTIMIZERS[estimator.solver]
    settings: dict[str, Any] = {"learning_rate": rate}
    for field in fields(kind):
        parameter = _PARAMETERS.get(field.name, field.name)
        if field.name != "learning_rate" and hasattr(estimator, parameter):
            settings[field.name] = getattr(estimator, parameter)
    if "beta" in settings:
        settings["beta"] = _below_one(settings["beta"])
    return kind(**settings)


class Minimum(NamedTuple):
    """Where L-BFGS ended."""

    parameters: NDArray[np.float64]
    value: float
    iterations: int
    stopped: bool
    """Whether `watch` said so."""


def minimize(
    spec: NetworkSpec,
    parameters: Floats,
    examples: Examples,
    objective: Objective,
    engine: Engine,
    *,
    max_iter: int,
    max_fun: int,
    tol: float,
    printed: bool,
    watch: Callable[[int, float, NDArray[np.float64]], bool] | None,
) -> Minimum:
    """Minimise J plus penalties over all examples by L-BFGS, in float64.

    The last digits of a gradient are what a line search lives on, so a float32 network is
    minimised as its float64 twin and rounded at the end.

    Parameters
    ----------
    spec, parameters, examples, objective, engine
        As for an engine.
    max_iter, max_fun : int
        At most so many iterations and evaluations.
    tol : float
        It ends where no component of the gradient is larger.
    printed : bool
        Whether SciPy prints what it prints for scikit-learn: nothing from 1.15 on.
    watch : callable, optional
        Called with the number, the value and the parameters of each iteration; True: it ends.
    """
    from scipy.optimize import minimize as scipy_minimize
    from sklearn.utils.fixes import parse_version, sp_version

    exact = replace(spec, dtype="float64")
    if spec.dtype != "float64":
        examples = examples.astype("float64")
    theta = np.empty(parameters.size)
    gradient = np.empty(parameters.size)

    def value_and_gradient(point: Floats) -> tuple[float, Floats]:
        theta[...] = point
        value = engine.loss_and_gradient(exact, theta, examples, objective, gradient)
        return value, gradient

    done, stopped = 0, False

    def each(intermediate_result: Any) -> None:
        nonlocal done, stopped
        done += 1
        assert watch is not None
        stopped = watch(done, float(intermediate_result.fun), intermediate_result.x)
        if stopped:
            raise StopIteration

    # Later releases print nothing and warn of the option.
    printing = {"iprint": 1} if printed and sp_version < parse_version("1.15") else {}
    result = scipy_minimize(
        value_and_gradient,
        parameters.astype(np.float64),
        method="L-BFGS-B",
        jac=True,
        options={"maxfun": max_fun, "maxiter": max_iter, "gtol": tol, **printing},
        callback=None if watch is None else each,
    )
    if result.status != 0 and not stopped:
        from sklearn.exceptions import ConvergenceWarning

        warnings.warn(
            f"lbfgs failed to converge after {result.nit} iteration(s) (status={result.status}): "
            f"{result.message}. Increase the number of iterations (max_iter) or of evaluations "
            "(max_fun), or scale the inputs",
            ConvergenceWarning,
            stacklevel=4,
        )
    # Some releases of SciPy count one more than they were allowed.
    return Minimum(result.x, float(result.fun), min(int(result.nit), max_iter), stopped)
