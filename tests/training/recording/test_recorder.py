"""A recorder keeps what a network was after its epochs, and changes nothing of the training."""

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import InvalidArgumentError


def examples(m: int = 60):
    random = np.random.default_rng(0)
    X = random.normal(size=(m, 3))
    return X, (X[:, 0] * X[:, 1] > 0).astype(int)


def network() -> cr.Network:
    layers = [3, cr.Dense(6, "tanh"), cr.Dense(2, "softmax")]
    return cr.Network(layers, cost="cross_entropy", seed=3)


def recorded(epochs: int = 7, recorder: cr.Recorder | None = None, **options):
    recorder, net = cr.Recorder() if recorder is None else recorder, network()
    net.fit(*examples(), epochs=epochs, batch_size=8, callbacks=[recorder], **options)
    return recorder, net


def test_the_parameters_of_an_epoch_are_those_of_a_training_that_ends_there():
    recorder, _ = recorded(7)
    assert recorder.epochs == list(range(8))
    for epoch in (0, 1, 4, 7):
        net = network()
        if epoch:
            net.fit(*examples(), epochs=epoch, batch_size=8)
        assert np.array_equal(recorder.parameters(epoch), net.parameters)


@pytest.mark.parametrize("optimizer", [cr.Adam(0.01), cr.ScheduleFreeAdamW(0.01), "sgd"])
def test_recording_changes_no_bit(optimizer):
    _, net = recorded(6, optimizer=optimizer)
    alone = network()
    alone.fit(*examples(), epochs=6, batch_size=8, optimizer=optimizer)
    assert np.array_equal(net.parameters, alone.parameters)


def test_the_columns_are_the_history_of_the_recorded_epochs():
    recorder, net = recorded(9, cr.Recorder(every=4), validation_split=0.2, metrics=["accuracy"])
    assert recorder.epochs == [0, 4, 8, 9]
    for column in ("loss", "validation_loss", "accuracy", "validation_accuracy"):
        before, *values = recorder.columns[column]
        assert np.isnan(before)
        assert values == [net.history[column][epoch - 1] for epoch in (4, 8, 9)]


def test_memory_is_bounded_by_leaving_out_every_second_epoch():
    # A row of 1 kB and 38 float32 numbers an epoch: 10 kB hold eight of them.
    recorder, net = recorded(100, cr.Recorder(megabytes=10 / 1024))
    assert len(recorder) <= 9
    assert recorder.every == 16
    assert recorder.epochs == [0, 16, 32, 48, 64, 80, 96, 100]
    assert np.array_equal(recorder.parameters(100), net.parameters)
    alone = network()
    alone.fit(*examples(), epochs=48, batch_size=8)
    assert np.array_equal(recorder.parameters(48), alone.parameters)


def test_a_training_that_goes_on_is_recorded_as_one():
    recorder, net = recorded(3)
    net.fit(*examples(), epochs=2, batch_size=8, callbacks=[recorder])
    assert recorder.epochs == [0, 1, 2, 3, 4, 5]


def test_another_training_begins_a_new_recording():
    recorder, _ = recorded(3)
    net = cr.Network([3, cr.Dense(2, "softmax")], "cross_entropy", seed=0)
    net.fit(*examples(), epochs=1, callbacks=[recorder])
    assert recorder.epochs == [0, 1]
    assert recorder.spec == net.spec


def test_early_stopping_says_which_epoch_was_kept():
    recorder, net = recorded(300, validation_split=0.3, early_stopping=3)
    assert recorder.best_epoch == net.history.best_epoch
    assert np.array_equal(recorder.parameters(recorder.best_epoch), net.parameters)


def test_a_resumed_training_is_recorded_from_where_it_resumes(tmp_path):
    place = tmp_path / "checkpoint"

    def fails(event):
        if isinstance(event, cr.events.EpochEnded) and event.epoch == 4:
            raise KeyboardInterrupt

    options = {"batch_size": 8, "checkpoint": place, "every": 1}
    with pytest.raises(KeyboardInterrupt):
        network().fit(*examples(), epochs=9, callbacks=[fails], **options)
    recorder, net = cr.Recorder(), network()
    net.fit(*examples(), epochs=9, callbacks=[recorder], resume=True, **options)
    whole, _ = recorded(9)
    assert recorder.epochs[0] in (2, 3)
    assert recorder.epochs[-1] == 9
    assert recorder.columns["loss"] == whole.columns["loss"][recorder.epochs[0] :]
    for epoch in recorder.epochs:
        assert np.array_equal(recorder.parameters(epoch), whole.parameters(epoch))


def test_estimators_and_lbfgs_are_recorded():
    X, y = examples()
    for solver in ("adam", "lbfgs"):
        recorder = cr.Recorder()
        with np.errstate(all="ignore"):
            model = cr.MLPClassifier((4,), solver=solver, max_iter=5, tol=0, random_state=0)
            model.callbacks = [recorder]
            with pytest.warns(Warning, match="Maximum iterations|failed to converge"):
                model.fit(X, y)
        assert len(recorder) == 6
        assert np.array_equal(recorder.parameters(5), model.network_.parameters)


def test_a_returned_vector_is_a_copy():
    recorder, _ = recorded(1)
    recorder.parameters(1)[:] = 0
    assert recorder.parameters(1).any()


def test_activations_and_gradients_are_those_of_the_network():
    recorder, _ = recorded(3)
    X, y = examples()
    net = cr.Network.from_parameters(recorder.spec, recorder.parameters(3))
    hidden, output = recorder.layers(3)
    np.testing.assert_allclose(output.activations, net.predict(X), rtol=1e-5)
    Z = X @ net.weights[0].T + net.biases[0]
    np.testing.assert_allclose(hidden.activations, np.tanh(Z), rtol=1e-4, atol=1e-6)
    assert hidden.mean == pytest.approx(np.tanh(Z).mean(), rel=1e-3)
    _, gradient = net.loss_and_gradient(X, y)
    assert hidden.gradient_norm == pytest.approx(np.linalg.norm(gradient[:18]), rel=1e-4)
    assert output.gradient_norm == pytest.approx(np.linalg.norm(gradient[24:36]), rel=1e-4)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: cr.Recorder(every=0), "every: expected a whole number of at least 1; got 0"),
        (lambda: cr.Recorder(megabytes=0), "megabytes: expected a finite number > 0"),
        (lambda: cr.Recorder().parameters(0), "callbacks=\\[recorder\\]"),
        (lambda: cr.Recorder().picture(), "callbacks=\\[recorder\\]"),
        (lambda: recorded(3)[0].parameters(9), "epoch: .* 4 recorded .*; the nearest one is 3"),
        (lambda: recorded(3)[0].parameters(1.5), "epoch: expected one of .*; got 1.5"),
        (lambda: recorded(3)[0].picture(theme="blue"), "theme: expected light or dark"),
        (lambda: recorded(3)[0].picture(feature_names=["a"]), "feature_names: expected 3 names"),
        (lambda: recorded(3)[0].picture(class_names="ab"), "class_names: .* got a text"),
    ],
)
def test_what_cannot_be_is_refused_with_its_reason(call, message):
    with pytest.raises(InvalidArgumentError, match=message):
        call()


def test_a_picture_of_an_epoch_can_be_saved_and_shown(tmp_path):
    recorder, _ = recorded(4)
    picture = recorder.picture(2, class_names=["<b>no", "yes$x$"])
    assert "epoch 2" in str(picture)
    assert picture._repr_html_().startswith("<img ")
    for suffix, begin in (("svg", b"<?xml"), ("png", b"\x89PNG"), ("pdf", b"%PDF")):
        path = tmp_path / f"still.{suffix}"
        picture.save(path)
        assert path.read_bytes().startswith(begin)
