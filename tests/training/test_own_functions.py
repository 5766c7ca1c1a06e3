"""A user's own functions that return the wrong thing: costs, metrics, learning rates, callbacks."""

import numpy as np
import pytest

import chainrule as cr

X = np.linspace(-1, 1, 12).reshape(6, 2)
Y = X[:, ::-1].copy()


def cost_of(A, Y):
    return ((A - Y) ** 2).sum(axis=1)


def gradient_of(A, Y):
    return 2 * (A - Y)


def network(cost=cost_of, gradient=gradient_of, units=2):
    own = cr.CustomCost(cost, gradient, "mine")
    return cr.Network([2, cr.Dense(3, "tanh"), cr.Dense(units, "identity")], cost=own, seed=0)


def changing_outputs(A, Y):
    A -= 1
    return (A**2).sum(axis=1)


def changing_targets(A, Y):
    Y *= 2
    return 2 * (A - Y)


COSTS = {
    "a mean": (lambda A, Y: cost_of(A, Y).mean(), r"shape \(3,\).*The mean .* leave it out"),
    "a Python number": (lambda A, Y: 1.0, r"got 1\.0\. The mean"),
    "nothing": (lambda A, Y: None, r"got None"),
    "a list": (lambda A, Y: cost_of(A, Y).tolist(), r"got list$"),
    "each output": (lambda A, Y: (A - Y) ** 2, r"got shape \(3, 2\).*\.sum\(axis=1\)$"),
    "the wrong axis": (lambda A, Y: ((A - Y) ** 2).sum(axis=0), r"got shape \(2,\)"),
    "a column": (lambda A, Y: cost_of(A, Y)[:, None], r"got shape \(3, 1\)"),
    "whole numbers": (lambda A, Y: cost_of(A, Y).astype(int), r"of int64"),
    "complex numbers": (lambda A, Y: cost_of(A, Y) + 0j, r"of complex"),
    "nan": (lambda A, Y: cost_of(A, Y) * np.nan, r"finite numbers; got nan for the outputs \["),
    "changed outputs": (changing_outputs, r"but it changed the outputs; .*copy\(\)"),
}
GRADIENTS = {
    "one number an example": (lambda A, Y: cost_of(A, Y), r"gradient .*\(3, 2\); got shape \(3,\)"),
    "a column": (lambda A, Y: (A - Y)[:, :1], r"got shape \(3, 1\)"),
    "transposed": (lambda A, Y: (A - Y).T, r"got shape \(2, 3\)"),
    "infinite": (lambda A, Y: (A - Y) / 0, r"gradient .* finite numbers; got \["),
    "changed targets": (changing_targets, r"but it changed the targets"),
}


@pytest.mark.parametrize(("cost", "message"), COSTS.values(), ids=COSTS)
def test_a_cost_that_returns_the_wrong_thing_is_refused_before_the_first_step(cost, message):
    net = network(cost)
    before = net.parameters.copy()
    with pytest.raises(cr.InvalidArgumentError, match=rf"^cost: the .*'mine' must .*{message}"):
        net.fit(X, Y, epochs=1)
    assert np.array_equal(net.parameters, before)


@pytest.mark.parametrize(("gradient", "message"), GRADIENTS.values(), ids=GRADIENTS)
def test_a_gradient_of_the_wrong_shape_or_value_is_refused(gradient, message):
    with pytest.raises(cr.InvalidArgumentError, match=rf"^cost: the .*{message}"):
        network(gradient=gradient).fit(X, Y, epochs=1)


@pytest.mark.parametrize("units", [1, 2, 3])
@pytest.mark.parametrize("rows", [1, 2, 3])
def test_a_sum_over_the_wrong_axis_is_found_whatever_the_sizes(units, rows):
    net = network(lambda A, Y: ((A - Y) ** 2).sum(axis=0), units=units)
    with pytest.raises(cr.InvalidArgumentError, match="must return the cost of each example"):
        net.fit(X[:rows], np.ones((rows, units)), epochs=1)


@pytest.mark.parametrize("method", ["loss", "loss_and_gradient", "trace", "check_gradients"])
def test_every_method_that_uses_a_cost_checks_its_shape(method):
    net = network(lambda A, Y: (A - Y) ** 2)
    with pytest.raises(cr.InvalidArgumentError, match="must return the cost of each example"):
        getattr(net, method)(X, Y)


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_an_estimator_refuses_it_as_well(solver):
    own = (lambda A, Y: (A - Y) ** 2, gradient_of)
    model = cr.MLPRegressor(own, (3,), solver=solver, max_iter=2)
    with pytest.raises(cr.InvalidArgumentError, match="must return the cost of each example"):
        model.fit(X, Y)


def test_a_right_cost_trains_as_before_and_on_a_single_example():
    net = network()
    net.fit(X, Y, epochs=3)
    net.fit(X[:1], Y[:1], epochs=1)
    assert net.check_gradients(X, Y)


@pytest.mark.parametrize(
    ("metric", "got"),
    [
        (lambda A, Y: (A - Y) ** 2, r"an array of shape \(6, 2\)"),
        (lambda A, Y: np.ones(1), r"an array of shape \(1,\)"),
        (lambda A, Y: None, "None"),
        (lambda A, Y: "0.9", "'0.9'"),
    ],
)
def test_a_metric_that_returns_no_number_is_refused_by_name(metric, got):
    metric.__name__ = "mine"
    message = f"^metrics: the function 'mine' must return a number .*; got {got}$"
    with pytest.raises(cr.InvalidArgumentError, match=message):
        network().fit(X, Y, epochs=1, metrics=[metric])


@pytest.mark.parametrize("value", [np.float32(2), np.array(2.0), 2, True, np.bool_(True)])
def test_a_metric_may_return_any_kind_of_number(value):
    def mine(A, Y):
        return value

    assert network().fit(X, Y, epochs=1, metrics=[mine])["mine"] == [float(value)]


@pytest.mark.parametrize(
    "rate", [-0.1, np.nan, np.inf, np.array([0.1, 0.2]), None, "0.1", True, 1j]
)
def test_a_learning_rate_of_ones_own_that_is_no_rate_is_refused_with_its_step(rate):
    def schedule(step):
        return 0.1 if step < 3 else rate

    with pytest.raises(cr.InvalidArgumentError, match=r"^learning_rate: .* at step 3$"):
        network().fit(X, Y, epochs=2, batch_size=2, optimizer=cr.SGD(schedule))


@pytest.mark.parametrize("callbacks", [[3], "no", None, [lambda event: None, "x"]])
def test_callbacks_that_cannot_be_called_are_refused(callbacks):
    with pytest.raises(cr.InvalidArgumentError, match=r"^callbacks: expected a list of functions"):
        network().fit(X, Y, epochs=1, callbacks=callbacks)


def test_an_estimators_callbacks_that_cannot_be_called_are_refused():
    with pytest.raises(cr.InvalidArgumentError, match=r"^callbacks: expected a list of functions"):
        cr.MLPRegressor(callbacks=[3]).fit(X, Y)
