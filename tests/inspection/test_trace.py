"""The trace of a step, against the same step in plain NumPy."""

import numpy as np
import pytest

import chainrule as cr
from chainrule.engines.base import Examples, Problem, UpdateRule
from chainrule.engines.optimizers import OPTIMIZERS
from chainrule.errors import InvalidArgumentError
from chainrule.inspection.trace import trace_step
from chainrule.network.parameters import group_indicator, hidden_matrices
from tests.equations import recurrences
from tests.numerics import assert_within, epsilon

# Sums of at most 5 terms of order 1, through three layers and back.
BOUND = 200 * epsilon("float64")

_random = np.random.default_rng(0)
X = _random.standard_normal((5, 3))
Y = _random.uniform(0.1, 0.9, (5, 2))
WEIGHTS = np.array([1.0, 0.0, 2.0, 0.5, 1.5])


def network(output="softmax", cost="cross_entropy", hidden="tanh", fused=True):
    net = cr.Network(
        [3, cr.Dense(4, "sigmoid"), cr.Dense(3, hidden), cr.Dense(2, output)],
        cost=cost, seed=0, dtype="float64", fused=fused,
    )  # fmt: skip
    for b in net.biases:
        b[...] = np.linspace(-0.5, 0.5, len(b))
    return net


def sigmoid(Z):
    return 1 / (1 + np.exp(-Z))


def softmax(Z):
    return np.exp(Z) / np.exp(Z).sum(axis=0)


SIGMA = {"sigmoid": sigmoid, "tanh": np.tanh, "softmax": softmax, "identity": lambda Z: Z}
SIGMA_PRIME = {
    "sigmoid": lambda Z: sigmoid(Z) * (1 - sigmoid(Z)),
    "tanh": lambda Z: 1 - np.tanh(Z) ** 2,
    "identity": np.ones_like,
}


def through(activation, grad_A, Z):
    """∂C/∂A to δ; for softmax by the whole Jacobian of each column."""
    if activation != "softmax":
        return grad_A * SIGMA_PRIME[activation](Z)
    columns = []
    for a, g in zip(softmax(Z).T, grad_A.T, strict=True):
        columns.append((np.diag(a) - np.outer(a, a)).T @ g)
    return np.array(columns).T


COST = {
    "mse": lambda A, Y: ((Y - A) ** 2 / 2).sum(axis=0),
    "binary_cross_entropy": lambda A, Y: -(Y * np.log(A) + (1 - Y) * np.log(1 - A)).sum(axis=0),
    "cross_entropy": lambda A, Y: -(Y * np.log(A)).sum(axis=0),
}
GRAD_A = {
    "mse": lambda A, Y: A - Y,
    "binary_cross_entropy": lambda A, Y: -Y / A + (1 - Y) / (1 - A),
    "cross_entropy": lambda A, Y: -Y / A,
}

CASES = [
    {},
    {"fused": False},
    {"cost": "binary_cross_entropy"},
    {"output": "sigmoid", "cost": "binary_cross_entropy"},
    {"output": "sigmoid", "cost": "binary_cross_entropy", "fused": False},
    {"output": "identity", "cost": "mse"},
    {"output": "identity", "cost": "mse", "fused": False},
    {"hidden": "softmax"},
]


@pytest.mark.parametrize("penalties", [{}, {"l1": 0.1, "l2": 0.3}], ids=["plain", "penalties"])
@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["unweighted", "weighted"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: ",".join(map(str, case.values())) or "-")
def test_every_array_is_that_of_the_step_in_plain_numpy(case, weights, penalties):
    net = network(**case)
    trace = net.trace(X, Y, optimizer=cr.SGD(0.5), sample_weight=weights, **penalties)
    names = [layer.activation for layer in net.spec.layers]

    np.testing.assert_array_equal(trace.X, X.T)
    np.testing.assert_array_equal(trace.Y, Y.T)
    A, Z = [X.T], []
    for W, b, name in zip(net.weights, net.biases, names, strict=True):
        Z.append(W @ A[-1] + b[:, None])
        A.append(SIGMA[name](Z[-1]))
    for own, expected in ((trace.Z, Z), (trace.A, A[1:])):
        for mine, other in zip(own, expected, strict=True):
            assert_within(mine, other, BOUND)

    costs = COST[net.spec.cost](A[-1], Y.T)
    assert_within(trace.costs, costs, BOUND)
    l1, l2 = penalties.get("l1", 0), penalties.get("l2", 0)
    penalty = sum(l2 / 2 * (W**2).sum() + l1 * np.abs(W).sum() for W in net.weights)
    assert_within(trace.loss, np.average(costs, weights=weights) + penalty, BOUND)
    grad_A = GRAD_A[net.spec.cost](A[-1], Y.T)
    assert_within(trace.grad_A, grad_A, BOUND * (1 + np.abs(grad_A)) ** 2)

    delta = through(names[-1], grad_A, Z[-1])
    if weights is not None:
        delta = delta * weights * 5 / weights.sum()
    for l in (3, 2, 1):  # noqa: E741 - the field's letter
        assert_within(trace.delta[l - 1], delta, BOUND)
        W = net.weights[l - 1]
        dW = delta @ A[l - 1].T / 5 + l2 * W + l1 * np.sign(W)
        db = delta.mean(axis=1, keepdims=True)
        assert_within(trace.weight_gradients[l - 1], dW, BOUND)
        assert_within(trace.bias_gradients[l - 1], db, BOUND)
        assert_within(trace.update[l - 1][0], -0.5 * dW, BOUND)
        assert_within(trace.update[l - 1][1], -0.5 * db, BOUND)
        if l > 1:
            delta = through(names[l - 2], W.T @ delta, Z[l - 2])


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("ema_decay", [0.0, 0.9])
def test_state_and_update_are_those_of_the_optimizer_s_first_step(name, ema_decay):
    kind = OPTIMIZERS[name]
    optimizer = kind() if kind.averages else kind(ema_decay=ema_decay)
    net, theta = network(), network().parameters
    _, gradient = net.loss_and_gradient(X, Y)
    weights = {}
    if optimizer.decays:
        weights["decaying"] = group_indicator(net.spec, "weights")
    if optimizer.orthogonal:
        weights["matrices"] = [
            (place.start, place.rows, place.columns) for place in hidden_matrices(net.spec)
        ]
    step = getattr(recurrences, optimizer.update_equation.__name__.removesuffix("_update"))
    stepped, memory = step(theta, gradient, (), 1, optimizer.learning_rate, **weights)
    expected = dict(zip(optimizer.equations.vectors, memory, strict=False))
    if optimizer.ema_decay:
        expected["X"] = stepped

    trace = net.trace(X, Y, optimizer=optimizer)
    assert set(trace.optimizer_state) - {"t"} == set(expected)
    for key, value in expected.items():
        assert_within(trace.optimizer_state[key], value, BOUND)
    assert trace.optimizer_state.get("t", 1) == 1
    flat = np.concatenate([part.ravel() for layer in trace.update for part in layer])
    assert_within(flat, stepped - theta, BOUND)
    if optimizer.evaluated_at_average:
        assert any(term.name == "X of W[1]" for term in trace.terms)


def test_the_update_is_the_step_that_fit_takes():
    net = network()
    trace = net.trace(X, Y, optimizer=cr.Adam(0.1), l2=0.1)
    before = net.parameters.copy()
    net.fit(
        X, Y, optimizer=cr.Adam(0.1), l2=0.1, epochs=1, batch_size=5, shuffle=False,
        engine="reference",
    )  # fmt: skip
    flat = np.concatenate([part.ravel() for layer in trace.update for part in layer])
    assert_within(before + flat, net.parameters, epsilon("float64"))


def test_gradients_of_a_trace_are_those_of_the_network():
    net = network()
    loss, gradient = net.loss_and_gradient(X, Y, l1=0.1, l2=0.2, engine="reference")
    trace = net.trace(X, Y, l1=0.1, l2=0.2)
    parts = zip(trace.weight_gradients, trace.bias_gradients, strict=True)
    flat = np.concatenate([part.ravel() for pair in parts for part in pair])
    assert trace.loss == loss
    np.testing.assert_array_equal(flat, gradient)


def test_a_schedule_is_asked_for_its_first_step():
    trace = network().trace(X, Y, optimizer=cr.SGD(lambda t: {1: 0.25}[t]))
    assert_within(trace.update[0][1], -0.25 * trace.bias_gradients[0], BOUND)


def test_terms_follow_the_order_of_computation_with_the_ids_of_their_equations():
    net = cr.Network([3, cr.Dense(4, "tanh"), cr.Dense(2, "softmax")], "cross_entropy", seed=0)
    terms = net.trace(X, Y, optimizer="momentum").terms
    assert [(term.equation, term.name) for term in terms] == [
        ("", "A[0]"), ("", "Y"),
        ("", "W[1]"), ("", "b[1]"), ("F1", "Z[1]"), ("F2", "A[1]"),
        ("", "W[2]"), ("", "b[2]"), ("F1", "Z[2]"), ("F2", "A[2]"),
        ("FU1", "C"), ("J1", "J"), ("C3", "∇ₐC"),
        ("BP1s", "∂a/∂z"), ("BP1s", "∂aᵢ/∂zᵢ"), ("BP1s", "∂aᵢ/∂zⱼ"),
        ("FU1", "δ[2]"), ("BP4", "∂J/∂W[2]"), ("BP3", "∂J/∂b[2]"),
        ("BP2", "∂C/∂A[1]"), ("AC3", "σ′(Z[1])"),
        ("BP2", "δ[1]"), ("BP4", "∂J/∂W[1]"), ("BP3", "∂J/∂b[1]"),
        ("", "t"), ("", "α"), ("", "β"), ("", "old V"),
        ("O1", "V of W[1]"), ("O1", "ΔW[1]"), ("O1", "new W[1]"),
        ("O1", "V of b[1]"), ("O1", "Δb[1]"), ("O1", "new b[1]"),
        ("O1", "V of W[2]"), ("O1", "ΔW[2]"), ("O1", "new W[2]"),
        ("O1", "V of b[2]"), ("O1", "Δb[2]"), ("O1", "new b[2]"),
        ("J1", "new J"),
    ]  # fmt: skip
    phases = list(dict.fromkeys(term.phase for term in terms))
    assert phases == ["forward", "cost", "backward", "update", "after"]


@pytest.mark.parametrize(
    ("case", "cost", "grad_A", "delta"),
    [
        ({}, "FU1", "C3", "FU1"),
        ({"fused": False}, "C3", "C3", "BP1s"),
        ({"output": "sigmoid", "cost": "binary_cross_entropy"}, "FU2", "C2", "FU2"),
        ({"output": "identity", "cost": "mse"}, "FU3", "C1", "FU3"),
        ({"output": "identity", "cost": "mse", "fused": False}, "C1", "C1", "BP1"),
    ],
)
def test_the_output_s_terms_name_the_equations_that_were_used(case, cost, grad_A, delta):
    ids = {term.name: term.equation for term in network(**case).trace(X, Y).terms}
    assert (ids["C"], ids["∇ₐC"], ids["δ[3]"]) == (cost, grad_A, delta)


@pytest.mark.parametrize("weights", [None, WEIGHTS])
def test_the_jacobian_of_the_first_example_takes_its_gradient_to_its_error(weights):
    trace = network(fused=False).trace(X, Y, sample_weight=weights)
    term = next(term for term in trace.terms if term.name == "∂a/∂z")
    assert term.equation == "BP1s"
    arrays = {term.name: term.value for term in trace.terms}
    first = arrays["∂a/∂z"].T @ arrays["∇ₐC"][:, 0]
    weight = 1.0 if weights is None else weights[0] / weights.mean()
    np.testing.assert_allclose(arrays["δ[3]"][:, 0], weight * first, rtol=1e-12)
    assert "of example 1" in term.formula


def test_the_jacobian_is_that_of_the_chosen_example_also_where_fu1_needs_none():
    trace = network().trace(X, Y, example=3)
    a = trace.A[-1][:, 3]
    np.testing.assert_allclose(trace["∂a/∂z"], np.diag(a) - np.outer(a, a), rtol=1e-12)
    np.testing.assert_array_equal(trace["∂aᵢ/∂zᵢ"], np.diag(trace["∂a/∂z"]))
    assert np.isnan(np.diag(trace["∂aᵢ/∂zⱼ"])).all()
    formulas = {term.name: term.formula for term in trace.terms}
    assert "of example 4; not needed, since FU1" in formulas["∂a/∂z"]
    assert formulas["∂aᵢ/∂zᵢ"] == "∂aᵢ/∂zᵢ = aᵢ(1 − aᵢ), i = j"
    assert formulas["∂aᵢ/∂zⱼ"] == "∂aᵢ/∂zⱼ = −aᵢaⱼ, i ≠ j"
    with pytest.raises(InvalidArgumentError, match=r"^example: expected a number from 0 to 4"):
        network().trace(X, Y, example=5)


def test_a_hidden_softmax_has_a_jacobian_of_its_own():
    trace = network(hidden="softmax").trace(X, Y)
    np.testing.assert_allclose(
        trace["∂a[2]/∂z[2]"].T @ trace["∂C/∂A[2]"][:, 0], trace["δ[2]"][:, 0], rtol=1e-10
    )


def test_the_loss_after_the_step_is_that_of_the_new_parameters():
    net = network()
    trace = net.trace(X, Y, optimizer=cr.SGD(0.5), l2=0.1)
    net.parameters = trace.new_parameters
    assert trace.new_loss == pytest.approx(net.loss(X, Y, l2=0.1), rel=1e-12)
    assert trace.new_loss == trace["new J + P"] < trace.loss == trace["J + P"]


def test_without_any_weight_there_is_no_loss_and_no_gradient():
    # As of a batch in which every example has weight 0; a whole training has some weight.
    net, rule = network(), UpdateRule(cr.SGD(0.5))
    trace = trace_step(Problem(net.spec, net.parameters, Examples(X, Y, np.zeros(5))), rule)
    assert trace.loss == 0
    assert not trace["∂J/∂W[1]"].any()
    np.testing.assert_array_equal(trace.new_parameters, trace.parameters)


def test_smoothed_targets_and_class_weights_are_those_of_fit():
    net = cr.Network([3, cr.Dense(2, "softmax")], "cross_entropy", seed=0, dtype="float64")
    trace = net.trace(X, [0, 0, 0, 0, 1], label_smoothing=0.2, class_weight="balanced")
    np.testing.assert_allclose(np.unique(trace.Y), [0.1, 0.9])
    np.testing.assert_allclose(trace["w"][-1] / trace["w"][0], 4)


def test_a_schedule_without_a_length_of_its_own_has_no_later_step():
    net = network()
    optimizer = cr.SGD(cr.CosineDecay(0.1))
    net.fit(X, Y, optimizer=optimizer, epochs=2)
    said = r"^optimizer: expected a learning rate that is known at step t = 3; .*Give the schedule"
    with pytest.raises(InvalidArgumentError, match=said):
        net.trace(X, Y, optimizer=optimizer, state=net.optimizer_state)


def test_a_hidden_softmax_is_not_said_to_be_an_element_wise_product():
    trace = network(hidden="softmax").trace(X, Y)
    term = next(term for term in trace.terms if term.name == "δ[2]")
    assert "BP1s" in term.equation + term.formula
    assert "σ′" not in term.formula


def test_terms_say_which_weights_and_penalties_are_in_them():
    trace = network().trace(X, Y, sample_weight=WEIGHTS, l1=0.1, l2=0.2)
    formulas = {term.name: term.formula for term in trace.terms}
    assert "J2" in formulas["δ[3]"]
    assert "P1" in formulas["∂J/∂W[1]"]
    assert "P2" in formulas["∂J/∂W[1]"]
    assert "P1" not in formulas["∂J/∂b[1]"]


def test_formulas_name_the_layer_that_they_are_of():
    formulas = {term.name: term.formula for term in network().trace(X, Y).terms}
    assert formulas["Z[2]"] == "Z[2] = W[2] · A[1] + b[2]"
    assert formulas["δ[1]"].startswith("δ[1] = (W[2]ᵀ · δ[2])")


def test_terms_hold_the_trace_s_own_arrays():
    trace = network().trace(X, Y)
    values = {term.name: term.value for term in trace.terms}
    assert values["Z[2]"] is trace.Z[1]
    assert values["δ[1]"] is trace.delta[0]
    assert values["∂J/∂W[3]"] is trace.weight_gradients[2]
    assert values["J"] == trace.loss


def test_tracing_changes_nothing():
    net, inputs, targets = network(), X.copy(), Y.copy()
    before = net.parameters.copy()
    net.trace(inputs, targets, l2=0.1, sample_weight=WEIGHTS)
    np.testing.assert_array_equal(net.parameters, before)
    np.testing.assert_array_equal(inputs, X)
    np.testing.assert_array_equal(targets, Y)


def test_a_trace_keeps_its_numbers_while_the_network_trains_on():
    net, inputs, targets = network(), X.copy(), Y.copy()
    trace = net.trace(inputs, targets)
    before = str(trace)
    net.fit(X, Y, epochs=1)
    inputs[...], targets[...] = 7.0, 7.0
    assert str(trace) == before


def test_arguments_that_do_not_fit_are_refused():
    with pytest.raises(InvalidArgumentError, match=r"^Y: "):
        network().trace(X, Y[:3])
    with pytest.raises(InvalidArgumentError, match=r"^optimizer: "):
        network().trace(X, Y, optimizer="adamax")
