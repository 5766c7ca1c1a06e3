"""The rules of early stopping that the settings describe."""

import math

import pytest

import chainrule as cr
from chainrule.settings.rules import GRACE, stopping_rule
from chainrule.training.stopping import validation_loss

DEFAULT = {
    "learning_rate": "auto",
    "n_iter_no_change": "auto",
    "tol": 1e-4,
    "solver": "adamw",
}


def rule(epochs=64, **given):
    return stopping_rule(DEFAULT | given, validation_loss, True, epochs=epochs)


def test_a_training_with_the_default_schedule_ends_when_its_validation_loss_is_much_worse():
    assert rule().grace == rule(learning_rate="cosine").grace == GRACE * 64 == 12
    assert rule(n_iter_no_change=None).grace == 12  # a run's name for "auto"
    assert rule().patience == math.inf


@pytest.mark.parametrize(
    "given",
    [
        {"epochs": None},  # the measure is no validation loss
        {"n_iter_no_change": 30},
        {"learning_rate": "constant"},
        {"learning_rate": "coslog4"},  # falls and rises again
        {"learning_rate": cr.CosineDecay(0.1)},
    ],
    ids=str,
)
def test_other_trainings_do_not(given):
    assert rule(**given).grace == math.inf
