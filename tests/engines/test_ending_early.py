"""Steps that end where a rule of early stopping on the training loss ends them."""

import numpy as np
import pytest

from chainrule.engines import engine_named
from chainrule.engines.base import Batches, LossRule, Penalties, Problem, StepRecords, UpdateRule
from chainrule.engines.optimizers import SGD, Adam
from tests.strategies_networks import problem_of
from tests.training.trainings import SPEC

EPOCHS, ROWS, BATCH, STEPS = 40, 10, 4, 3


def taken(rule=None, optimizer=None, engine="native", threads=None):
    """Return the records of the steps taken, their number by the optimizer's state, and θ."""
    optimizer = optimizer or Adam(0.05)
    problem = problem_of(SPEC, ROWS, seed=3)
    problem = Problem(SPEC, problem.parameters, problem.examples, Penalties(0.01, 0.1))
    state = optimizer.new_state(problem.parameters)
    order = np.tile(np.arange(ROWS, dtype=np.int32), (EPOCHS, 1))
    rates = optimizer.learning_rates(1, EPOCHS * STEPS)
    records = StepRecords(*(np.full(EPOCHS * STEPS, np.nan) for _ in range(3)))
    batches = Batches(order, BATCH, rates, rule=rule)
    with np.errstate(all="ignore"):
        engine_named(engine, threads).train(problem, UpdateRule(optimizer), state, batches, records)
    return records, state.t, problem.parameters


def losses_of(records, outputs=1):
    sizes = np.array([4, 4, 2])
    each = (records.cost / outputs + records.penalty).reshape(EPOCHS, STEPS)
    return (each * sizes).sum(axis=1) / ROWS


def end_of(losses, rule):
    """Return the epochs after which the rule ends a training: the rule in its own words."""
    best, stale = rule.best, rule.stale
    for epoch, loss in enumerate(losses, start=1):
        stale = stale + 1 if loss > best - rule.tolerance else 0
        best = min(best, loss)
        if stale > rule.patience:
            return epoch
    return len(losses)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("outputs", [1, 3])
@pytest.mark.parametrize(("tolerance", "patience"), [(0.02, 3), (0.05, 1), (1e9, 0), (0.0, 30)])
def test_steps_end_with_the_epoch_that_exceeds_the_patience(tolerance, patience, outputs, threads):
    whole, t, _ = taken()
    assert t == EPOCHS * STEPS
    losses = losses_of(whole, outputs)
    rule = LossRule(np.inf, tolerance, patience, 0, outputs)
    records, t, parameters = taken(rule, threads=threads)
    assert t == STEPS * end_of(losses, rule)
    for array, all_of_it in zip(records, whole, strict=True):
        np.testing.assert_array_equal(array[:t], all_of_it[:t])
    assert np.isfinite(parameters).all()


def test_a_rule_goes_on_from_its_counters():
    losses = losses_of(taken()[0])
    for stale, best in ((2, np.inf), (2, losses.min() - 1), (0, losses[5])):
        rule = LossRule(best, 1e-3, 3, stale, 1)
        assert taken(rule)[1] == STEPS * end_of(losses, rule)


def test_steps_end_with_the_epoch_whose_loss_is_not_finite():
    rule = LossRule(np.inf, 0.0, 1e9, 0, 1)
    records, t, _ = taken(rule, SGD(1e30))
    assert t % STEPS == 0
    assert t < EPOCHS * STEPS
    objectives = records.cost + records.penalty
    assert not np.isfinite(objectives[:t]).all()
    assert np.isfinite(objectives[: t - STEPS]).all()


def test_the_reference_takes_all_steps():
    rule = LossRule(np.inf, 1e9, 0, 0, 1)
    assert taken(rule, engine="reference")[1] == EPOCHS * STEPS
