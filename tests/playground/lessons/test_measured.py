"""Numbers measured on a lesson's training."""

import numpy as np
import pytest

from chainrule.errors import InvalidArgumentError
from chainrule.playground.data.tables import OwnTables
from chainrule.playground.lessons.measured import Measured, changed
from chainrule.playground.lessons.rehearsal import Rehearsal
from chainrule.playground.session.state import wanted

STATE = {
    "data": {"kind": "toy", "name": "xor", "noise": 0, "rows": 60, "seed": 0},
    "inputs": ["x1", "x2"],
    "settings": {"layers": [3], "activation": "relu", "epochs": 4, "patience": 100},
}


def train(state):
    return Rehearsal.of(state, wanted(state, OwnTables()).prepared())


@pytest.fixture(scope="module")
def measured():
    return Measured(STATE, train)


def test_losses_are_those_of_the_history(measured):
    epochs = wanted(STATE, OwnTables()).prepared().train().history.epochs
    held_out = [one.validation_loss for one in epochs]
    assert measured({"of": "loss", "epoch": 2}) == epochs[1].loss
    assert measured({"of": "test_loss"}) == held_out[-1]
    assert measured({"of": "lowest", "what": "test_loss"}) == min(held_out)
    assert held_out[int(measured({"of": "epoch_of_lowest", "what": "test_loss"})) - 1] == min(
        held_out
    )
    below = epochs[1].loss + 1e-9
    assert measured({"of": "first_epoch", "what": "loss", "below": below}) <= 2
    assert measured({"of": "first_epoch", "what": "loss", "below": 0}) == np.inf


def test_an_entry_of_an_array_is_that_of_the_parameters(measured):
    snapshot = measured.rehearsal().at(step=3)
    entry = {"of": "entry", "array": "W[1]", "row": 2, "column": 1, "step": 3}
    assert measured(entry) == pytest.approx(snapshot.parameters[2])


def test_a_ratio_and_a_difference_are_of_two_numbers(measured):
    two = {"top": {"of": "loss", "epoch": 1}, "bottom": {"of": "loss", "epoch": 3}}
    top, bottom = measured(two["top"]), measured(two["bottom"])
    assert measured({"of": "ratio", **two}) == top / bottom
    assert measured({"of": "difference", **two}) == top - bottom
    assert measured({"of": "loss", "epoch": 1, "times": 100}) == 100 * top


def test_a_variant_is_trained_once(measured):
    asked = []

    def counted(state):
        asked.append(state["settings"]["layers"])
        return train(state)

    own = Measured(STATE, counted)
    variant = {"of": "loss", "with": {"settings": {"layers": [2]}}}
    assert own(variant) == own({**variant, "epoch": 4}) != own({"of": "loss"})
    assert asked == [[2], [3]]


def test_units_that_are_0_for_every_row_are_dead(measured):
    # All biases far below 0: no sum is positive.
    rehearsal = measured.rehearsal()
    snapshot = rehearsal.at(epoch=4)
    snapshot.parameters[6:9] = [-1e6, 1e6, -1e6]
    assert measured({"of": "dead", "layer": 1, "epoch": 4}) == 2


@pytest.mark.parametrize(
    ("value", "shown", "shows"),
    [
        (268.4, "270", True),
        (268.4, "300", True),
        (268.4, "268", True),
        (268.4, "260", False),
        (0.698, "0.70", True),
        (0.704, "0.70", True),
        (0.7048, "0.70", True),
        (0.70495, "0.70", False),  # another machine might round it up
        (0.71, "0.70", False),
        (-0.0176, "-0.018", True),
        (-0.0176, "−0.018", True),
        (0.0, "0", True),
        (1.0, "0", False),
        (16.0, "16", True),
    ],
)
def test_a_text_shows_a_number_if_it_is_rounded_to_its_digits(value, shown, shows):
    own = Measured({}, train)
    own.__class__ = type("Fixed", (Measured,), {"__call__": lambda self, entry: value})
    assert own.shows({}, shown) is shows


def test_changes_reach_into_the_parts_of_a_state():
    state = changed(STATE, {"settings": {"layers": []}, "inputs": ["x1"]})
    assert state["settings"] == {**STATE["settings"], "layers": []}
    assert state["inputs"] == ["x1"]
    assert STATE["settings"]["layers"] == [3]


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ({"of": "beauty"}, "of: expected loss, test_loss"),
        ({"of": "entry", "array": "Q[1]", "step": 0}, "array: expected one of A\\[0\\]"),
    ],
)
def test_what_cannot_be_measured_is_refused(measured, entry, reason):
    with pytest.raises(InvalidArgumentError, match=reason):
        measured(entry)
