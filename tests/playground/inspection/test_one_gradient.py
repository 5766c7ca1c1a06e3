"""The gradient check of one parameter in the page."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import chainrule as cr
from chainrule.engines.reference import ReferenceEngine
from chainrule.errors import InvalidArgumentError
from chainrule.network.parameters import views
from chainrule.network.spec import NetworkSpec
from tests.playground.inspection.moments import ask, by_hand, training
from tests.playground.inspection.typeset import consistent

WEIGHT = {"name": "W", "layer": 1, "row": 2, "column": 1}


def test_both_numbers_are_those_of_automatic_differentiation():
    snapshot, _ = training(l2=0.01)
    blocks = views(snapshot.spec, snapshot.parameters)
    theta = [[jnp.asarray(block) for block in layer] for layer in blocks]
    batch = snapshot.examples.take(snapshot.rows)

    def loss(theta):
        (W1, b1), (W2, b2) = theta
        Z = W2 @ jnp.tanh(W1 @ batch.X.T + b1) + b2
        C = -(batch.Y.T * jax.nn.log_softmax(Z, axis=0)).sum(axis=0)
        return C.mean() + snapshot.penalties.l2 / 2 * ((W1**2).sum() + (W2**2).sum())

    with jax.enable_x64(True):
        gradient = float(jax.grad(loss)(theta)[0][0][2, 1])
    found = ask("gradient_check", snapshot, WEIGHT)
    assert found["backpropagation"] == pytest.approx(gradient, rel=1e-10)
    assert found["difference"] == pytest.approx(gradient, abs=found["bound"])
    assert found["agree"] is True
    assert found["relative"] < 1e-6


def test_the_difference_can_be_computed_again_from_the_line():
    found = ask("gradient_check", training()[0], WEIGHT)
    slope = (found["loss_plus"] - found["loss_minus"]) / (2 * found["h"])
    assert found["difference"] == slope
    left, _, right = found["numbers"].partition(" = ")
    assert consistent(f"d = {left} = {right}", digits=4)


def test_a_bias_of_one_example_worked_by_hand():
    # δ = σ(−0.5) − 1 = −0.62246; with one example it is the gradient of the bias.
    found = ask("gradient_check", by_hand(), {"name": "b", "layer": 1, "row": 0, "example": 0}, 1)
    assert found["backpropagation"] == pytest.approx(-0.6224593312, abs=1e-9)
    assert found["agree"] is True


class Wrong(ReferenceEngine):
    """An engine whose gradient has the wrong sign."""

    def loss_and_gradient(self, problem, gradient):
        loss = super().loss_and_gradient(problem, gradient)
        gradient *= -1
        return loss


def test_a_wrong_gradient_does_not_agree():
    snapshot, _ = training()
    plan = replace(snapshot.plan, engine=Wrong())
    found = ask("gradient_check", replace(snapshot, plan=plan), WEIGHT)
    assert found["agree"] is False
    assert "one of the two is wrong" in found["text"]


def test_at_a_kink_the_difference_says_nothing():
    snapshot = by_hand()
    layers = (cr.Dense(1, "relu"), cr.Dense(1, "sigmoid"))
    spec = NetworkSpec(2, layers, "binary_cross_entropy", dtype="float64")
    plan = replace(snapshot.plan, problem=replace(snapshot.plan.problem, spec=spec))
    kinked = replace(snapshot, plan=plan, parameters=np.array([0.0, 0.0, 0.0, 1.0, 0.0]))
    found = ask("gradient_check", kinked, {"name": "b", "layer": 1, "row": 0}, 1)
    assert found["agree"] is None
    assert "kink" in found["text"]


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ({**WEIGHT, "name": "gamma"}, "name: expected 'W' or 'b'; got 'gamma'"),
        ({**WEIGHT, "row": 3}, r"row: expected 0 to 2, as W\[1\] is 3 × 2; got 3"),
        ({**WEIGHT, "row": "0"}, "row: expected a whole number; got '0'"),
        ({**WEIGHT, "layer": True}, "layer: expected a whole number; got True"),
    ],
)
def test_a_parameter_that_the_network_lacks_is_refused(message, reason):
    with pytest.raises(InvalidArgumentError, match=reason):
        ask("gradient_check", training()[0], message)
