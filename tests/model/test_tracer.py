"""Tracer: steps of a training, whose numbers are the training's own."""

import numpy as np
import polars as pl
import pytest

import chainrule as cr
from chainrule.engines.base import Penalties, Problem, UpdateRule
from chainrule.engines.optimizers import OPTIMIZERS
from chainrule.errors import InvalidArgumentError
from chainrule.inspection.trace import trace_step
from chainrule.network.parameters import placed_blocks
from chainrule.training.examples import as_examples
from tests.numerics import assert_within, epsilon

_random = np.random.default_rng(7)
X = _random.standard_normal((23, 3))
Y = (X[:, 0] * X[:, 1] > 0).astype(int)
WEIGHTS = _random.uniform(0.5, 2.0, 23)

# What the compiled core's order of additions may change in a gradient: sums of at most eight terms
# of order one, through two layers and back.
GRADIENT = 200 * epsilon("float64")


class Recorded:
    """What a callback sees between all steps: parameters, optimizer state, learning rate, rows."""

    def __init__(self):
        self.moments = {}

    def __call__(self, event):
        pass

    def training_begins(self, training):
        self.training = training

    def steps_left(self, done):
        return 0 if done not in self.moments or self.moments[done][2].rows is None else 1

    def between_steps(self, moment):
        state = self.training.state
        self.moments[moment.step] = (state.moving.copy(), state.memory.copy(), moment)


def network(*between, **arguments):
    arguments = {"cost": "cross_entropy", "seed": 1, "dtype": "float64"} | arguments
    return cr.Network([3, cr.Dense(5, "tanh"), *between, cr.Dense(2, "softmax")], **arguments)


KINDS = [(name, ema) for name in OPTIMIZERS for ema in (0.0, 0.9) if not
         (ema and OPTIMIZERS[name].averages)]  # fmt: skip


@pytest.mark.parametrize("engine", ["native", "reference"])
@pytest.mark.parametrize(("name", "ema_decay"), KINDS)
def test_a_kept_step_has_the_bits_of_the_training(name, ema_decay, engine):
    kind = OPTIMIZERS[name]
    schedule = cr.CosineDecay(0.02, final=0.001)
    optimizer = kind(schedule) if kind.averages else kind(schedule, ema_decay=ema_decay)
    net = network(cr.Dropout(0.3), cr.BatchNorm())
    tracer, seen = cr.Tracer(steps=[1, 2, 3, 8, 9, 17]), Recorded()
    arguments = {"l1": 0.01, "l2": 0.02, "max_grad_norm": 0.3, "label_smoothing": 0.1}
    net.fit(X, Y, optimizer=optimizer, epochs=6, batch_size=8, sample_weight=WEIGHTS,
            engine=engine, callbacks=[tracer, seen], **arguments)  # fmt: skip
    plain = network(cr.Dropout(0.3), cr.BatchNorm())
    plain.fit(X, Y, optimizer=optimizer, epochs=6, batch_size=8, sample_weight=WEIGHTS,
              engine=engine, **arguments)  # fmt: skip
    np.testing.assert_array_equal(net.parameters, plain.parameters)
    assert list(tracer.traces) == [1, 2, 3, 8, 9, 17]
    for step, trace in tracer.traces.items():
        before, memory, moment = seen.moments[step - 1]
        after, memory_after, _ = seen.moments[step]
        np.testing.assert_array_equal(trace.parameters, before)
        np.testing.assert_array_equal(trace.new_parameters, after)
        np.testing.assert_array_equal(trace.rows, moment.rows)
        assert trace.learning_rate == moment.learning_rate
        assert (trace.t, trace.step, trace.epoch) == (step, step, (step - 1) // 3 + 1)
        np.testing.assert_array_equal(trace.X, X[moment.rows].T)
        symbols = [key for key in trace.optimizer_state if key != "t"]
        for place, symbol in enumerate(symbols):
            slot = memory_after.slots[place]
            np.testing.assert_array_equal(trace.optimizer_state[symbol], slot)
            for block in (b for b in placed_blocks(net.spec) if b.block.has_gradient):
                shown = trace[f"{symbol} of {block.name}"].ravel()
                np.testing.assert_array_equal(shown, slot[block.slice])
        assert memory.t == step - 1


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_the_equations_take_the_step_that_the_training_took(name):
    optimizer = OPTIMIZERS[name](0.01)
    net, tracer, seen = network(cr.Dropout(0.3)), cr.Tracer([1, 2, 7]), Recorded()
    arguments = {"l1": 0.01, "l2": 0.02, "max_grad_norm": 0.3}
    net.fit(X, Y, optimizer=optimizer, epochs=3, batch_size=8, sample_weight=WEIGHTS,
            callbacks=[tracer, seen], **arguments)  # fmt: skip
    examples = as_examples(net.spec, X, Y, WEIGHTS)
    for step, trace in tracer.traces.items():
        _, memory, _ = seen.moments[step - 1]
        batch = examples.take(trace.rows)
        problem = Problem(net.spec, trace.parameters, batch, Penalties(0.01, 0.02))
        again = trace_step(
            problem, UpdateRule(optimizer, 0.3), memory, net.optimizer_state.noise_key
        )
        assert again.loss == trace.loss
        for l in (1, 3):  # noqa: E741 - the field's letter
            for block in (f"W[{l}]", f"b[{l}]"):
                bound = 0.01 * _change(name, trace, block) + 4 * epsilon("float64")
                assert (np.abs(again[f"new {block}"] - trace[f"new {block}"]) <= bound).all()


def _change(name, trace, block):
    """Return how much an update by α = 1 changes when its gradient changes by GRADIENT."""
    g = trace[f"g of {block}"]
    if name == "lion":  # a sign turns where its argument is no larger than a rounding
        old = 0.0 if trace.t == 1 else trace[f"old V of {block}"]
        return 2.0 * (np.abs(0.9 * old + 0.1 * g) <= GRADIENT)
    if name in ("sgd", "momentum", "heavy_ball", "nesterov"):
        return 2 * GRADIENT
    # d(v/(s + ε)) ≤ dv/(s + ε) + v ds/(s + ε)², with s = √Ŝ, of which ds ≤ dg.
    S_hat = f"Ŝ of {block}" if name != "rmsprop" else f"S of {block}"
    s = np.sqrt(trace[S_hat]) + 1e-8
    v = trace[f"V̂ of {block}"] if "adam" in name and "free" not in name else g
    return GRADIENT * (1 + np.abs(v) / s) / s


def test_steps_are_counted_over_the_whole_of_a_resumed_training(tmp_path):
    class StopError(Exception):
        pass

    def stop(event):
        if isinstance(event, cr.events.EpochEnded) and event.epoch == 2:
            raise StopError

    whole, there = network(), cr.Tracer([8])
    whole.fit(X, Y, epochs=4, batch_size=8, callbacks=[there])
    arguments = {"epochs": 4, "batch_size": 8, "checkpoint": tmp_path / "c", "every": 1}
    with pytest.raises(StopError):
        network().fit(X, Y, callbacks=[stop], **arguments)
    tracer, net = cr.Tracer([2, 8]), network()
    net.fit(X, Y, callbacks=[tracer], resume=True, **arguments)
    assert list(tracer.traces) == [8]
    np.testing.assert_array_equal(tracer.traces[8].new_parameters, there.traces[8].new_parameters)
    assert str(tracer.traces[8]) == str(there.traces[8])


def test_the_next_step_of_a_training_is_that_of_its_state():
    net, tracer = network(cr.Dropout(0.3)), cr.Tracer([4])
    net.fit(X[:8], Y[:8], epochs=3, batch_size=8, shuffle=False)
    traced = net.trace(X[:8], Y[:8], state=net.optimizer_state)
    whole = network(cr.Dropout(0.3))
    whole.fit(X[:8], Y[:8], epochs=4, batch_size=8, shuffle=False, callbacks=[tracer])
    kept = tracer.traces[4]
    assert traced.t == kept.t == 4
    for name in ("M[2]", "Z[3]", "δ[1]", "old V of W[1]"):
        np.testing.assert_array_equal(traced[name], kept[name])
    assert_within(traced.new_parameters, kept.new_parameters, 1e-9)


def test_chosen_rows_alone_are_shown_of_a_batch():
    net, tracer = network(), cr.Tracer([1, 2, 3], rows=[4, 11])
    net.fit(X, Y, epochs=1, batch_size=8, callbacks=[tracer])
    shown = [row for trace in tracer.traces.values() for row in trace.rows]
    assert sorted(shown) == [4, 11]
    whole = cr.Tracer([1, 2, 3])
    network().fit(X, Y, epochs=1, batch_size=8, callbacks=[whole])
    for step, trace in tracer.traces.items():
        np.testing.assert_array_equal(trace.X, X[trace.rows].T)
        for name in ("∂J/∂W[1]", "new W[1]"):
            np.testing.assert_array_equal(trace[name], whole.traces[step][name])
        assert str(trace)
        assert trace.to_html()
        assert trace.to_latex()


def test_a_shared_penalty_is_shown_as_the_batch_has_it():
    tracer = cr.Tracer([1])
    model = cr.MLPClassifier((4,), alpha=0.5, batch_size=8, random_state=0, callbacks=[tracer])
    model.partial_fit(X, Y, classes=[0, 1])
    assert tracer.traces[1]["l2"] == pytest.approx(0.5 / 8)


def test_estimators_and_trainings_of_tables_are_traced():
    tracer = cr.Tracer([1, 4])
    model = cr.NetworkClassifier((4,), max_iter=2, batch_size=8, random_state=0)
    model.set_params(callbacks=[tracer]).fit(X, Y)
    assert list(tracer.traces) == [1, 4]
    table = pl.DataFrame(X, schema=["a", "b", "c"]).with_columns(y=pl.Series(Y))
    cr.train(table, "y", epochs=1, callbacks=[tracer])
    assert list(tracer.traces) == [1]


def test_lbfgs_has_no_steps_to_keep():
    model = cr.MLPClassifier((4,), solver="lbfgs", callbacks=[cr.Tracer([1])])
    with pytest.raises(InvalidArgumentError, match="expected no Tracer with L-BFGS"):
        model.fit(X, Y)


def test_traces_that_would_take_too_much_memory_are_refused_with_a_remedy():
    net = cr.Network([3, cr.Dense(300, "tanh"), cr.Dense(2, "softmax")], "cross_entropy", seed=0)
    said = r"^steps: expected traces of at most 1 MB, .*; got 40 of about 1 MB each\. Keep fewer"
    with pytest.raises(InvalidArgumentError, match=said):
        net.fit(X, Y, callbacks=[cr.Tracer(range(1, 41), most_megabytes=1)])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"steps": []}, r"^steps: expected a list of whole numbers"),
        ({"steps": 3}, r"^steps: expected a list of whole numbers, such as \[1, 2, 100\]; got 3"),
        ({"steps": [0]}, r"^steps: expected a whole number of at least 1; got 0"),
        ({"rows": [-1]}, r"^rows: expected a whole number of at least 0; got -1"),
        ({"most_megabytes": 0}, r"^most_megabytes: expected"),
    ],
)
def test_arguments_that_do_not_fit_are_refused(arguments, said):
    with pytest.raises(InvalidArgumentError, match=said):
        cr.Tracer(**arguments)


def test_rows_beyond_the_examples_are_refused_when_the_training_begins():
    with pytest.raises(InvalidArgumentError, match=r"^rows: expected numbers from 0 to 22"):
        network().fit(X, Y, callbacks=[cr.Tracer([1], rows=[23])])
