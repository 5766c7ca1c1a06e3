"""The training plan that an estimator's parameters describe."""

import warnings
from collections.abc import Callable
from dataclasses import replace

from chainrule.engines import engine_for
from chainrule.engines.base import Problem
from chainrule.engines.optimizer import OptimizerState
from chainrule.engines.schedule import LearningRate
from chainrule.errors import InvalidArgumentError, levels_inside
from chainrule.estimators.contract import Estimator
from chainrule.estimators.curves import Curves
from chainrule.estimators.fit_request import FitRequest
from chainrule.estimators.scoring import epoch_measure, is_loss
from chainrule.settings.optimizers import optimizer_of
from chainrule.settings.rates import AUTO, learning_rate_of
from chainrule.settings.rules import inverse_scaling, stopping_rule
from chainrule.training.events import Callback, EpochEnded
from chainrule.training.orders import ShuffledOrders
from chainrule.training.plan import LBFGS, Plan, steps_per_epoch


def _problem(estimator: Estimator, request: FitRequest) -> Problem:
    """Return the minimisation problem of an estimator."""
    network = estimator.network_
    penalties = estimator._penalties(request.weight)
    return Problem(network.spec, network.parameters, request.examples, penalties)


def lbfgs_plan(estimator: Estimator, request: FitRequest) -> Plan:
    """Return the plan of an L-BFGS training."""
    network, examples = estimator.network_, request.examples
    return Plan(
        _problem(estimator, request),
        optimizer=LBFGS(
            estimator.max_fun,
            float(estimator.tol),
            prints=bool(estimator.verbose) and estimator._prints_iterations,
        ),
        engine=engine_for(network.spec, estimator.engine, estimator.threads),
        epochs=request.epochs,
        batch_size=len(examples.X),
        seed=network.seed,
        epochs_before=network.epochs_trained,
    )


def plan_of(estimator: Estimator, request: FitRequest, curves: Curves, watched: bool) -> Plan:
    """Return the plan of a training by mini-batch steps.

    Parameters
    ----------
    estimator : BaseMLP
        The estimator whose network is trained.
    request : FitRequest
    curves : Curves
        Computes the loss of an epoch as scikit-learn defines it.
    watched : bool
        Whether a callback may read the parameters after each epoch.
    """
    given, network = vars(estimator), estimator.network_
    engine = engine_for(network.spec, estimator.engine, estimator.threads, estimator.precision)
    validation, epochs = request.validation, request.epochs
    n_examples = request.n_examples
    batch_size = _batch_size(estimator, n_examples)
    # Each `partial_fit` call trains one epoch of a training whose length is `max_iter`.
    length = estimator._longest(n_examples) if request.incremental else epochs
    constant_rate = request.incremental and estimator.learning_rate == AUTO
    rate: LearningRate = float(estimator.learning_rate_init)  # nobody knows when it will end
    if not constant_rate:
        rate = learning_rate_of(given, length, steps_per_epoch(n_examples, batch_size))
    optimizer = optimizer_of(given, rate)
    memory: OptimizerState | None = given.get("_optimizer_state") if request.incremental else None
    if memory is not None:
        if memory.slots.shape == (optimizer.slots, network.parameters.size):
            if not constant_rate:
                optimizer = replace(optimizer, learning_rate=estimator._learning_rate)
        else:
            memory = None
    measure: Callable[[EpochEnded], float] = curves.loss
    ends_worse = False
    if request.early and validation is not None:
        measure = epoch_measure(estimator, engine, validation)
        ends_worse = is_loss(estimator.early_stopping) and not request.incremental
    constant = estimator._adam_is_constant
    return Plan(
        _problem(estimator, request),
        optimizer=optimizer,
        engine=engine,
        epochs=epochs,
        batch_size=batch_size,
        seed=network.seed,
        max_grad_norm=estimator._longest_gradient(),
        orders=None
        if request.stream
        else ShuffledOrders(n_examples, estimator.shuffle, estimator._random_state),
        shuffle=bool(estimator.shuffle),
        stream=request.stream,
        validation=None
        if validation is None
        else estimator._softened(validation.examples, request.weight),
        metrics=estimator._metrics(),
        training_metrics=estimator._measures_training,
        stopping=stopping_rule(
            given, measure, request.early, constant, epochs if ends_worse else None
        ),
        next_rate=inverse_scaling(given, lambda epochs: estimator.t_, constant),
        epochs_before=network.epochs_trained,
        optimizer_state=memory,
        watched=watched,
        diagnosed=estimator._diagnoses,
    )


def callbacks_of(estimator: Estimator) -> list[Callback]:
    """Return the callbacks set by the parameter `callbacks`, functions of an event.

    Raises
    ------
    InvalidArgumentError
        If `callbacks` is not a list of functions.
    """
    given = () if estimator.callbacks is None else estimator.callbacks
    if not isinstance(given, list | tuple) or not all(callable(each) for each in given):
        raise InvalidArgumentError(
            f"callbacks: expected a list of functions of an event; got {given!r}"
        )
    return list(given)


def _batch_size(estimator: Estimator, n_examples: int) -> int:
    if isinstance(estimator.batch_size, str):
        return int(estimator._auto_batch_size(n_examples))
    if estimator.batch_size > n_examples:
        warnings.warn(
            "Got `batch_size` less than 1 or larger than sample size. It is going to be clipped",
            stacklevel=levels_inside(),
        )
    return int(min(estimator.batch_size, n_examples))
