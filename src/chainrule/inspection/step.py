"""The arrays of one training step, computed by the equations."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.engines.base import Floats, Problem, UpdateRule
from chainrule.engines.optimizer import OptimizerState
from chainrule.engines.passes import (
    as_columns,
    backward_pass,
    cost_equations,
    example_costs,
    forward_pass,
    mean_cost,
    new_statistics,
    penalty,
    with_penalties,
)
from chainrule.equations.averages import average_update
from chainrule.equations.clipping import clipped_gradient
from chainrule.equations.optimizers import muon_directions
from chainrule.network.layers import LayerPass, TrainingStep
from chainrule.network.parameters import (
    group_indicator,
    hidden_matrices,
    learning_rate_factors,
    placed_blocks,
    views,
)
from chainrule.network.random import step_noise
from chainrule.network.spec import NetworkSpec


@dataclass(frozen=True)
class Outcome:
    """What a training made of a step: the parameters after it, and the optimizer's state."""

    parameters: Floats
    state: OptimizerState


@dataclass(frozen=True)
class Step:
    """All arrays of one step; flat vectors are laid out like the parameters."""

    problem: Problem
    """With the parameters before the step."""
    rule: UpdateRule
    before: OptimizerState
    after: OptimizerState
    learning_rate: float
    share: float | None
    """c of an average, WA1; None without one."""
    penalty_share: float
    theta: list[list[Floats]]
    X: Floats
    Y: Floats
    passes: list[LayerPass]
    costs: Floats
    J: float
    penalty: float
    grad_A: Floats
    deltas: list[Floats]
    gradients: list[tuple[Floats, ...]]
    """Of each layer's blocks that have one, with penalties."""
    gradient: Floats
    downhill: Floats
    """The gradient after clipping."""
    new_theta: Floats
    new_J: float
    new_penalty: float

    @property
    def t(self) -> int:
        """The number of this step, counted from the optimizer's first one."""
        return self.before.t + 1


def computed_step(
    problem: Problem,
    rule: UpdateRule,
    state: OptimizerState,
    noise_key: int,
    learning_rate: float,
    outcome: Outcome | None = None,
) -> Step:
    """Compute one step by the equations; nothing is changed in place.

    Parameters
    ----------
    problem : Problem
        With the parameters that the step updates; no array of it is copied.
    rule : UpdateRule
    state : OptimizerState
        Before the step.
    noise_key : int
        Determines, with t, the units that dropout drops.
    learning_rate : float
        α of this step.
    outcome : Outcome, optional
        What a training made of this step. The parameters and the state after the step are then
        these, instead of what the equations give.
    """
    spec, examples = problem.spec, problem.examples
    theta = views(spec, problem.parameters)
    X, Y = as_columns(examples.X), as_columns(examples.targets(spec.n_outputs))
    # As in `gradient_pass`: without any weight, J and its gradient are 0.
    idle = examples.weights is not None and not examples.weights.sum() > 0
    weights = None if idle else examples.weights
    training = TrainingStep(step_noise(noise_key, state.t + 1), weights=weights)
    passes = forward_pass(spec, theta, X, training)
    C = example_costs(spec, passes[-1], Y)
    back = backward_pass(spec, theta, X, Y, passes, weights)
    with np.errstate(over="ignore", divide="ignore"):  # shown, but not computed by a fused pair
        grad_A = cost_equations(spec).gradient(passes[-1].A, Y)
    deltas, gradients = back.deltas, back.gradients
    if idle:
        deltas = [np.zeros_like(delta) for delta in deltas]
        gradients = [tuple(map(np.zeros_like, layer)) for layer in gradients]
    share = problem.penalties.share(examples.weight)
    gradients = with_penalties(spec, theta, gradients, problem.penalties, share)
    gradient = np.zeros_like(problem.parameters)
    for layer, values in zip(views(spec, gradient), gradients, strict=True):
        for block, value in zip(layer, values, strict=False):
            block[...] = value
    downhill = clipped_gradient(gradient, rule.max_grad_norm) if rule.clips else gradient

    rates = np.array([learning_rate])
    shares = rule.optimizer.shares(state, rates)
    average_share = None if shares is None else float(shares[0])
    if outcome is None:
        statistics = [] if idle else new_statistics(spec, theta, passes)
        outcome = _updated(problem, rule, state, downhill, rates, average_share, statistics)
    new_theta = views(spec, outcome.parameters)
    new_passes = forward_pass(spec, new_theta, X, training)
    return Step(
        problem=problem,
        rule=rule,
        before=state,
        after=outcome.state,
        learning_rate=learning_rate,
        share=average_share,
        penalty_share=share,
        theta=theta,
        X=X,
        Y=Y,
        passes=passes,
        costs=C,
        J=float(mean_cost(C, examples.weights)),
        penalty=float(penalty(spec, theta, problem.penalties, share)),
        grad_A=grad_A,
        deltas=deltas,
        gradients=gradients,
        gradient=gradient,
        downhill=downhill,
        new_theta=outcome.parameters,
        new_J=float(mean_cost(example_costs(spec, new_passes[-1], Y), examples.weights)),
        new_penalty=float(penalty(spec, new_theta, problem.penalties, share)),
    )


def precise_change(step: Step) -> Floats:
    """Return what the optimizer's equation adds to the parameters, as a flat vector.

    The difference of new and old parameters has few correct digits, since these are nearly equal.
    So the equation is evaluated with more digits than the network's type has, and its result is
    rounded once.
    """
    optimizer, old = step.rule.optimizer, step.problem.parameters
    spec = step.problem.spec
    wide = _wider(spec)
    slots = step.before.slots[: len(optimizer.equations.vectors)].astype(wide)
    theta = old.astype(wide)
    new, _ = optimizer.update(
        theta,
        step.downhill.astype(wide),
        optimizer.equations.state(slots, step.before.t),
        step.learning_rate * learning_rate_factors(spec),
        group_indicator(spec, "weights").astype(wide),
        1.0 if step.share is None else step.share,
        hidden_matrices(spec),
    )
    return np.asarray((new - theta).astype(old.dtype))


def precise_directions(step: Step) -> Floats:
    """Return O of O11 as a flat vector, 0 outside the hidden matrices, as `precise_change` does."""
    spec, settings = step.problem.spec, step.rule.optimizer.hyperparameters
    wide, beta = _wider(spec), settings["beta"]
    gradient = step.downhill.astype(wide)
    V = beta * step.before.slots[0].astype(wide) + (1 - beta) * gradient
    found = muon_directions(gradient, V, hidden_matrices(spec), beta, settings["epsilon"])
    return np.asarray(found.astype(spec.dtype))


def _wider(spec: NetworkSpec) -> Any:
    return np.float64 if spec.dtype == "float32" else np.longdouble


def _updated(
    problem: Problem,
    rule: UpdateRule,
    state: OptimizerState,
    downhill: Floats,
    rates: NDArray[np.float64],
    share: float | None,
    statistics: list[tuple[slice, Any]],
) -> Outcome:
    """Return the parameters and the state after the optimizer's equation."""
    spec, optimizer, parameters = problem.spec, rule.optimizer, problem.parameters
    new_theta, new_state = optimizer.update(
        parameters,
        downhill,
        optimizer.equation_state(state),
        float(rates[0]) * learning_rate_factors(spec),
        group_indicator(spec, "weights"),
        1.0 if share is None else share,
        hidden_matrices(spec),
    )
    for placed in placed_blocks(spec):
        if not placed.block.has_gradient:
            new_theta[placed.slice] = parameters[placed.slice]
    for place, value in statistics:
        new_theta[place] = value.ravel()
    vectors = optimizer.equations.vectors_of(new_state)
    if optimizer.ema_decay:
        vectors.append(average_update(optimizer.average(state), new_theta, share or 0.0))
    slots = np.array(vectors, parameters.dtype).reshape(len(vectors), parameters.size)
    after = OptimizerState(slots, state.t, weight=state.weight, noise_key=state.noise_key)
    optimizer.count(after, rates)
    if optimizer.evaluated_at_average:
        after.theta = new_theta
    return Outcome(new_theta, after)
