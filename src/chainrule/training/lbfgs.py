"""Training by SciPy's L-BFGS instead of gradient steps, with the same events."""

import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from chainrule.engines.base import Floats
from chainrule.errors import NothingLearnedError
from chainrule.training.events import EpochEnded, Event, Stopped, TrainingStarted
from chainrule.training.plan import LBFGS, Plan
from chainrule.training.settings_text import settings_of
from chainrule.training.state import State


class Minimum(NamedTuple):
    """The result of L-BFGS."""

    value: float
    """The final value of the objective."""
    stopped: Stopped
    shortfall: str
    """Why it did not converge; "" if it did."""


def minimise(plan: Plan, state: State, tell: Callable[[Event], bool], watched: bool) -> Minimum:
    """Minimise J plus penalties over all examples by L-BFGS, in float64.

    A line search needs more digits of the gradient than float32 has. So a float32 network is
    minimised in float64, and its parameters are rounded at the end.

    Parameters
    ----------
    plan : Plan
        Its epochs are iterations.
    state : State
        Its parameters are updated after each iteration if `watched`, otherwise only at the end.
    tell : callable
        Called with each event; if it returns True after an `EpochEnded`, the solver stops.
    watched : bool
        Whether there are consumers of the events.

    Raises
    ------
    NothingLearnedError
        If the final parameters are not finite.
    """
    import scipy
    from scipy.optimize import minimize

    solver, problem = plan.optimizer, plan.problem
    assert isinstance(solver, LBFGS)
    size, m = problem.parameters.size, len(problem.examples.X)
    exact = problem.in_float64()
    theta, gradient = exact.parameters, np.empty(size)

    def value_and_gradient(point: Floats) -> tuple[float, Floats]:
        theta[...] = point
        value = plan.engine.loss_and_gradient(exact, gradient)
        return value, gradient

    done, asked = 0, False
    started = time.perf_counter()

    def iterated(intermediate_result: Any) -> None:
        nonlocal done, asked
        done += 1
        state.parameters[...] = intermediate_result.x
        seconds = (time.perf_counter() - started) / done
        value = float(intermediate_result.fun)
        nothing = float("nan")
        asked = tell(EpochEnded(done, value, 0.0, 1.0, nothing, seconds, objective=value))
        if asked:
            raise StopIteration

    tell(TrainingStarted(plan.epochs, 1, m, size, plan.engine.name, settings_of(plan)))
    # From SciPy 1.15 on, the option prints nothing and causes a warning.
    old = tuple(map(int, scipy.__version__.split(".")[:2])) < (1, 15)
    printing = {"iprint": 1} if solver.prints and old else {}
    result = minimize(
        value_and_gradient,
        theta.copy(),
        method="L-BFGS-B",
        jac=True,
        options={
            "maxfun": solver.max_evaluations,
            "maxiter": plan.epochs,
            "gtol": solver.tolerance,
            **printing,
        },
        callback=iterated if watched else None,
    )
    tell(Stopped(done, "callback" if asked else "finished"))
    parameters: NDArray[np.float64] = result.x
    if not np.isfinite(result.fun) or not np.isfinite(parameters).all():
        raise NothingLearnedError.of("bring them to mean 0 and standard deviation 1")
    state.parameters[...] = parameters
    # Some releases of SciPy report one iteration more than the limit.
    iterations = min(int(result.nit), plan.epochs)
    shortfall = ""
    if result.status != 0 and not asked:
        shortfall = (
            f"lbfgs failed to converge after {result.nit} iteration(s) (status={result.status}): "
            f"{result.message}. Increase the number of iterations (max_iter) or of evaluations "
            "(max_fun), or scale the inputs"
        )
    stopped = Stopped(iterations, "callback" if asked else "finished")
    return Minimum(float(result.fun), stopped, shortfall)
