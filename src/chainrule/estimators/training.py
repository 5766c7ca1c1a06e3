"""The training of an estimator: builds the plan, runs it, and stores the results."""

import warnings

from sklearn.exceptions import ConvergenceWarning

from chainrule.engines.base import Problem
from chainrule.engines.memory import writable
from chainrule.errors import NothingLearnedError, TrainingDivergedError, levels_inside
from chainrule.estimators.callbacks import FitTasks
from chainrule.estimators.checkpoints import attach
from chainrule.estimators.contract import Estimator
from chainrule.estimators.curves import Curves
from chainrule.estimators.fit_request import FitRequest
from chainrule.estimators.plan import callbacks_of, lbfgs_plan, plan_of
from chainrule.training.checkpointer import Checkpointer
from chainrule.training.events import Callback
from chainrule.training.progress import Progress
from chainrule.training.state import State
from chainrule.training.watching import watches_epochs


def train(
    estimator: Estimator,
    request: FitRequest,
    tasks: FitTasks | None = None,
    checkpointer: Checkpointer | None = None,
) -> bool:
    """Train by epochs; return True if training stopped before the last epoch.

    Parameters
    ----------
    estimator : BaseMLP
        The estimator whose network is trained; its curves, counters and best weights are updated.
    request : FitRequest
    tasks : FitTasks, optional
        Notifies scikit-learn's callbacks.
    checkpointer : Checkpointer, optional
        Writes checkpoints; training resumes from its checkpoint if there is one.
    """
    network, callbacks = estimator.network_, callbacks_of(estimator)
    network._own_parameters()
    estimator._best_parameters = writable(estimator._best_parameters)
    curves = Curves(estimator, request.early, request.fresh)
    watched = watches_epochs(callbacks) or tasks is not None
    plan = plan_of(estimator, request, curves, watched)
    state = State.of(plan, curves.stopping(plan))
    if plan.diagnosed:
        estimator.diagnostics_ = state.diagnostics
    estimator.n_iter_ = 0
    if request.epochs == 0:
        estimator.loss_ = plan.engine.loss(plan.problem)
    if checkpointer is not None:
        attach(checkpointer, plan, state, estimator, curves)
    progress = Progress() if estimator.verbose and not estimator._prints_iterations else None
    consumers: list[Callback] = [curves, *_present(*callbacks, progress, tasks)]
    ended_early = False
    try:
        begin = None if tasks is None else tasks.begin
        fitted = network._conduct(plan, consumers, state, checkpointer, begin)
        ended_early = fitted.ended_early
    except KeyboardInterrupt:
        # With checkpoints, the training is meant to be resumed, so the interrupt is not caught.
        if checkpointer is not None:
            raise
        warnings.warn("Training interrupted by user.", stacklevel=levels_inside())
    except TrainingDivergedError as error:
        state.memory = None  # it may contain non-finite values
        if estimator.n_iter_ == 0:
            raise NothingLearnedError.of(error) from error
        warnings.warn(
            f"training ended after {estimator.n_iter_} epochs: {error}",
            ConvergenceWarning,
            stacklevel=levels_inside(),
        )
        curves.diverged()
        ended_early = True
    finally:
        if progress is not None:
            progress.close()
        assert state.optimizer is not None
        estimator._optimizer_state = state.memory
        estimator._learning_rate = state.optimizer.learning_rate
    return ended_early


def minimise(estimator: Estimator, request: FitRequest, tasks: FitTasks | None = None) -> None:
    """Train the estimator's network by L-BFGS."""
    validation = request.validation
    network = estimator.network_
    network._own_parameters()
    if estimator._diagnoses:
        estimator.diagnostics_ = []
    plan = lbfgs_plan(estimator, request)
    engine = plan.engine
    progress = Progress() if estimator.verbose else None
    consumers = _present(*callbacks_of(estimator), progress, tasks)
    if request.epochs == 0:
        estimator.n_iter_ = 0
        estimator.loss_ = engine.loss(plan.problem)
        return
    try:
        begin = None if tasks is None else tasks.begin
        fitted = network._conduct(plan, consumers, State.of(plan), before_epoch=begin)
    finally:
        if progress is not None:
            progress.close()
    if fitted.shortfall:
        warnings.warn(fitted.shortfall, ConvergenceWarning, stacklevel=levels_inside())
    estimator.n_iter_ = fitted.stopped.epochs
    assert fitted.objective is not None
    estimator.loss_ = fitted.objective
    if network.spec.cost == "mse" and network.spec.n_outputs > 1:
        # scikit-learn minimises the sum of the squared error over outputs, but reports the mean.
        J = engine.loss(Problem(network.spec, network.parameters, request.examples))
        estimator.loss_ = J / network.spec.n_outputs + (fitted.objective - J)
    estimator.validation_loss_curve_ = None
    if validation is not None:
        J = engine.loss(Problem(network.spec, network.parameters, validation.examples))
        estimator.validation_loss_curve_ = [
            J / estimator.n_outputs_ if network.spec.cost == "mse" else J
        ]


def _present(*consumers: Callback | None) -> list[Callback]:
    return [consumer for consumer in consumers if consumer is not None]
