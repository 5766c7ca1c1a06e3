"""The equations view: its numbers are those of the run, and each line's result is its sum's."""

import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import chainrule as cr
from chainrule.engines.optimizers import OPTIMIZERS
from chainrule.errors import InvalidArgumentError
from chainrule.network.parameters import views
from chainrule.playground.inspection.numbers import array
from tests.playground.inspection.moments import FEATURES, ask, by_hand, training
from tests.playground.inspection.typeset import consistent, number, sides

RATES = {"lion": 0.01, "schedule_free_adamw": 0.01}
NETWORKS = [
    (("tanh", "softmax"), "cross_entropy", 3),
    (("relu", "sigmoid"), "binary_cross_entropy", 1),
    (("sigmoid", "identity"), "mse", 1),
    (("silu", "tanh"), "mse", 3),
    (("softplus", "softmax"), "mse", 3),
]


def digits(step):
    """Return how many digits a line's numbers have: more for parameters and their gradients."""
    return 7 if step["of"] and step["id"].startswith(("O", "WA", "G1")) else 4


def step_of(view, name, phase=None):
    found = [s for s in view["steps"] if s["name"] == name and phase in (None, s["phase"])]
    assert len(found) == 1, [s["name"] for s in view["steps"]]
    return found[0]


def new_parameter(view):
    """Return the step that shows the parameter after the update."""
    return next(s for s in view["steps"] if s["name"].startswith(r"\text{new }"))


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("more", [{}, {"max_grad_norm": 0.1}])
def test_every_line_of_an_update_adds_up_to_its_result(name, more):
    optimizer = OPTIMIZERS[name](learning_rate=RATES.get(name, 0.1))
    snapshot, _ = training(optimizer=optimizer, l2=0.01, **more)
    view = ask("inspect", snapshot)
    lines = [(s["numbers"], digits(s)) for s in view["steps"]]
    assert all(consistent(*line) for line in lines), lines
    updated = [s for s in view["steps"] if s["phase"] == "update"]
    assert updated
    assert all(sides(s["numbers"])[0] for s in updated if s["of"])


@pytest.mark.parametrize(("layers", "cost", "outputs"), NETWORKS)
@pytest.mark.parametrize("message", [{}, {"example": 2}])
def test_every_line_of_a_step_adds_up_to_its_result(layers, cost, outputs, message):
    snapshot, _ = training(layers=layers, cost=cost, outputs=outputs, l1=0.001)
    for step in ask("inspect", snapshot, message, outputs)["steps"]:
        assert consistent(step["numbers"], digits(step)), step["numbers"]


def test_every_line_of_a_step_of_groups_adds_up_to_its_result():
    extra = (cr.GroupedDense(6, 3, "tanh"), cr.GroupedDense(4, 2, "silu"))
    snapshot, catcher = training(extra=extra, l1=0.001, l2=0.01)
    subject = {"kind": "weight", "layer": 3, "row": 2, "column": 4}
    for message in ({}, {"example": 2}, {"subject": subject}):
        for step in ask("inspect", snapshot, message)["steps"]:
            assert consistent(step["numbers"], digits(step)), step["numbers"]
    last = new_parameter(ask("inspect", snapshot, {"subject": subject}))
    # The second of the three weights of its unit, which sees units 3 to 5.
    value = views(snapshot.spec, catcher.after[snapshot.step + 1])[2][0][2, 1]
    assert number(last["numbers"].rpartition("= ")[2]) == pytest.approx(value, abs=1e-6)
    with pytest.raises(InvalidArgumentError, match=r"^column: expected 3 to 5, as W\[3\] is 4 × 3"):
        ask("inspect", snapshot, {"subject": subject | {"column": 0}})


def test_every_line_of_a_step_of_shared_weights_adds_up_to_its_result():
    extra = (cr.BatchEnsemble(6, 3, "tanh", shared_input=True), cr.BatchEnsemble(4, 2, "silu"))
    snapshot, catcher = training(extra=extra, l1=0.001, l2=0.01)
    subject = {"kind": "weight", "layer": 3, "row": 2, "column": 4}
    for message in ({}, {"example": 2}, {"subject": subject}):
        for step in ask("inspect", snapshot, message)["steps"]:
            assert consistent(step["numbers"], digits(step)), step["numbers"]
    last = new_parameter(ask("inspect", snapshot, {"subject": subject}))
    # The first unit of the second member, and the second of the units 3 to 5 that it sees.
    value = views(snapshot.spec, catcher.after[snapshot.step + 1])[2][0][0, 1]
    assert number(last["numbers"].rpartition("= ")[2]) == pytest.approx(value, abs=1e-6)
    with pytest.raises(InvalidArgumentError, match=r"^column: expected 3 to 5, as W\[3\] is 2 × 3"):
        ask("inspect", snapshot, {"subject": subject | {"column": 0}})


def test_an_average_that_is_evaluated_is_shown_too():
    snapshot, _ = training(optimizer=cr.Adam(learning_rate=0.1, ema_decay=0.9))
    lines = [s for s in ask("inspect", snapshot)["steps"] if s["id"] == "WA1"]
    assert len(lines) == 4
    assert all(sides(s["numbers"])[0] and consistent(s["numbers"], 7) for s in lines)


def test_a_changed_digit_in_a_line_is_noticed():
    assert consistent(r"z = 0.5 \cdot 1.2 + 0.1 = 0.7")
    assert not consistent(r"z = 0.5 \cdot 1.2 + 0.1 = 0.71")
    assert not consistent(r"z = \tfrac{1}{2} \left(0.5 \cdot 1.2 + 0.1\right) = 0.36")


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_new_parameters_are_those_of_the_runs_next_step(name, dtype):
    optimizer = OPTIMIZERS[name](learning_rate=RATES.get(name, 0.1))
    snapshot, catcher = training(optimizer=optimizer, dtype=dtype, max_grad_norm=0.5)
    after = views(snapshot.spec, catcher.after[snapshot.step + 1])
    for layer, row, column in ((1, 0, 1), (2, 2, 0)):
        for kind, index in (("weight", 0), ("bias", 1)):
            column = column if kind == "weight" else 0
            subject = {"kind": kind, "layer": layer, "row": row, "column": column}
            last = new_parameter(ask("inspect", snapshot, {"subject": subject}))
            value = float(after[layer - 1][index][row, column])
            shown = last["numbers"].rpartition("= ")[2]
            # Seven digits are shown; the engines may round the last bits differently.
            rounding = 0.5e-6 * abs(value) + 8 * float(np.finfo(dtype).eps) * max(1, abs(value))
            assert number(shown) == pytest.approx(value, abs=rounding)


def test_the_errors_and_gradients_are_those_of_automatic_differentiation():
    snapshot, _ = training()
    blocks = views(snapshot.spec, snapshot.parameters)
    theta = [[jnp.asarray(block) for block in layer] for layer in blocks]
    x, y = snapshot.examples.X[4], snapshot.examples.Y[4]

    def sums(theta, x, nudge=0.0):
        (W1, b1), (W2, b2) = theta
        z1 = W1 @ x + b1[:, 0] + nudge
        return z1, W2 @ jnp.tanh(z1) + b2[:, 0]

    def cost(theta, nudge=0.0):
        return -(y * jax.nn.log_softmax(sums(theta, x, nudge)[1])).sum()

    delta = jax.grad(lambda nudge: cost(theta, nudge))(jnp.zeros(3))
    gradients = jax.grad(cost)(theta)
    subject = {"kind": "unit", "layer": 1, "unit": 1}
    unit = ask("inspect", snapshot, {"example": 4, "subject": subject})
    z = float(sums(theta, x)[0][1])
    assert step_of(unit, "Z^{[1]}")["result"] == pytest.approx(z, rel=1e-6)
    assert step_of(unit, r"\delta ^{[1]}")["result"] == pytest.approx(float(delta[1]), rel=1e-5)
    weight = {"kind": "weight", "layer": 2, "row": 2, "column": 1}
    found = ask("inspect", snapshot, {"example": 4, "subject": weight})
    gradient = next(s for s in found["steps"] if s["phase"] == "gradients")
    assert gradient["result"] == pytest.approx(float(gradients[1][0][2, 1]), rel=1e-5)
    assert gradient["of"] == weight


def test_a_unit_worked_by_hand():
    # One sigmoid unit at w = (2, −1), b = 0.5 for x = (1, 3), y = 1: z = −0.5, a = 0.3775,
    # δ = a − y = −0.6225, ∂C/∂w₂ = 3 δ = −1.8674, and w₂ ← −1 + 0.1 · 1.8674.
    view = ask("inspect", by_hand(), {"example": 0}, outputs=1)
    numbers = [s["numbers"] for s in view["steps"]]
    assert r"z^{[1]}_{1} = 2 \cdot 1 - 1 \cdot 3 + 0.5 = -0.5" in numbers
    assert r"a^{[1]}_{1} = 1/(1 + e^{-(-0.5)}) = 0.3775" in numbers
    assert r"C = -\log 0.3775 = 0.9741" in numbers
    assert r"\delta^{[1]}_{1} = 0.3775 - 1 = -0.6225" in numbers
    weight = {"kind": "weight", "layer": 1, "row": 0, "column": 1}
    view = ask("inspect", by_hand(), {"example": 0, "subject": weight}, outputs=1)
    new = new_parameter(view)["numbers"]
    numbers = [s["numbers"] for s in view["steps"]]
    slope = r"\frac{\partial J}{\partial w^{[1]}_{1,2}}"
    assert rf"{slope} = 3 \cdot (-0.6225) = -1.867" in numbers
    assert new.endswith(r"-1 - 0.1 \cdot (-1.867378) = -0.8132622")


def test_the_steps_come_in_the_order_of_computation():
    snapshot, _ = training()
    phases = [s["phase"] for s in ask("inspect", snapshot)["steps"]]
    order = ["forward", "cost", "backward", "gradients", "update"]
    assert sorted(set(phases), key=phases.index) == order
    assert phases[-1] == "update"
    assert max(i for i, p in enumerate(phases) if p == "forward") < phases.index("cost")


def test_a_weight_is_shown_with_what_flows_in_and_the_error_that_it_leads_to():
    snapshot, _ = training(optimizer=cr.Adam(learning_rate=0.1))
    subject = {"kind": "weight", "layer": 2, "row": 1, "column": 2}
    steps = ask("inspect", snapshot, {"example": 0, "subject": subject})["steps"]
    of = [s["of"] for s in steps]
    assert {"kind": "unit", "layer": 1, "unit": 2} in of
    assert {"kind": "unit", "layer": 2, "unit": 1} in of
    assert of[-1] == subject
    a = next(s for s in steps if s["name"] == "A^{[1]}")["result"]
    delta = next(s for s in steps if s["name"] == r"\delta ^{[2]}")["result"]
    gradient = next(s for s in steps if s["phase"] == "gradients")["result"]
    assert gradient == pytest.approx(a * delta, rel=1e-12)


def test_inputs_and_outputs_have_their_names():
    snapshot, _ = training()
    view = ask("inspect", snapshot)
    inputs = next(s for s in view["steps"] if s["name"] == "A^{[0]}")
    assert inputs["arrays"][0]["rows"] == list(FEATURES)
    outputs = next(s for s in view["steps"] if s["name"] == "A^{[2]}")
    assert outputs["arrays"][-1]["rows"] == ["red", "green", "blue"]
    sums = next(s for s in view["steps"] if s["name"] == "Z^{[1]}")
    assert [a["name"] for a in sums["arrays"]] == ["W^{[1]}", "b^{[1]}", "Z^{[1]}"]
    assert sums["arrays"][0]["columns"] == list(FEATURES)


def test_layers_count_as_in_the_drawing_where_dropout_lies_between():
    snapshot, _ = training(extra=[cr.Dropout(0.5)])
    view = ask("inspect", snapshot, {"subject": {"kind": "unit", "layer": 2, "unit": 2}})
    names = [s["name"] for s in view["steps"]]
    assert "Z^{[3]}" in names
    assert all(s["layer"] in (2, None) for s in view["steps"])
    hidden = ask("inspect", snapshot, {"subject": {"kind": "layer", "layer": 1}})
    assert any(s["name"] == "A^{[2]}" for s in hidden["steps"])


def test_dropout_drops_the_units_of_the_runs_own_step():
    snapshot, catcher = training(extra=[cr.Dropout(0.5)])
    subject = {"kind": "weight", "layer": 2, "row": 0, "column": 0}
    last = new_parameter(ask("inspect", snapshot, {"subject": subject}))
    after = views(snapshot.spec, catcher.after[snapshot.step + 1])
    assert last["result"] == pytest.approx(after[2][0][0, 0], rel=1e-12)


def test_batch_normalisation_shows_the_batch_instead_of_one_example():
    snapshot, _ = training(extra=[cr.BatchNorm("tanh")], layers=("identity", "softmax"))
    view = ask("inspect", snapshot, {"example": 1})
    assert view["batch"] == "next"
    assert view["rows"] == 5
    assert "Batch normalisation" in view["notes"][0]


def test_arrays_of_wide_layers_are_folded():
    folded = array("W", np.zeros((40, 33)), rows=[f"row {i}" for i in range(40)])
    assert folded["folded"]
    assert folded["shape"] == [40, 33]
    assert len(folded["values"]) == len(folded["values"][0]) == len(folded["rows"]) == 32


def test_the_equations_of_wide_and_deep_networks_fit_into_a_message():
    snapshot, _ = training(
        layers=("tanh", "softmax"),
        extra=[cr.Dense(200, "tanh") for _ in range(6)],
        optimizer=cr.Adam(learning_rate=0.01),
    )
    view = ask("inspect", snapshot)
    assert len(json.dumps(view)) < 1_000_000
    folded = next(s for s in view["steps"] if s["name"] == "Z^{[2]}")["arrays"][0]
    assert (folded["shape"], folded["folded"]) == ([200, 3], True)


@pytest.mark.parametrize(
    ("activation", "expected"),
    [
        ("relu", r"\sigma'(z) = 1\text{ for }z > 0\text{ else }0"),
        ("sigmoid", r"\sigma'(z) = \sigma (z)(1 - \sigma (z))"),
        ("softplus", r"\sigma'(z) = 1/(1 + e^{-z})"),
    ],
)
def test_a_slope_is_shown_with_all_of_its_cases(activation, expected):
    snapshot, _ = training(layers=(activation, "softmax"))
    assert step_of(ask("inspect", snapshot), r"\sigma'(Z^{[1]})")["equation"] == expected


def test_a_penalty_is_part_of_the_equation_of_the_gradient():
    snapshot, _ = training(l2=0.1)
    found = step_of(ask("inspect", snapshot), r"\partial J/\partial W^{[1]}")
    assert found["equation"].endswith(r"{A^{[0]}}^{\mathsf{T}} + l2 \cdot  W")


@pytest.mark.parametrize(
    ("subject", "reason"),
    [
        ({"kind": "unit", "layer": 3, "unit": 0}, "layer: expected 1 to 2; got 3"),
        ({"kind": "unit", "layer": 1, "unit": 3}, "unit: expected 0 to 2 in layer 1; got 3"),
        ({"kind": "weight", "layer": 1, "row": 0, "column": 2}, "column: expected 0 to 1"),
        ({"kind": "weight", "layer": 1, "row": -1, "column": 0}, "row: expected 0 to 2"),
        ({"kind": "weight", "layer": 1}, "row: expected a whole number; got None"),
        ({"kind": "neuron"}, "subject: expected an object whose kind is"),
        ([1], "subject: expected an object"),
    ],
)
def test_a_part_that_the_network_lacks_is_refused(subject, reason):
    snapshot, _ = training()
    with pytest.raises(InvalidArgumentError, match=reason):
        ask("inspect", snapshot, {"subject": subject})
