import numpy as np
import polars as pl
import pytest

import chainrule as cr
from chainrule.errors import InvalidArgumentError

random = np.random.default_rng(5)
X = random.normal(size=(40, 3)).astype(np.float32)
Y = (X[:, 0] > X[:, 1]).astype(np.int64)


def network(*between):
    layers = [3, cr.Dense(4, "tanh"), *between, cr.Dense(2, "softmax")]
    return cr.Network(layers, cost="cross_entropy", seed=3)


def test_a_changed_training_equals_two_trainings_with_a_change_between_them():
    # Plain gradient steps have no state, so that a second fit goes on as the first one ended.
    parts = network()
    parts.fit(X, Y, optimizer=cr.SGD(0.3), epochs=3, batch_size=8, l2=0.01)
    parts.weights[0][1, 2] = 0.5
    parts.biases[1][1] = -2.0
    parts.fit(X, Y, optimizer=cr.SGD(0.05), epochs=2, batch_size=8, l1=0.02, l2=0.03)

    whole, places = network(), [("W", 1, 1, 2, 0.5), ("b", 2, 1, 0, -2.0)]
    change = {"learning_rate": 0.05, "l1": 0.02, "l2": 0.03, "parameters": places}
    history = whole.fit(
        *(X, Y), optimizer=cr.SGD(0.3), epochs=5, batch_size=8, l2=0.01,
        callbacks=[cr.Changes({3: change})],
    )  # fmt: skip
    assert np.array_equal(whole.parameters, parts.parameters)
    assert [epoch.learning_rate for epoch in history.epochs] == [0.3] * 3 + [0.05] * 2


def test_a_change_before_the_first_step_is_a_change_of_the_initial_weights():
    changed, edited = network(), network()
    edited.weights[0][0, 0] = 4.0
    edited.fit(X, Y, epochs=2)
    changed.fit(X, Y, epochs=2, callbacks=[cr.Changes({0: {"parameters": [("W", 1, 0, 0, 4.0)]}})])
    assert np.array_equal(changed.parameters, edited.parameters)


def test_a_penalty_that_begins_on_the_way_is_in_the_history():
    history = network().fit(X, Y, epochs=4, callbacks=[cr.Changes({2: {"l2": 0.5}})])
    penalties = [epoch.penalty for epoch in history.epochs]
    assert penalties[:2] == [0, 0]
    assert min(penalties[2:]) > 0


def test_an_average_begins_anew_at_an_edited_weight():
    net = network()
    changes = cr.Changes({2: {"parameters": [("W", 1, 0, 0, 7.0)], "stop": True}})
    net.fit(X, Y, optimizer=cr.Adam(0.01, ema_decay=0.9), epochs=5, callbacks=[changes])
    assert net.weights[0][0, 0] == 7.0
    assert net.epochs_trained == 2


@pytest.mark.parametrize("optimizer", [cr.SGD(0.1), cr.Adam(0.01, ema_decay=0.9)])
@pytest.mark.parametrize("killed_after", [2, 3, 4])
def test_a_changed_training_that_was_killed_resumes_to_the_same_bits(
    tmp_path, optimizer, killed_after
):
    def changes():
        return cr.Changes(
            {
                1: {"learning_rate": 0.02, "l2": 0.1},
                3: {"parameters": [("W", 2, 0, 1, 1.5)], "l1": 0.01},
            }
        )

    class KilledError(Exception):
        pass

    def kill(event):
        if isinstance(event, cr.events.EpochEnded) and event.epoch == killed_after:
            raise KilledError

    def train(net, callbacks, **more):
        return net.fit(
            X, Y, optimizer=optimizer, epochs=6, batch_size=8, callbacks=callbacks,
            checkpoint=tmp_path / "checkpoint", every=2, **more,
        )  # fmt: skip

    whole = network()
    whole.fit(X, Y, optimizer=optimizer, epochs=6, batch_size=8, callbacks=[changes()])
    with pytest.raises(KilledError):
        train(network(), [changes(), kill])
    resumed = network()
    train(resumed, [changes()], resume=True)
    assert np.array_equal(resumed.parameters, whole.parameters)


def test_the_estimators_and_train_change_alike():
    table = pl.DataFrame({"a": X[:, 0], "b": X[:, 1], "c": X[:, 2], "class": Y})
    settings = {"epochs": 4, "seed": 1, "layers": [4], "early_stopping": False, "verbose": False}
    change = {1: {"learning_rate": 0.0}}
    run = cr.train(table, "class", callbacks=[cr.Changes(change)], **settings)
    rates = [epoch.learning_rate for epoch in run.history.epochs]
    assert rates == [0.0035, 0, 0, 0]
    once = cr.train(table, "class", **settings | {"epochs": 1})
    assert np.array_equal(run.model.network.parameters, once.model.network.parameters)

    edit = cr.Changes({2: {"parameters": [("b", 1, 2, 0, 9.0)]}})
    classifier = cr.NetworkClassifier((4,), max_iter=4, random_state=0, callbacks=[edit])
    classifier.fit(X, Y)
    assert abs(classifier.intercepts_[0][2] - 9.0) < 0.1


def test_the_strength_of_a_penalty_is_that_of_the_training_s_own_setting():
    table = pl.DataFrame({"a": X[:, 0], "b": X[:, 1], "class": Y})
    settings = {"epochs": 2, "layers": [4], "early_stopping": False, "verbose": False}
    set_before = cr.train(table, "class", l2=5.0, l1=2.0, **settings)
    changed = cr.train(
        table, "class", l2=1.0, callbacks=[cr.Changes({0: {"l2": 5.0, "l1": 2.0}})], **settings
    )
    assert np.array_equal(set_before.model.network.parameters, changed.model.network.parameters)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([1], "expected a dictionary of changes by the number of finished epochs"),
        ({-1: {}}, "expected numbers of finished epochs, from 0 on; got -1"),
        ({0: 3}, "expected a dictionary such as"),
        ({0: {"rate": 1}}, "expected learning_rate, l1, l2, parameters, stop; got 'rate'"),
        ({0: {"learning_rate": -1}}, "learning_rate: expected a finite number"),
        ({0: {"l2": -1}}, "l2: expected a finite number"),
        ({0: {"parameters": [("V", 1, 0, 0, 1.0)]}}, "expected a list of"),
        ({0: {"parameters": [("W", 1, 0, 0, float("nan"))]}}, "expected a list of"),
        ({0: {"parameters": 3}}, "expected a list of"),
        ({0: {"stop": True}}, "expected it after an epoch"),
        ({1: {"stop": 3}}, "stop: expected"),
    ],
)
def test_changes_without_sense_are_refused(given, message):
    with pytest.raises(InvalidArgumentError, match=message):
        cr.Changes(given)


@pytest.mark.parametrize(
    ("place", "message"),
    [
        (("W", 3, 0, 0, 1.0), "a dense layer from 1 to 2; got W, layer 3"),
        (("W", 0, 0, 0, 1.0), "a dense layer from 1 to 2"),
        (("W", 1, 4, 0, 1.0), "row < 4 and column < 3"),
        (("b", 1, 0, 1, 1.0), "row < 4 and column < 1"),
    ],
)
def test_a_weight_that_the_network_does_not_have_is_refused_before_training(place, message):
    net = network(cr.Dropout(0.1))
    before = net.parameters.copy()
    with pytest.raises(InvalidArgumentError, match=message):
        net.fit(X, Y, callbacks=[cr.Changes({5: {"parameters": [place]}})])
    assert np.array_equal(net.parameters, before)


def test_a_weight_of_a_group_goes_by_the_unit_below_it():
    layers = [3, cr.Dense(4), cr.GroupedDense(4, 2), cr.Dense(2, "softmax")]
    net = cr.Network(layers, "cross_entropy", seed=0)
    places = [("W", 2, 1, 0, 5.0), ("W", 2, 3, 2, 6.0), ("b", 2, 3, 0, 7.0)]
    changes = cr.Changes({0: {"parameters": places, "learning_rate": 0.0}})
    net.fit(X, Y, epochs=1, callbacks=[changes])
    assert (net.weights[1][1, 0], net.weights[1][3, 0], net.biases[1][3]) == (5.0, 6.0, 7.0)
    for row, column, message in ((1, 2, "row < 4 and column < 2"), (2, 1, "and 2 <= column < 4")):
        change = cr.Changes({0: {"parameters": [("W", 2, row, column, 1.0)]}})
        with pytest.raises(InvalidArgumentError, match=message):
            net.fit(X, Y, callbacks=[change])


def test_a_weight_of_a_member_is_that_of_all_members():
    members = [cr.BatchEnsemble(4, 2, shared_input=True), cr.BatchEnsemble(6, 2)]
    net = cr.Network([3, *members, cr.Dense(2, "softmax")], "cross_entropy", seed=0)
    places = [("W", 1, 3, 2, 5.0), ("W", 2, 4, 3, 6.0), ("b", 2, 5, 0, 7.0)]
    changes = cr.Changes({0: {"parameters": places, "learning_rate": 0.0}})
    net.fit(X, Y, epochs=1, callbacks=[changes])
    assert (net.weights[0][1, 2], net.weights[1][1, 1], net.biases[1][5]) == (5.0, 6.0, 7.0)
    for row, column, message in ((1, 2, "row < 6 and column < 2"), (6, 1, "row < 6 and column")):
        change = cr.Changes({0: {"parameters": [("W", 2, row, column, 1.0)]}})
        with pytest.raises(InvalidArgumentError, match=message):
            net.fit(X, Y, callbacks=[change])


def test_what_decides_by_itself_cannot_be_changed():
    table = pl.DataFrame({"a": X[:, 0], "b": X[:, 1], "class": Y})

    def train(change, **settings):
        return cr.train(table, "class", callbacks=[cr.Changes(change)], verbose=False, **settings)

    with pytest.raises(InvalidArgumentError, match="the schedule invscaling sets α"):
        train({1: {"learning_rate": 0.1}}, schedule="invscaling")
    with pytest.raises(InvalidArgumentError, match="expected only stop for lbfgs"):
        train({1: {"l2": 0.1}}, optimizer="lbfgs")
    run = train({2: {"stop": True}}, optimizer="lbfgs")
    assert len(run.history.epochs) == 2


def test_a_schedule_is_replaced_by_the_rate_that_is_set():
    net = network()
    history = net.fit(
        X, Y, optimizer=cr.Adam(cr.CosineDecay(0.1)), epochs=4,
        callbacks=[cr.Changes({2: {"learning_rate": 0.5}})],
    )  # fmt: skip
    rates = [epoch.learning_rate for epoch in history.epochs]
    assert rates[0] != rates[1]
    assert rates[2:] == [0.5, 0.5]


def test_changes_are_written_as_they_are_given():
    given = {2: {"l2": 0.5, "parameters": [("W", 1, 0, 0, 1.0)]}, 1: {"learning_rate": 0.1}}
    assert (
        eval(repr(cr.Changes(given)), {"Changes": cr.Changes}).values()
        == cr.Changes(given).values()
    )
