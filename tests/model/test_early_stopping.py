"""Early stopping, class weights and a validation share of `Network.fit`."""

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import InvalidArgumentError, TrainingDivergedError
from chainrule.training.events import EpochEnded

RANDOM = np.random.default_rng(0)
X = RANDOM.standard_normal((90, 3))
# A third of the labels is noise, which a large network learns by heart.
CLASSES = np.where(RANDOM.random(90) < 0.3, RANDOM.integers(0, 3, 90), X.argmax(axis=1))
HELD = RANDOM.standard_normal((60, 3))
HELD_CLASSES = HELD.argmax(axis=1)


def network(seed=0, outputs=3, **changes):
    layers = [3, cr.Dense(30, "tanh"), cr.Dense(outputs, "softmax")]
    return cr.Network(layers, **{"cost": "cross_entropy", "seed": seed, **changes})


OPTIONS = {"optimizer": cr.Adam(0.03), "batch_size": 10, "epochs": 200}


@pytest.mark.parametrize("patience", [1, 4])
def test_training_ends_where_the_validation_loss_no_longer_falls(engine_name, patience):
    net = network()
    history = net.fit(
        X, CLASSES, validation_data=(HELD, HELD_CLASSES), early_stopping=patience,
        engine=engine_name, **OPTIONS,
    )  # fmt: skip
    losses = history["validation_loss"]
    best = int(np.argmin(losses))
    assert history.stopped == "converged"
    assert len(losses) < 200
    # By hand: the first epoch that is one too many in a row without a new lowest loss.
    lowest, count = np.inf, 0
    for epoch, loss in enumerate(losses, start=1):
        count = 0 if loss <= lowest else count + 1
        lowest = min(lowest, loss)
        assert (count > patience) == (epoch == len(losses))
    assert history.best_epoch == best + 1
    assert net.loss(HELD, HELD_CLASSES, engine=engine_name) == losses[best]
    assert net.epochs_trained == len(losses)


def test_the_weights_are_those_that_the_best_epoch_had(engine_name):
    kept = []

    def keep(event):
        if isinstance(event, EpochEnded):
            kept.append(net.parameters.copy())

    net = network()
    held = (HELD, HELD_CLASSES)
    options = OPTIONS | {"validation_data": held, "engine": engine_name, "callbacks": [keep]}
    history = net.fit(X, CLASSES, early_stopping=2, **options)
    np.testing.assert_array_equal(net.parameters, kept[history.best_epoch - 1])
    assert history.best_epoch < len(history)


def test_true_stands_for_a_patience_of_ten_and_false_for_none():
    held = (HELD, HELD_CLASSES)
    named, numbered, off = network(), network(), network()
    by_name = named.fit(X, CLASSES, validation_data=held, early_stopping=True, **OPTIONS)
    by_number = numbered.fit(X, CLASSES, validation_data=held, early_stopping=10, **OPTIONS)
    np.testing.assert_array_equal(named.parameters, numbered.parameters)
    assert by_name["loss"] == by_number["loss"]
    history = off.fit(X, CLASSES, validation_data=held, **OPTIONS)
    assert (history.stopped, history.best_epoch, len(history)) == ("finished", None, 200)


def test_an_error_leaves_the_best_weights():
    def fails(event):
        if isinstance(event, EpochEnded) and event.epoch == 60:
            raise RuntimeError

    net, held = network(), (HELD, HELD_CLASSES)
    options = OPTIONS | {"callbacks": [fails], "validation_data": held}
    with pytest.raises(RuntimeError):
        net.fit(X, CLASSES, early_stopping=1000, **options)
    assert net.loss(*held) == min(net.history["validation_loss"])
    assert net.history.best_epoch < 60
    assert net.epochs_trained == 60


def test_divergence_leaves_the_best_weights():
    net, held = network(), (HELD, HELD_CLASSES)
    rate = lambda step: 0.01 if step <= 90 else 1e38  # noqa: E731
    options = OPTIONS | {"optimizer": cr.SGD(rate), "validation_data": held}
    with pytest.raises(TrainingDivergedError), np.errstate(all="ignore"):
        net.fit(X, CLASSES, early_stopping=1000, **options)
    assert net.loss(*held) == min(net.history["validation_loss"])


def test_early_stopping_goes_on_from_a_checkpoint_to_the_same_bits(tmp_path):
    held = (HELD, HELD_CLASSES)
    options = OPTIONS | {"validation_data": held, "early_stopping": 6}
    whole = network()
    expected = whole.fit(X, CLASSES, **options)
    assert expected.best_epoch < expected.epochs[-1].epoch - 5

    for ended in (expected.best_epoch - 1, expected.best_epoch + 3):

        def fails(event, ended=ended):
            if isinstance(event, EpochEnded) and event.epoch == ended:
                raise RuntimeError

        path = tmp_path / f"{ended}"
        with pytest.raises(RuntimeError):
            network().fit(X, CLASSES, checkpoint=path, every=2, callbacks=[fails], **options)
        net = network()
        history = net.fit(X, CLASSES, checkpoint=path, resume=True, **options)
        np.testing.assert_array_equal(net.parameters, whole.parameters)
        assert history["validation_loss"] == expected["validation_loss"]
        assert history.best_epoch == expected.best_epoch
        again = network()
        last = again.fit(X, CLASSES, checkpoint=path, resume=True, **options)
        np.testing.assert_array_equal(again.parameters, whole.parameters)
        assert last.events[-1] == expected.events[-1]
        assert last.stopped == "converged"
        for value in (7, False):
            other = options | {"early_stopping": value, "checkpoint": path, "resume": True}
            with pytest.raises(InvalidArgumentError, match="early stopping: patience 6 there"):
                network().fit(X, CLASSES, **other)


@pytest.mark.parametrize("value", [0, -1, 1.5, "loss", None])
def test_early_stopping_names_what_it_cannot_be(value):
    with pytest.raises(InvalidArgumentError, match=r"^early_stopping: expected True, False or"):
        network().fit(X, CLASSES, validation_split=0.2, early_stopping=value)


def test_early_stopping_without_validation_data_names_the_remedy():
    with pytest.raises(
        InvalidArgumentError, match=r"early_stopping: expected False.*validation_split=0\.2"
    ):
        network().fit(X, CLASSES, early_stopping=True)


# A share for validation.


def test_a_share_is_set_aside_and_never_trained_on(engine_name):
    options = {"validation_split": 0.2, "epochs": 1, "batch_size": 90, "engine": engine_name}
    plain = network()
    validation = plain.fit(X, CLASSES, **options)["validation_loss"]
    aside = []
    for row in range(90):
        # Other inputs in a row that is set aside change the validation loss and no weight.
        inputs = X.copy()
        inputs[row] += 1.0
        net = network()
        moved = net.fit(inputs, CLASSES, **options)["validation_loss"] != validation
        if np.array_equal(net.parameters, plain.parameters):
            assert moved
            aside.append(row)
    assert len(aside) == 18
    counts = np.bincount(CLASSES[aside], minlength=3) / np.bincount(CLASSES)
    assert (np.abs(counts - 0.2) < 0.05).all()


def test_the_share_follows_the_seed_and_stays_from_fit_to_fit():
    first, second, other = network(seed=3), network(seed=3), network(seed=4)
    other.parameters = first.parameters
    histories = [net.fit(X, CLASSES, validation_split=0.3, epochs=1) for net in (first, second)]
    assert histories[0]["validation_loss"] == histories[1]["validation_loss"]
    still = [cr.SGD(1e-30) for _ in range(2)]
    losses = [
        net.fit(X, CLASSES, validation_split=0.3, epochs=1, optimizer=rate)["validation_loss"]
        for net, rate in zip((first, first), still, strict=True)
    ]
    assert losses[0] == losses[1]


def test_smoothed_targets_are_for_training_alone():
    net = network(dtype="float64")
    still = {"optimizer": cr.SGD(1e-30), "epochs": 1, "validation_split": 0.3}
    plain = net.fit(X, CLASSES, **still)
    softened = net.fit(X, CLASSES, label_smoothing=0.2, **still)
    assert softened["validation_loss"] == plain["validation_loss"]
    assert softened["loss"] != plain["loss"]


def test_a_share_of_a_drawn_seed_is_the_checkpoint_s(tmp_path):
    def fails(event):
        if isinstance(event, EpochEnded) and event.epoch == 3:
            raise RuntimeError

    options = {"validation_split": 0.25, "epochs": 8, "batch_size": 10}
    path = tmp_path / "checkpoint"
    first = network(seed=None)
    with pytest.raises(RuntimeError):
        first.fit(X, CLASSES, checkpoint=path, every=2, callbacks=[fails], **options)
    again = network(seed=None)
    history = again.fit(X, CLASSES, checkpoint=path, resume=True, **options)
    assert again.seed == first.seed
    np.testing.assert_array_equal(history["validation_loss"][:3], first.history["validation_loss"])


@pytest.mark.parametrize("share", [-0.1, 1, 1.5, "0.2", None, float("nan")])
def test_a_share_that_is_none_is_named(share):
    with pytest.raises(InvalidArgumentError, match=r"^validation_split: expected a number in \["):
        network().fit(X, CLASSES, validation_split=share)


def test_a_share_and_validation_data_are_one_too_many():
    with pytest.raises(InvalidArgumentError, match=r"^validation_split: expected 0 where"):
        network().fit(X, CLASSES, validation_split=0.2, validation_data=(X, CLASSES))


def test_one_example_is_too_few_to_set_any_aside():
    with pytest.raises(InvalidArgumentError, match="at least 2 examples"):
        network().fit(X[:1], CLASSES[:1], validation_split=0.5)


def test_a_part_without_weight_is_named():
    weight = np.zeros(90)
    weight[0] = 1.0
    with pytest.raises(InvalidArgumentError, match=r"^sample_weight: expected some weight > 0"):
        network().fit(X, CLASSES, sample_weight=weight, validation_split=0.3)


# Weights of classes.


@pytest.mark.parametrize("form", ["indices", "one-hot"])
def test_class_weights_are_sample_weights(engine_name, form):
    Y = CLASSES if form == "indices" else np.eye(3)[CLASSES]
    own = RANDOM.random(90)
    by_class, by_example = network(), network()
    options = {"epochs": 3, "engine": engine_name}
    by_class.fit(X, Y, class_weight={0: 2.0, 2: 0.5}, sample_weight=own, **options)
    weights = own.astype(np.float32) * np.array([2.0, 1.0, 0.5])[CLASSES]
    by_example.fit(X, Y, sample_weight=weights, **options)
    np.testing.assert_array_equal(by_class.parameters, by_example.parameters)


def test_balanced_classes_weigh_the_same():
    Y = (X[:, 0] > 1).astype(float)
    layers = [3, cr.Dense(1, "sigmoid")]
    nets = [cr.Network(layers, cost="binary_cross_entropy", seed=0) for _ in range(2)]
    nets[0].fit(X, Y, class_weight="balanced", epochs=5)
    weights = np.where(Y == 1, 45 / Y.sum(), 45 / (90 - Y.sum()))
    nets[1].fit(X, Y, sample_weight=weights, epochs=5)
    np.testing.assert_allclose(nets[0].parameters, nets[1].parameters, rtol=1e-5)


def test_class_weights_are_of_validation_data_too():
    weights = {0: 3.0}
    still = {"optimizer": cr.SGD(1e-30), "epochs": 1}
    net = network(dtype="float64")
    history = net.fit(
        X, CLASSES, validation_data=(HELD, HELD_CLASSES), class_weight=weights, **still
    )
    expected = net.loss(HELD, HELD_CLASSES, sample_weight=np.where(HELD_CLASSES == 0, 3.0, 1.0))
    assert history["validation_loss"][0] == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("equal", "expected None, 'balanced' or a dict"),
        (2.0, "expected None, 'balanced' or a dict"),
        ({3: 1.0}, "expected classes from 0 to 2"),
        ({"a": 1.0}, "expected classes from 0 to 2"),
        ({True: 1.0}, "expected classes from 0 to 2"),
        ({0: -1.0}, "expected finite weights"),
        ({0: float("inf")}, "expected finite weights"),
        ({0: "1"}, "expected finite weights"),
        ({0: 0, 1: 0, 2: 0}, "have a sum above 0"),
        ({0: 1e300}, "in the range of float32"),
    ],
)
def test_class_weights_name_what_they_cannot_be(value, message):
    net = network()
    before = net.parameters.copy()
    with pytest.raises(InvalidArgumentError, match=f"^class_weight: .*{message}"):
        net.fit(X, CLASSES, class_weight=value)
    np.testing.assert_array_equal(net.parameters, before)


@pytest.mark.parametrize("activation", ["identity", "softmax"])
def test_targets_that_are_not_one_class_each_have_no_class_weights(activation):
    cost = {"identity": "mse", "softmax": "cross_entropy"}[activation]
    net = cr.Network([3, cr.Dense(2, activation)], cost=cost, seed=0)
    with pytest.raises(InvalidArgumentError, match=r"^class_weight: expected targets"):
        net.fit(X, np.full((90, 2), 0.5), class_weight="balanced")
