"""One run of a solver: the package's training loop, or L-BFGS, for an estimator."""

import time
import warnings
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from chainrule.engines import engine_for
from chainrule.engines.base import Examples, Objective
from chainrule.engines.memory import writable
from chainrule.errors import InvalidArgumentError, NothingLearnedError, TrainingDivergedError
from chainrule.estimators.checkpoints import attach
from chainrule.estimators.orders import ShuffledOrders
from chainrule.estimators.rates import learning_rate_of
from chainrule.estimators.scoring import epoch_score, is_loss
from chainrule.estimators.solvers import minimize, optimizer_of
from chainrule.estimators.stopping import Monitor, begin_curves
from chainrule.estimators.validation import HeldOut
from chainrule.training.checkpointing import Checkpointer
from chainrule.training.checkups import Checkups
from chainrule.training.consumers import Progress
from chainrule.training.events import Callback, EpochEnded, Event, Stopped, TrainingStarted
from chainrule.training.loop import Training

if TYPE_CHECKING:
    from chainrule.estimators.callbacks import FitTasks


def run(
    estimator: Any,
    examples: Examples,
    validation: HeldOut | None,
    early: bool,
    epochs: int,
    fresh: bool,
    incremental: bool,
    tasks: "FitTasks | None" = None,
    checkpointer: Checkpointer | None = None,
) -> bool:
    """Train by epochs; True if the training ended by itself.

    Parameters
    ----------
    estimator : BaseMLP
        Its network is trained; its curves, counters and best weights are kept up to date.
    examples : Examples
    validation : HeldOut, optional
    early : bool
        Whether validation decides when to stop, and which weights are kept.
    epochs : int
        At most so many.
    fresh : bool
        Whether the curves begin anew.
    incremental : bool
        Whether the optimizer goes on from the state it has.
    tasks : FitTasks, optional
        Tells scikit-learn's callbacks.
    checkpointer : Checkpointer, optional
        Writes checkpoints; the training goes on from where its own was.
    """
    network = estimator.network_
    parameters = network._own_parameters()
    estimator._best_parameters = writable(estimator._best_parameters)
    callbacks = _callbacks(estimator)
    n_examples = len(examples.X)
    batch_size = _batch_size(estimator, n_examples)
    # By parts, each call sees one epoch of a training that `max_iter` tells the length of.
    planned = estimator.max_iter if incremental else epochs
    rate = learning_rate_of(estimator, planned, -(-n_examples // batch_size))
    optimizer, state = optimizer_of(estimator, rate), None
    if incremental and getattr(estimator, "_optimizer_state", None) is not None:
        state = estimator._optimizer_state
        if state.slots.shape == (optimizer.slots, parameters.size):
            optimizer = replace(optimizer, learning_rate=estimator._learning_rate)
        else:
            state = None
    if state is None:
        state = optimizer.new_state(parameters)
    orders = ShuffledOrders(n_examples, estimator.shuffle, estimator._random_state)
    training = Training(
        spec=network.spec,
        parameters=parameters,
        examples=examples,
        optimizer=optimizer,
        engine=engine_for(network.spec, estimator.engine, estimator.threads, estimator.precision),
        epochs=epochs,
        batch_size=batch_size,
        seed=network.seed,
        objective=estimator._objective(examples),
        validation=None if validation is None else validation.examples,
        metrics=estimator._metrics(),
        training_metrics=estimator._measures_training,
        epochs_before=network.epochs_trained,
        watched=bool(callbacks) or tasks is not None,
        orders=orders,
        mark=orders.mark,
        state=state,
    )
    begin_curves(estimator, early, fresh)
    score = (
        epoch_score(estimator, training, validation) if early and validation is not None else None
    )
    monitor = Monitor(estimator, training, score, from_loss=is_loss(estimator.early_stopping))
    training.lookahead = monitor.lookahead
    progress = Progress() if estimator.verbose and not estimator._prints_iterations else None
    checkups = None
    if estimator._diagnoses:
        steps = -(-n_examples // batch_size)
        checkups = Checkups(network.spec, parameters, examples, steps)
        estimator.diagnostics_ = checkups.found
    estimator.n_iter_ = 0
    if epochs == 0:
        estimator.loss_ = training.engine.loss(
            network.spec, parameters, examples, training.objective
        )
    if checkpointer is not None:
        attach(checkpointer, training, estimator, monitor, orders)
    try:
        others: list[Callback] = [*callbacks, *([progress] if progress else [])]
        stopped = _tell(training, monitor, others, tasks, checkups)
        if checkpointer is not None:
            checkpointer.finish(stopped)
    except KeyboardInterrupt:
        # With checkpoints it is to go on later, and not to be used as it is.
        if checkpointer is not None or not estimator._ends_when_interrupted:
            raise
        warnings.warn("Training interrupted by user.", stacklevel=4)
    except TrainingDivergedError as error:
        if checkups is not None:
            checkups.diverged()
        state = None  # it may hold what is not finite
        if estimator.n_iter_ == 0:
            raise NothingLearnedError(
                "Solver produced non-finite parameter weights. The input data may contain large "
                f"values and need to be preprocessed: {error}"
            ) from error
        from sklearn.exceptions import ConvergenceWarning

        warnings.warn(
            f"training ended after {estimator.n_iter_} epochs: {error}",
            ConvergenceWarning,
            stacklevel=4,
        )
        monitor.converged = True
    finally:
        if progress is not None:
            progress.close()
        estimator._optimizer_state = state
        estimator._learning_rate = training.optimizer.learning_rate
        network.epochs_trained += estimator.n_iter_
        if early and epochs > 0:
            parameters[...] = estimator._best_parameters
    return monitor.converged


def run_lbfgs(
    estimator: Any,
    examples: Examples,
    validation: HeldOut | None,
    epochs: int,
    tasks: "FitTasks | None" = None,
) -> None:
    """Minimise by L-BFGS, with at most `epochs` iterations."""
    network = estimator.network_
    own = network._own_parameters()
    if estimator._diagnoses:
        estimator.diagnostics_ = []
    engine, objective = (
        engine_for(network.spec, estimator.engine, estimator.threads),
        estimator._objective(examples),
    )
    progress = Progress() if estimator.verbose else None
    consumers: list[Callback] = [*_callbacks(estimator), *([progress] if progress else [])]
    if epochs == 0:
        estimator.n_iter_ = 0
        estimator.loss_ = engine.loss(network.spec, network.parameters, examples, objective)
        return
    started = time.perf_counter()

    last = 0

    def tell(event: Event) -> bool:
        answers = [consume(event) for consume in consumers]  # all of them are told
        return any(map(_is_yes, answers))

    def watch(iteration: int, value: float, parameters: NDArray[np.float64]) -> bool:
        nonlocal last
        last = iteration
        own[...] = parameters
        seconds = (time.perf_counter() - started) / iteration
        asked = tell(EpochEnded(iteration, value, 0.0, 1.0, float("nan"), seconds, objective=value))
        if tasks is not None:
            asked = tasks.end(best=False) or asked
            if not asked and iteration < epochs:
                tasks.begin()
        return asked

    tell(TrainingStarted(epochs, 1, len(examples.X), network.parameters.size, engine.name))
    if tasks is not None:
        tasks.begin()
    try:
        found = minimize(
            network.spec,
            network.parameters,
            examples,
            objective,
            engine,
            max_iter=epochs,
            max_fun=estimator.max_fun,
            tol=float(estimator.tol),
            printed=bool(estimator.verbose) and estimator._prints_iterations,
            watch=watch if consumers or tasks is not None else None,
        )
        tell(Stopped(last, "callback" if found.stopped else "finished"))
    finally:
        if progress is not None:
            progress.close()
    if not np.isfinite(found.value) or not np.isfinite(found.parameters).all():
        raise NothingLearnedError(
            "Solver produced non-finite parameter weights. The input data may contain large "
            "values and need to be preprocessed: bring them to mean 0 and standard deviation 1"
        )
    own[...] = found.parameters
    estimator.n_iter_ = found.iterations
    network.epochs_trained += found.iterations
    estimator.loss_ = found.value
    if network.spec.cost == "mse" and network.spec.n_outputs > 1:
        # scikit-learn reports the mean over outputs of a squared error whose sum it minimises.
        J = engine.loss(network.spec, network.parameters, examples, Objective())
        estimator.loss_ = J / network.spec.n_outputs + (found.value - J)
    estimator.validation_loss_curve_ = None
    if validation is not None:
        J = engine.loss(network.spec, network.parameters, validation.examples, Objective())
        estimator.validation_loss_curve_ = [
            J / estimator.n_outputs_ if network.spec.cost == "mse" else J
        ]


def _tell(
    training: Training,
    monitor: Monitor,
    others: list[Callback],
    tasks: "FitTasks | None",
    checkups: Checkups | None,
) -> Stopped:
    """Hand every event to the monitor, then to the others; end where one of them says so."""
    epochs = training.start.epochs
    left = epochs < training.epochs and not training.start.stopped
    with closing(training.events()) as events:
        for event in events:
            if tasks is not None and isinstance(event, TrainingStarted) and left:
                tasks.begin()
            converged = monitor(event)
            asked = False
            for consume in others:
                answer = consume(event)
                asked = asked or _is_yes(answer)
            if isinstance(event, Stopped):
                return event
            if isinstance(event, EpochEnded):
                epochs += 1
                if checkups is not None:
                    if epochs >= checkups.next_look:
                        checkups.epoch_ended(epochs, event)
                    if converged or asked or epochs == training.epochs:
                        checkups.ended(epochs, event)
                if tasks is not None:
                    asked = tasks.end(best=monitor.score is not None) or asked
                if converged or asked:
                    stopped = Stopped(epochs, "converged" if converged else "callback")
                    monitor.converged = True
                    for consume in others:
                        consume(stopped)
                    return stopped
                if tasks is not None and epochs < training.epochs:
                    tasks.begin()
    raise AssertionError("a training says when it ends")


def _is_yes(answer: object) -> bool:
    return isinstance(answer, bool | np.bool_) and bool(answer)


def _callbacks(estimator: Any) -> list[Callback]:
    given = () if estimator.callbacks is None else estimator.callbacks
    if not isinstance(given, list | tuple) or not all(callable(each) for each in given):
        raise InvalidArgumentError(
            f"callbacks: expected a list of functions of an event; got {given!r}"
        )
    return list(given)


def _batch_size(estimator: Any, n_examples: int) -> int:
    if isinstance(estimator.batch_size, str):
        return int(estimator._auto_batch_size(n_examples))
    if estimator.batch_size > n_examples:
        warnings.warn(
            "Got `batch_size` less than 1 or larger than sample size. It is going to be clipped",
            stacklevel=5,
        )
    return int(min(estimator.batch_size, n_examples))
