"""Trainings of a session against `chainrule.train` with the same configuration."""

import time
import tomllib

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import chainrule as cr
from chainrule.errors import InvalidArgumentError
from chainrule.playground.data.tables import OwnTables
from chainrule.playground.session.base import ReadOnlyError
from chainrule.playground.session.experiment import Experiment
from chainrule.playground.session.state import wanted

from .pages import Page, page_of

CIRCLE = {"data": {"kind": "toy", "name": "circle", "noise": 10}}
STATES = {
    "circle": CIRCLE,
    "values": {"data": {"kind": "toy", "name": "plane"}, "settings": {"optimizer": "adam"}},
    "dropout": {
        "data": {"kind": "toy", "name": "spiral"},
        "inputs": ["x1", "x2", "sin_x1"],
        "settings": {"layers": [6, 6], "dropout": [0.3], "batch_norm": True, "optimizer": "adamw"},
    },
    "averages": {"data": {"kind": "toy", "name": "xor"}, "settings": {"ema_decay": 0.95}},
    "wine": {"data": {"kind": "sample", "name": "wine"}, "settings": {"batch_size": 16}},
}


def trained(state, epochs, callbacks=()):
    """Return the network of a run of the package with this state, after some epochs."""
    chosen = wanted(state, OwnTables())
    training = {
        name: value
        for section in chosen.config.values().values()
        for name, value in section.items()
        if name not in ("target", "epochs", "patience")
    }
    training |= {"epochs": epochs, "patience": 10_000, "early_stopping": False}
    target = chosen.config.data.target
    run = cr.train(chosen.table(), target, callbacks=callbacks, verbose=False, **training)
    return run.model.network


def parameters(page):
    return page.session._ready().parameters


@pytest.mark.parametrize("name", STATES)
def test_weights_shown_are_those_of_train_to_the_bit(name):
    with page_of(STATES[name]) as page:
        page.steps("epoch", 3)
        page.steps("epoch", 2)
        network, shown = trained(STATES[name], 5), page.ask("weights")
        assert shown["epoch"] == 5
        assert np.array_equal(parameters(page), network.parameters)
        dense = shown["layers"]
        assert [one["W"] for one in dense] == [W.tolist() for W in network.weights]
        assert [one["b"] for one in dense] == [b.ravel().tolist() for b in network.biases]


def test_the_losses_shown_are_those_of_train():
    with page_of(CIRCLE) as page:
        page.steps("epoch", 6)
        history = page.ask("history")
    chosen = wanted(CIRCLE, OwnTables())
    fitted = chosen.prepared().train([lambda event: getattr(event, "epoch", 0) == 6])
    events = fitted.history.epochs
    assert history["train"] == [one.loss for one in events]
    assert history["test"] == [one.validation_loss for one in events]
    assert history["epochs"] == [1, 2, 3, 4, 5, 6]


def test_single_batches_go_through_the_same_steps():
    with page_of(CIRCLE) as page:
        batches = page.session._trained.plan.steps_per_epoch
        page.steps("batch", 1)
        assert (page.ask("weights")["epoch"], page.ask("weights")["step"]) == (0, 1)
        page.steps("batch", batches - 2)
        page.steps("batch", 3)
        assert (page.ask("weights")["epoch"], page.ask("weights")["step"]) == (1, batches + 2)
        page.steps("epoch", 1)
        assert page.ask("weights")["step"] == 2 * batches
        assert np.array_equal(parameters(page), trained(CIRCLE, 2).parameters)


def test_a_single_step_learns_from_the_rows_that_were_announced():
    with page_of(CIRCLE) as page:
        before = page.session._ready()
        page.steps("batch", 1)
        after = page.session._ready()
        examples = before.examples.take(before.rows)
        network = cr.Network.from_parameters(before.spec, before.parameters.copy())
        _, gradient = network.loss_and_gradient(examples.X, examples.Y)
        expected = before.parameters - before.learning_rate * gradient
        assert np.allclose(after.parameters, expected, rtol=1e-5, atol=1e-6)


def test_while_it_is_paused_nothing_changes():
    with page_of(CIRCLE) as page:
        page.ask("speed", epochs_per_second=None)
        page.ask("run")
        page.until(lambda: page.ask("weights")["epoch"] > 5)
        page.ask("pause")
        page.until(lambda: not page.status["running"])
        before, pushed = page.ask("weights"), len(page.pushed)
        page.frame()
        time.sleep(0.2)
        assert page.ask("weights") == before
        assert len(page.pushed) == pushed
        assert page.session.frame(page.client) is None


def test_running_at_a_speed_takes_its_time():
    with page_of(CIRCLE) as page:
        page.ask("speed", epochs_per_second=20)
        began = time.monotonic()
        page.ask("run")
        page.until(lambda: page.ask("weights")["epoch"] >= 20)
        # Faster would be wrong; a busy machine may be slower.
        assert time.monotonic() - began > 19 / 20 * 0.8


def test_reset_begins_with_the_same_weights():
    with page_of(CIRCLE) as page:
        first = parameters(page).copy()
        page.steps("epoch", 3)
        page.ask("reset")
        page.until(lambda: page.status["epoch"] == 0 and page.ask("weights")["epoch"] == 0)
        page.session.wait_until_ready()
        assert np.array_equal(parameters(page), first)
        assert page.ask("history")["epochs"] == []
        assert page.description["run"] == 2
        page.steps("epoch", 3)
        assert np.array_equal(parameters(page), trained(CIRCLE, 3).parameters)


def test_configure_replaces_a_running_training():
    with page_of(CIRCLE) as page:
        page.ask("speed", epochs_per_second=None)
        page.ask("run")
        answer = page.ask("configure", state=STATES["values"])
        assert answer["state"]["data"]["name"] == "plane"
        page.session.wait_until_ready()
        assert page.description["task"] == "regression"
        assert page.description["state"] == answer["state"]
        assert not page.status["running"]
        page.steps("epoch", 2)
        assert np.array_equal(parameters(page), trained(STATES["values"], 2).parameters)


def test_a_normalised_state_asks_for_the_same_training():
    with page_of(STATES["dropout"]) as page:
        state = page.description["state"]
        assert page.ask("configure", state=state)["state"] == state


def test_the_description_has_the_settings_that_a_state_leaves_open(tmp_path):
    path, own = tmp_path / "lines.csv", OwnTables()
    path.write_text("a,b\n" + "".join(f"{n},{n / 2 + n % 3}\n" for n in range(60)))
    table = own.add(path, "lines.csv")
    data = {"kind": "table", "table": table.identity, "target": "b"}
    with page_of({"data": data, "settings": {"layers": [3]}}, own) as page:
        settings, text = page.description["settings"], page.ask("code")["toml"]
        described = tomllib.loads(text)
        for name in ("activation", "batch_size", "l2", "layers", "learning_rate", "optimizer"):
            assert settings[name] == described["training"][name]
        assert settings["split"] == described["data"]["split"]
        assert settings["max_categories"] == described["encoding"]["max_categories"]


def test_after_the_last_epoch_run_goes_on_for_as_many_again():
    state = {**CIRCLE, "settings": {"epochs": 4}}
    with page_of(state) as page:
        page.train_to_the_end()
        assert (
            page.status["message"] == "finished: 4 epochs; Run continues for as many epochs again"
        )
        page.train_to_the_end()
        assert page.ask("weights")["epoch"] == 8
        assert np.array_equal(parameters(page), trained(CIRCLE, 8).parameters)


def test_a_schedule_over_the_epochs_ends_with_them():
    state = {**CIRCLE, "settings": {"epochs": 4, "schedule": "cosine"}}
    with page_of(state) as page:
        page.train_to_the_end()
        assert page.status["stopped"] == "finished"
        assert np.array_equal(parameters(page), trained(state, 4).parameters)
        with pytest.raises(InvalidArgumentError, match="the training has ended: finished"):
            page.ask("run")
        page.ask("reset")
        page.session.wait_until_ready()
        page.steps("epoch", 1)


def test_early_stopping_ends_at_the_best_epoch():
    state = {
        "data": {"kind": "sample", "name": "wdbc"},
        "settings": {"learning_rate": 0.05, "patience": 3, "schedule": "constant"},
    }
    with page_of(state) as page:
        page.train_to_the_end()
        page.until(lambda: page.status["stopped"] is not None)
        page.until(lambda: page.status["travel"] is not None)
        chosen = wanted(state, OwnTables())
        run = chosen.prepared().train()
        assert page.status["stopped"] == "converged"
        assert page.status["travel"] == run.best_epoch
        assert page.status["epoch"] == len(run.history.epochs)
        # The run's network is that of the best epoch, as is the one that is shown.
        assert np.array_equal(parameters(page), run.network.parameters)


def test_live_changes_and_edits_equal_a_training_with_these_changes():
    with page_of(CIRCLE) as page:
        page.steps("epoch", 2)
        page.ask("set", learning_rate=0.01, l2=3.0)
        page.ask("edit", name="W", layer=1, row=2, column=1, value=1.5)
        page.ask("edit", name="b", layer=3, row=0, value=-0.25)
        page.until(lambda: page.ask("weights")["layers"][2]["b"][0] == -0.25)
        assert page.ask("weights")["layers"][0]["W"][2][1] == 1.5
        page.steps("epoch", 2)
        page.ask("set", l1=1.0)
        page.steps("epoch", 1)
        changes = cr.Changes(
            {
                2: {
                    "learning_rate": 0.01,
                    "l2": 3.0,
                    "parameters": [("W", 1, 2, 1, 1.5), ("b", 3, 0, 0, -0.25)],
                },
                4: {"l1": 1.0},
            }
        )
        assert np.array_equal(parameters(page), trained(CIRCLE, 5, [changes]).parameters)


def test_a_change_of_a_running_training_is_made_between_two_epochs():
    with page_of(CIRCLE) as page:
        page.ask("speed", epochs_per_second=200)
        page.ask("run")
        page.until(lambda: page.ask("weights")["epoch"] > 2)
        assert page.ask("set", learning_rate=0.0) == {"after_epoch": True}
        page.until(lambda: page.session._trained.changes.values())
        (epoch,) = page.session._trained.changes.values()
        page.ask("pause")
        page.until(lambda: not page.status["running"])
        assert np.array_equal(parameters(page), trained(CIRCLE, epoch).parameters)


@pytest.mark.parametrize(
    ("kind", "fields", "message"),
    [
        ("set", {}, "set: expected learning_rate, l1 or l2"),
        ("set", {"learning_rate": -1}, "learning_rate: expected a finite number"),
        ("set", {"l2": "much"}, "l2: expected a finite number"),
        (
            "edit",
            {"name": "W", "layer": 9, "row": 0, "column": 0, "value": 1},
            "a dense layer from",
        ),
        ("edit", {"name": "W", "layer": 1, "row": 0, "column": 7, "value": 1}, "column < 2"),
        (
            "edit",
            {"name": "X", "layer": 1, "row": 0, "column": 0, "value": 1},
            "expected a list of",
        ),
        ("edit", {"name": "W", "layer": 1, "row": 0, "column": 0}, "expected a list of"),
        ("step", {"unit": "row"}, "unit: expected epoch or batch"),
        ("step", {"count": 0}, "count: expected a whole number of at least 1"),
        ("speed", {"epochs_per_second": -3}, "epochs_per_second: expected"),
        ("travel", {"epoch": -1}, "epoch: expected a whole number of at least 0"),
        ("travel", {"epoch": "1"}, "epoch: expected a whole number"),
        ("point", {"index": 500}, "index: expected a row from 0 to 499"),
        ("point", {"index": True}, "index: expected a row"),
        ("view", {"plane": "x1"}, "plane: expected"),
        (
            "view",
            {"plane": {"kind": "pair", "x": "x1", "y": "x9"}},
            "numbers that are inputs; got 'x9'",
        ),
        ("view", {"plane": {"kind": "pair", "x": "x1", "y": "x1"}}, "two different columns"),
        ("view", {"signal": "sideways"}, "signal: expected forward or backward"),
        ("view", {"detail": {"layer": 0, "unit": 0}}, "layer: expected a whole number of at least"),
        ("table", {"table": "nothing"}, "this table is not here"),
        ("rnu", {}, "there is no request 'rnu'; did you mean 'run'"),
        ("inspect", {"example": 10**9}, "index: expected a row|example"),
    ],
)
def test_requests_without_sense_are_refused_in_words(kind, fields, message):
    with page_of(CIRCLE) as page:
        page.steps("epoch", 1)
        with pytest.raises(InvalidArgumentError, match=message):
            page.ask(kind, **fields)
        page.steps("epoch", 1)  # and the session goes on


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ({**CIRCLE, "settings": {"group": "no such column"}}, "the table has no column"),
        ({**CIRCLE, "settings": {"batch_size": 10**9}}, ""),
    ],
)
def test_what_the_table_shows_too_late_becomes_a_message(state, message):
    with page_of(CIRCLE) as page:
        page.ask("configure", state=state)
        page.until(lambda: page.status["stopped"] or page.description["run"] == 2)
        if message:
            assert message in page.status["message"]
            assert page.status["stopped"] == "failed"
        page.ask("configure", state=CIRCLE)
        page.session.wait_until_ready()
        page.steps("epoch", 1)
        assert np.array_equal(parameters(page), trained(CIRCLE, 1).parameters)


def test_a_training_that_diverges_says_so_and_the_session_lives_on():
    state = {"data": {"kind": "toy", "name": "plane"}, "settings": {"learning_rate": 1e7}}
    with page_of(state) as page:
        page.train_to_the_end()
        page.until(lambda: page.status["stopped"])
        assert page.status["stopped"] == "diverged"
        assert "Use a smaller learning_rate" in page.status["message"]
        with pytest.raises(InvalidArgumentError, match="Reset it"):
            page.ask("run")
        page.ask("configure", state=CIRCLE)
        page.session.wait_until_ready()
        page.steps("epoch", 1)
        assert page.status["message"] == ""


def test_lbfgs_trains_iteration_by_iteration():
    state = {"data": {"kind": "toy", "name": "xor"}, "settings": {"optimizer": "lbfgs"}}
    with page_of(state) as page:
        page.steps("epoch", 2)
        page.steps("epoch", 1)
        assert page.ask("weights")["epoch"] == 3
        with pytest.raises(InvalidArgumentError, match="expected epoch, since lbfgs"):
            page.ask("step", unit="batch", count=1)
        chosen = wanted({**state, "settings": {"optimizer": "lbfgs", "epochs": 3}}, OwnTables())
        network = chosen.prepared().train().network
        assert np.array_equal(parameters(page), network.parameters)


def test_two_sessions_do_not_influence_each_other():
    with page_of(STATES["dropout"]) as one, page_of(CIRCLE) as other:
        for page in (one, other):
            page.ask("speed", epochs_per_second=None)
            page.ask("run")
        other.ask("set", learning_rate=0.5)
        one.until(lambda: one.ask("weights")["epoch"] > 20)
        for page in (one, other):
            page.ask("pause")
            page.until(lambda page=page: not page.status["running"])
        epoch = one.ask("weights")["epoch"]
        assert np.array_equal(parameters(one), trained(STATES["dropout"], epoch).parameters)


def test_two_pages_of_a_session_see_the_same_training():
    with page_of(CIRCLE) as page:
        second = Page(page.session)
        second.ask("view", plane={"kind": "pca"})
        assert second.description["plane"]["kind"] == "pca"
        assert page.description["plane"]["kind"] == "pair"
        page.steps("epoch", 2)
        assert second.ask("weights") == page.ask("weights")
        assert (page.frame()["output"] != second.frame()["output"]).any()
        page.session.disconnect(second.client)
        second.pushed.clear()
        page.steps("epoch", 1)
        assert second.pushed == []


def test_a_hidden_page_gets_no_frames():
    with page_of(CIRCLE) as page:
        page.ask("view", hidden=True)
        assert page.frame() is None
        assert not page.session.watched
        page.ask("view", hidden=False)
        assert page.frame() is not None


def test_a_finished_run_is_trained_again_and_cannot_be_changed():
    prepared = wanted({**CIRCLE, "settings": {"epochs": 5}}, OwnTables()).prepared()
    with page_of(prepared=prepared, read_only=True, mode="replay", notes=["a note"]) as page:
        assert page.session.hello()["read_only"]
        assert page.description["notes"][0] == "a note"
        for kind in ("configure", "set", "edit"):
            with pytest.raises(ReadOnlyError, match=f"{kind}: this run is finished"):
                page.ask(kind, learning_rate=1)
        page.train_to_the_end()
        page.until(lambda: page.status["stopped"])
        assert np.array_equal(parameters(page), prepared.train().network.parameters)


def test_a_closed_session_has_no_thread_left():
    session = Experiment(state=CIRCLE)
    session.wait_until_ready()
    page = Page(session)
    page.ask("run")
    session.close()
    assert not session._thread.is_alive()


REQUESTS = st.one_of(
    st.just(("run", {})),
    st.just(("pause", {})),
    st.just(("reset", {})),
    st.builds(lambda n: ("step", {"unit": "epoch", "count": n}), st.integers(1, 3)),
    st.builds(lambda n: ("step", {"unit": "batch", "count": n}), st.integers(1, 30)),
    st.builds(lambda r: ("set", {"learning_rate": r}), st.floats(0.001, 0.5)),
    st.builds(
        lambda v: ("edit", {"name": "W", "layer": 1, "row": 0, "column": 1, "value": v}),
        st.floats(-2, 2, width=32),
    ),
    st.builds(lambda e: ("travel", {"epoch": e}), st.none() | st.integers(0, 5)),
    st.just(("weights", {})),
    st.just(("history", {})),
    st.just(("code", {})),
    st.just(("configure", {"state": CIRCLE})),
    st.builds(lambda s: ("speed", {"epochs_per_second": s}), st.none() | st.floats(50, 500)),
)


@settings(deadline=None, max_examples=15, suppress_health_check=list(HealthCheck))
@given(requests=st.lists(REQUESTS, min_size=3, max_size=12))
def test_after_any_requests_the_network_is_that_of_its_changes_and_epoch(requests):
    with page_of(CIRCLE) as page:
        for kind, fields in requests:
            try:
                page.ask(kind, **fields)
            except InvalidArgumentError:
                continue
            page.frame()
        page.ask("pause")
        page.session.wait_until_ready()
        page.until(lambda: not page.status["running"])
        page.ask("travel", epoch=None)
        if page.ask("weights")["step"] % page.session._trained.plan.steps_per_epoch:
            page.steps("epoch", 1)
        time.sleep(0.01)
        page.until(lambda: not page.session._wishes.changes)
        epoch, made = page.ask("weights")["epoch"], page.session._trained.changes.values()
        if epoch:
            network = trained(CIRCLE, epoch, [cr.Changes(made)])
            page.until(lambda: np.array_equal(parameters(page), network.parameters))


def test_requests_from_many_threads_at_once_do_no_harm():
    from concurrent.futures import ThreadPoolExecutor

    kinds = ["run", "pause", "step", "weights", "history", "code", "travel", "reset", "set"]
    fields = {"travel": {"epoch": 1}, "set": {"learning_rate": 0.1}, "step": {"count": 2}}
    random = np.random.default_rng(0)
    with page_of(CIRCLE) as page:

        def ask(number):
            kind = kinds[number % len(kinds)]
            try:
                page.ask(kind, **fields.get(kind, {}))
                page.frame()
            except InvalidArgumentError:
                pass

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(ask, random.integers(0, 100, 300).tolist()))
        page.ask("configure", state=CIRCLE)
        page.session.wait_until_ready()
        page.steps("epoch", 2)
        assert np.array_equal(parameters(page), trained(CIRCLE, 2).parameters)
