"""The learning-rate range test: its curve, its suggestion, and the network that it leaves alone."""

import copy

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import InvalidArgumentError

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(512, 6))
Y = (X[:, 0] + X[:, 1] * X[:, 2] > 0).astype(int)


def network(*more, cost="cross_entropy"):
    last = cr.Dense(2, "softmax") if cost == "cross_entropy" else cr.Dense(1, "identity")
    return cr.Network([6, cr.Dense(16, "relu"), *more, last], cost=cost, seed=3)


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "schedule_free_adamw"])
def test_the_steps_are_those_of_fit(optimizer, engine_name):
    """One epoch of `fit`, by a schedule that gives the same rates, has the mean of the losses."""
    steps = 512 // 32
    test = network(cr.Dropout(0.2)).find_learning_rate(
        X, Y, optimizer=optimizer, lowest=1e-5, highest=1e-2, steps=steps, engine=engine_name
    )
    rates = 1e-5 * 1e3 ** (np.arange(steps) / (steps - 1))
    np.testing.assert_allclose(test.learning_rates, rates, rtol=1e-12)
    classes = {"sgd": cr.SGD, "adam": cr.Adam, "schedule_free_adamw": cr.ScheduleFreeAdamW}
    schedule = classes[optimizer](lambda t: float(rates[t - 1]))
    history = network(cr.Dropout(0.2)).fit(
        X, Y, optimizer=schedule, epochs=1, batch_size=32, engine=engine_name
    )
    # 16 float32 costs, each a sum over 32 examples of a few dozen roundings.
    assert abs(test.losses.mean() - history["loss"][0]) < 1e3 * np.finfo(np.float32).eps


@pytest.mark.parametrize("layer", [cr.BatchNorm(), cr.Dropout(0.3)], ids=["batch norm", "dropout"])
def test_the_network_is_left_as_it_was_to_the_bit(layer):
    def state(net):
        return net.parameters.tobytes(), net.seed, net.epochs_trained, net.history

    net = network(layer)
    net.fit(X, Y, epochs=2)
    before, drawn = state(net), copy.deepcopy(np.random.get_state()[1])  # noqa: NPY002
    net.find_learning_rate(X, Y)
    assert state(net) == before
    np.testing.assert_array_equal(np.random.get_state()[1], drawn)  # noqa: NPY002
    other = network(layer)
    other.fit(X, Y, epochs=2)
    for each in (net, other):
        each.fit(X, Y, epochs=2)
    np.testing.assert_array_equal(net.parameters, other.parameters)


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "lion", "nesterov"])
def test_the_suggestion_trains_and_lies_below_the_lowest_loss(optimizer):
    test = network().find_learning_rate(X, Y, optimizer=optimizer)
    lowest = test.learning_rates[np.argmin(test.smoothed)]
    assert 1e-5 < test.suggestion < lowest
    rule = {"sgd": cr.SGD, "adam": cr.Adam, "lion": cr.Lion, "nesterov": cr.Nesterov}[optimizer]
    trained = network().fit(X, Y, optimizer=rule(test.suggestion), epochs=5)
    assert trained["loss"][-1] < 0.97 * trained["loss"][0]


def test_it_ends_when_the_loss_has_grown_to_four_times_its_minimum():
    test = network().find_learning_rate(X, Y, highest=1e6, steps=400)
    assert 50 < len(test.losses) < 400
    assert test.losses[-1] > 2 * test.smoothed.min()
    assert test.suggestion is not None


def test_where_the_loss_is_infinite_at_once_it_suggests_nothing_and_says_what_to_do():
    test = network(cost="mse").find_learning_rate(X * 1e18, X[:, 0], optimizer="sgd")
    assert test.suggestion is None
    assert "lowest=" in test.reason
    assert "scale the inputs" in test.reason


def test_where_the_loss_only_rises_it_suggests_a_smaller_rate():
    test = network().find_learning_rate(X, Y, optimizer="sgd", lowest=5.0, highest=1000.0)
    assert test.suggestion is None
    assert "lowest=" in test.reason


@pytest.mark.parametrize("layers", [(), (cr.Dropout(0.5),)], ids=["exact", "noisy"])
@pytest.mark.parametrize("seed", range(5))
def test_where_the_loss_is_flat_it_suggests_nothing(layers, seed):
    net = cr.Network([6, cr.Dense(16), *layers, cr.Dense(2, "softmax")], "cross_entropy", seed=seed)
    test = net.find_learning_rate(X, Y, highest=1e-6)
    assert test.suggestion is None
    assert "highest=" in test.reason


def test_examples_of_weight_0_do_not_count():
    weights = np.zeros(512)
    weights[:256] = 1
    test = network().find_learning_rate(X, Y, sample_weight=weights, steps=20)
    changed = X.copy()
    changed[256:] = 1e6
    again = network().find_learning_rate(changed, Y, sample_weight=weights, steps=20)
    np.testing.assert_array_equal(test.losses, again.losses)


def test_fewer_examples_than_a_batch_are_one_batch():
    test = network().find_learning_rate(X[:5], Y[:5], steps=50)
    assert np.isfinite(test.losses).all()


def test_it_shows_itself(tmp_path):
    test = network().find_learning_rate(X, Y)
    lines = str(test).splitlines()
    assert max(map(len, lines)) <= 80
    assert f"Learning rate {test.suggestion:g}: the loss falls most steeply there" in str(test)
    assert test._repr_html_().startswith("<img ")
    test.save(tmp_path / "test.svg")
    assert f"suggestion: {test.suggestion:g}" in (tmp_path / "test.svg").read_text()


def test_a_test_without_steps_shows_itself_too():
    test = network(cost="mse").find_learning_rate(X * 1e30, X[:, 0], optimizer="sgd")
    assert "no suggestion" in str(test)
    assert test._repr_html_().startswith("<img ")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"lowest": 0}, "lowest: expected a finite number > 0; got 0"),
        ({"lowest": 1.0, "highest": 0.1}, "highest: expected a learning rate above lowest=1; got"),
        ({"steps": 3}, "steps: expected a whole number of at least 10; got 3"),
        ({"optimizer": "adamm"}, "optimizer: "),
    ],
)
def test_a_wrong_argument_is_refused(arguments, message):
    with pytest.raises(InvalidArgumentError, match=message):
        network().find_learning_rate(X, Y, **arguments)
