"""Networks of several kinds of layer on every engine: training steps, and everything else."""

import numpy as np
import pytest

from chainrule.engines.base import Batches, Examples, Penalties, Problem, StepRecords, UpdateRule
from chainrule.engines.optimizers import SGD, Adam, AdamW, Momentum
from chainrule.network.layers import (
    BatchEnsemble,
    BatchNorm,
    CategoryEmbedding,
    Dense,
    Dropout,
    GroupedDense,
    ParametricActivation,
    PeriodicEmbedding,
    PiecewiseLinearEmbedding,
    Scale,
)
from chainrule.network.parameters import initial_parameters, placed_blocks
from chainrule.network.random import dropout_factors, noise_key, step_noise
from chainrule.network.spec import NetworkSpec
from tests.numerics import assert_within, epsilon
from tests.oracles_layers import cost_and_gradient

KEY = noise_key(11)

DROPS = (Dropout(0.2), Dense(9, "gelu"), Dropout(0.5), Dense(3, "softmax"))
NORMAL = (Dense(9, "identity"), BatchNorm("gelu"), Dense(3, "softmax"))
MIXED = (
    BatchNorm(),
    Dense(7, "softmax"),
    Dropout(0.4),
    BatchNorm("relu", momentum=0.5, epsilon=1e-3),
    Dense(6, "relu"),
    BatchNorm("softmax"),
    Dropout(0.3),
    Dense(5, "tanh"),
    Dropout(0.25),
    Dropout(0.1),
    Dense(3, "softmax"),
)
EMBEDDED = (CategoryEmbedding([(2, 5, 3), (0, 3, 2)]), Dense(9, "gelu"), Dense(3, "softmax"))
SCALED = (Scale(), Dense(9, "gelu"), Scale(), Dense(7, "softmax"), Scale(), Dense(3, "softmax"))
ALL = (
    CategoryEmbedding([(1, 4, 4), (3, 2, 1), (2, 7, 2)]),
    PiecewiseLinearEmbedding([(0, [-0.5, 0.5, 1.0])]),
    Dropout(0.1),
    BatchNorm("tanh"),
    Dense(6, "identity"),
    BatchNorm("relu"),
    Scale(),
    ParametricActivation("gelu", 0.5),
    PeriodicEmbedding([2, 4], frequencies=3, size=3),
    GroupedDense(8, 2, "silu"),
    BatchEnsemble(6, 2, "tanh"),
    Dropout(0.3),
    Dense(3, "softmax"),
)
BINS = PiecewiseLinearEmbedding([(3, [-1.0, -0.2, 0.3, 1.5]), (0, [0.0, 0.7])])
BINNED = (
    BINS,
    Dense(9, "gelu"),
    PiecewiseLinearEmbedding([(8, [-0.1, 0.1, 0.4]), (2, [0.0, 0.2, 0.3])]),
    Dense(7, "relu"),
    PiecewiseLinearEmbedding([(0, [0.1, 0.5])]),
    Dense(5, "softmax"),
    PiecewiseLinearEmbedding([(1, [0.1, 0.15, 0.3])]),
    Dense(3, "softmax"),
)
PARAMETRIC = (
    ParametricActivation("tanh"),
    Dense(9, "identity"),
    ParametricActivation("gelu"),
    Dense(7, "relu"),
    ParametricActivation("sigmoid"),
    Dense(5, "softmax"),
    ParametricActivation("relu"),
    Dense(3, "softmax"),
)
PERIODIC = (
    PeriodicEmbedding(frequencies=5),
    Dense(9, "gelu"),
    PeriodicEmbedding([7, 0], frequencies=2, size=2),
    Dense(7, "relu"),
    PeriodicEmbedding([3], frequencies=1, size=3),
    Dense(5, "softmax"),
    PeriodicEmbedding(frequencies=3, size=2),
    Dense(3, "softmax"),
)
GROUPED = (
    Dense(8, "relu"),
    GroupedDense(12, 4, "gelu"),
    GroupedDense(6, 2, "relu"),
    GroupedDense(4, 1, "identity"),
    Dense(9, "softmax"),
    GroupedDense(6, 3, "tanh"),
    BatchNorm(),
    GroupedDense(6, 6, "relu"),
    Dense(3, "softmax"),
)
SHARED = (
    BatchEnsemble(12, 3, "gelu", shared_input=True),
    BatchEnsemble(6, 3, "relu"),
    BatchEnsemble(4, 1, "identity"),
    BatchEnsemble(8, 2, "relu", shared_input=True),
    Dense(9, "softmax"),
    BatchEnsemble(6, 3, "tanh"),
    BatchNorm(),
    BatchEnsemble(6, 6, "relu"),
    Dense(3, "softmax"),
)
NETWORKS = {
    "dropout": DROPS,
    "batch norm": NORMAL,
    "both": MIXED,
    "embeddings": EMBEDDED,
    "scales": SCALED,
    "parametric": PARAMETRIC,
    "periodic": PERIODIC,
    "bins": BINNED,
    "groups": GROUPED,
    "shared weights": SHARED,
    "all kinds": ALL,
}
every_network = pytest.mark.parametrize("layers", NETWORKS.values(), ids=NETWORKS)


def network(layers, dtype="float64", cost="cross_entropy", n=4):
    return NetworkSpec(n, layers, cost, dtype=dtype)


def parameters(spec, seed=0):
    """Draw parameters all of which matter: no zeros, no ones, positive variances."""
    theta = initial_parameters(spec, seed).astype(np.float64)
    random = np.random.default_rng(seed)
    for placed in placed_blocks(spec):
        if not placed.block.penalised:  # the others are drawn, and none of them is 0
            theta[placed.slice] = random.uniform(0.5, 1.5, theta[placed.slice].size)
    return theta.astype(spec.dtype)


def examples(spec, m, seed=0, weighted=False):
    random = np.random.default_rng(seed)
    X = random.standard_normal((m, spec.n_features))
    tables = spec.layers[0].columns if spec.layers[0].codes else ()
    for column, codes, _ in tables:
        X[:, column] = random.integers(0, codes, m)
    Y = np.eye(spec.n_outputs)[random.integers(0, spec.n_outputs, m)]
    weights = random.uniform(0.5, 2, m) if weighted else None
    return Examples(X, Y, weights).astype(spec.dtype)


def train(engine, spec, data, optimizer, batch, penalties=None, theta=None, state=None, **given):
    theta = (parameters(spec) if theta is None else theta).copy()
    state = optimizer.new_state(theta) if state is None else state
    order = given.get("order", np.arange(len(data.X), dtype=np.int32))[None]
    steps = -(-order.shape[1] // batch)
    records = StepRecords(np.empty(steps), np.empty(steps), np.empty(steps))
    engine.train(
        Problem(spec, theta, data, penalties or Penalties()),
        UpdateRule(optimizer, given.get("max_grad_norm", float("inf"))),
        state,
        Batches(order, batch, optimizer.learning_rates(state.t + 1, steps), given.get("key", KEY)),
        records,
    )
    return theta, state, records


def factors(spec, step, m, key=KEY):
    """Return M of every dropout layer, in rows."""
    noise = step_noise(key, step)
    return {
        number: dropout_factors(noise, number, np.arange(n), np.arange(m), layer.rate).T
        for number, (layer, n) in enumerate(zip(spec.layers, spec.sizes[1:], strict=True), start=1)
        if isinstance(layer, Dropout)
    }


def block(spec, vector, name, layer):
    return next(
        vector[p.slice] for p in placed_blocks(spec) if (p.block.name, p.layer) == (name, layer)
    )


def statistics(spec):
    mask = np.zeros(sum(p.slice.stop - p.slice.start for p in placed_blocks(spec)), bool)
    for placed in placed_blocks(spec):
        mask[placed.slice] = placed.block.group == "statistics"
    return mask


@every_network
@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
@pytest.mark.parametrize("m", [2, 13, 70])
def test_a_training_step_descends_the_gradient_of_automatic_differentiation(
    engine, layers, weighted, m
):
    spec = network(layers)
    theta, data = parameters(spec), examples(spec, m, weighted=weighted)
    after, _, records = train(engine, spec, data, SGD(1.0), m, theta=theta)
    cost, gradient = cost_and_gradient(spec, theta, *data, factors(spec, 1, m))
    moved = ~statistics(spec)
    # Sums of at most 70 terms of order 10, in some eleven layers; batches of two are all but
    # singular: √(v + ε) may be near √ε.
    bound = 1e-9 * (1 + np.abs(gradient).max())
    assert_within((theta - after)[moved], gradient[moved], bound)
    assert_within(records.cost[0], cost, 1e-11)
    assert_within(records.gradient_norm[0], np.linalg.norm(gradient), bound)


def test_every_step_drops_by_its_own_number(engine):
    spec = network(DROPS)
    theta, data = parameters(spec), examples(spec, 24)
    after, state, _ = train(engine, spec, data, SGD(0.1), 8, theta=theta)
    for step in range(3):
        part = data.take(np.arange(8 * step, 8 * step + 8))
        theta = theta - 0.1 * cost_and_gradient(spec, theta, *part, factors(spec, step + 1, 8))[1]
    assert_within(after, theta, 1e-12)
    assert state.t == 3


@every_network
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_steps_in_pieces_of_several_kinds_give_the_same_bits(engine, layers, dtype):
    spec = network(layers, dtype)
    data, optimizer = examples(spec, 60, weighted=True), Adam(0.01)
    whole, whole_state, _ = train(engine, spec, data, optimizer, 8)
    theta, state = parameters(spec), optimizer.new_state(parameters(spec))
    for start, stop in ((0, 8), (8, 40), (40, 60)):
        order = np.arange(start, stop, dtype=np.int32)
        theta, state, _ = train(
            engine, spec, data, optimizer, 8, theta=theta, state=state, order=order
        )
    np.testing.assert_array_equal(theta, whole)
    np.testing.assert_array_equal(state.slots, whole_state.slots)


def test_the_key_decides_what_is_dropped(engine):
    spec, optimizer = network(DROPS), SGD(0.1)
    data = examples(spec, 20)
    one, again, other = (train(engine, spec, data, optimizer, 5, key=key)[0] for key in (1, 1, 2))
    np.testing.assert_array_equal(one, again)
    assert (one != other).any()


def test_a_prediction_a_loss_and_its_gradient_drop_nothing(engine):
    spec = network(DROPS)
    without = network(tuple(layer for layer in DROPS if isinstance(layer, Dense)))
    theta, data = parameters(spec), examples(spec, 30)
    results = []
    for each in (spec, without):
        outputs, gradient = np.empty((30, 3)), np.empty_like(theta)
        engine.forward(each, theta, data.X, outputs)
        loss = engine.loss(Problem(each, theta, data, Penalties(1e-3, 1e-2)))
        also = engine.loss_and_gradient(Problem(each, theta, data, Penalties(1e-3, 1e-2)), gradient)
        results.append((outputs, gradient, np.array([loss, also])))
    for one, other in zip(*results, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_rate_of_zero_changes_no_step(engine):
    spec = network((Dense(9, "gelu"), Dropout(0.0), Dense(3, "softmax")))
    without = network((Dense(9, "gelu"), Dense(3, "softmax")))
    data = examples(spec, 30)
    results = [train(engine, s, data, Adam(0.01), 7, theta=parameters(spec))[0]
               for s in (spec, without)]  # fmt: skip
    np.testing.assert_array_equal(*results)


def test_a_prediction_takes_the_running_statistics_of_each_example_alone(engine):
    spec = network(NORMAL)
    theta, data = parameters(spec), examples(spec, 10)
    outputs, alone = np.empty((10, 3)), np.empty((1, 3))
    engine.forward(spec, theta, data.X, outputs)
    # Written again, in rows: a dense layer, (z − μ)/√(v + ε) γ + β, GELU, a dense layer, softmax.
    W, b = theta[:36].reshape(9, 4), theta[36:45]
    scale, shift, mean, variance = theta[45:81].reshape(4, 9)
    V, c = theta[81:108].reshape(3, 9), theta[108:]
    z = (data.X @ W.T + b - mean) / np.sqrt(variance + 1e-5) * scale + shift
    from scipy.special import ndtr, softmax

    expected = softmax(z * ndtr(z) @ V.T + c, axis=1)
    assert_within(outputs, expected, 100 * epsilon("float64"))
    engine.forward(spec, theta, np.ascontiguousarray(data.X[3:4]), alone)
    assert_within(alone[0], outputs[3], 100 * epsilon("float64"))


@every_network
def test_the_gradient_of_a_loss_equals_central_differences_and_is_0_at_statistics(engine, layers):
    spec = network(layers)
    theta, data = parameters(spec), examples(spec, 12, weighted=True)
    penalties = Penalties(l2=0.1)
    gradient = np.full_like(theta, np.nan)
    engine.loss_and_gradient(Problem(spec, theta, data, penalties), gradient)
    still = statistics(spec)
    np.testing.assert_array_equal(gradient[still], 0.0)
    random, h = np.random.default_rng(1), 1e-6
    for _ in range(5):
        direction = np.where(still, 0.0, random.standard_normal(theta.size))
        losses = [
            engine.loss(Problem(spec, theta + sign * h * direction, data, penalties))
            for sign in (1, -1)
        ]
        # h² J‴/6 and ε J/h, with a third derivative along some fifty entries of order 1000.
        assert_within((losses[0] - losses[1]) / (2 * h), gradient @ direction, 1e-7)


def test_running_statistics_follow_the_batches(engine):
    spec = network((BatchNorm(momentum=0.75), Dense(3, "softmax")))
    theta, data = parameters(spec), examples(spec, 12, weighted=True)
    after, _, _ = train(engine, spec, data, SGD(0.1), 6, theta=theta)
    mean, variance = theta[8:12], theta[12:16]
    for rows in (slice(6), slice(6, 12)):
        X, w = data.X[rows], data.weights[rows]
        batch = np.average(X, axis=0, weights=w)
        mean = 0.75 * mean + 0.25 * batch
        variance = 0.75 * variance + 0.25 * np.average((X - batch) ** 2, axis=0, weights=w)
    assert_within(after[8:12], mean, 20 * epsilon("float64"))
    assert_within(after[12:16], variance, 50 * epsilon("float64"))


def test_after_many_epochs_predictions_are_those_of_the_whole_table(engine):
    # One batch holds all examples: what the steps saw is where the running values end.
    spec = network((Dense(6, "identity"), BatchNorm("tanh"), Dense(3, "softmax")))
    theta, data = parameters(spec), examples(spec, 40)
    for _ in range(200):
        theta, _, records = train(engine, spec, data, SGD(0.0), 40, theta=theta)
    loss = engine.loss(Problem(spec, theta, data))
    # 0.9^200 of the beginning is left.
    assert_within(loss, records.cost[0], 1e-7)


def test_a_weight_of_two_trains_as_the_example_twice(engine):
    spec = network(NORMAL)
    data = examples(spec, 8)
    weighted = data._replace(weights=np.array([2.0, 1, 1, 2, 1, 1, 1, 1]))
    twice = data.take(np.array([0, 0, 1, 2, 3, 3, 4, 5, 6, 7]))
    one, _, first = train(engine, spec, weighted, Momentum(0.1), 8)
    other, _, second = train(engine, spec, twice, Momentum(0.1), 10)
    assert_within(one, other, 1e-12)
    assert_within(first.cost, second.cost, 1e-13)


def test_a_batch_without_weight_leaves_running_statistics_alone(engine):
    spec = network(NORMAL)
    theta = parameters(spec)
    data = examples(spec, 6)._replace(weights=np.zeros(6))
    after, _, records = train(engine, spec, data, SGD(0.1), 3, theta=theta)
    np.testing.assert_array_equal(after, theta)
    np.testing.assert_array_equal(records.cost, 0.0)
    np.testing.assert_array_equal(records.gradient_norm, 0.0)


def test_penalties_and_decay_act_on_weights_alone(engine):
    spec = network(NORMAL)
    theta = parameters(spec)
    data = examples(spec, 6)._replace(weights=np.zeros(6))
    penalties = Penalties(l1=0.1, l2=0.2)
    after, _, records = train(
        engine, spec, data, AdamW(0.1, weight_decay=0.5), 6, penalties, theta=theta
    )
    for name, layer in (("b", 1), ("γ", 2), ("β", 2), ("μ", 2), ("v", 2), ("b", 3)):
        np.testing.assert_array_equal(
            block(spec, after, name, layer), block(spec, theta, name, layer)
        )
    W = np.concatenate([block(spec, theta, "W", 1), block(spec, theta, "W", 3)])
    assert_within(records.penalty[0], 0.1 * (W**2).sum() + 0.1 * np.abs(W).sum(), 1e-13)
    assert (block(spec, after, "W", 1) != block(spec, theta, "W", 1)).all()


def test_clipped_steps_scale_every_gradient_and_no_statistic(engine):
    spec = network(MIXED)
    theta, data = parameters(spec), examples(spec, 20)
    free, _, records = train(engine, spec, data, SGD(1.0), 20, theta=theta)
    norm = records.gradient_norm[0]
    clipped, _, records = train(
        engine, spec, data, SGD(1.0), 20, theta=theta, max_grad_norm=norm / 4
    )
    still = statistics(spec)
    assert_within((clipped - theta)[~still], (free - theta)[~still] / 4, 1e-12)
    np.testing.assert_array_equal(clipped[still], free[still])
    assert_within(records.gradient_norm[0], norm, 1e-11)


def test_classes_train_as_their_rows(engine):
    spec = network(MIXED)
    data = examples(spec, 20)
    classes = data._replace(Y=data.Y.argmax(axis=1).astype(np.int32))
    np.testing.assert_array_equal(
        train(engine, spec, data, Adam(0.01), 6)[0], train(engine, spec, classes, Adam(0.01), 6)[0]
    )


def test_a_lookup_takes_the_row_of_each_code_after_the_inputs_that_pass(engine):
    # Two units of the output are the inputs that pass, four what was looked up.
    layers = (CategoryEmbedding([(2, 3, 2), (0, 2, 2)]), Dense(6, "identity"))
    spec = network(layers, cost="mse")
    tables = np.array([1.0, 2, 3, 4, 5, 6, 10, 20, 30, 40])
    theta = np.concatenate([tables, np.eye(6).ravel(), np.zeros(6)])
    X = np.array([[1, 0.5, 2, -7], [0, 0.25, 0, -8], [1, 0.125, 1, -9.0]])
    outputs = np.empty((3, 6))
    engine.forward(spec, theta, X, outputs)
    expected = [
        [0.5, -7, 5, 6, 30, 40],
        [0.25, -8, 1, 2, 10, 20],
        [0.125, -9, 3, 4, 30, 40],
    ]
    np.testing.assert_array_equal(outputs, expected)


def test_a_step_moves_the_rows_that_were_looked_up_and_no_other(engine):
    spec = network((CategoryEmbedding([(1, 50, 3)]), Dense(3, "softmax")))
    theta, data = parameters(spec), examples(spec, 12)
    after, _, _ = train(engine, spec, data, SGD(0.5), 12, theta=theta)
    moved = (block(spec, after, "E₁", 1) != block(spec, theta, "E₁", 1)).reshape(50, 3)
    seen = np.zeros(50, bool)
    seen[data.X[:, 1].astype(int)] = True
    np.testing.assert_array_equal(moved, np.repeat(seen[:, None], 3, axis=1))


def test_embeddings_train_as_a_dense_layer_on_one_hot_inputs(engine):
    spec = network((CategoryEmbedding([(0, 6, 4)]), Dense(3, "softmax")), n=1)
    one_hot = network((Dense(4, "identity"), Dense(3, "softmax")), n=6)
    data, theta = examples(spec, 40, weighted=True), parameters(spec)
    rows = Examples(np.eye(6)[data.X[:, 0].astype(int)], *data[1:])
    E, rest = theta[:24].reshape(6, 4), theta[24:]
    after, _, records = train(engine, spec, data, Momentum(0.1), 8, theta=theta)
    # The dense layer has a bias more; where it starts at 0 and is put back, nothing else differs.
    state = Momentum(0.1).new_state(np.empty(24 + 4 + rest.size))
    other = np.concatenate([E.T.ravel(), np.zeros(4), rest])
    costs = []
    for start in range(0, 40, 8):
        order = np.arange(start, start + 8, dtype=np.int32)
        other, state, record = train(
            engine, one_hot, rows, Momentum(0.1), 8, theta=other, state=state, order=order
        )
        costs.append(record.cost[0])
        other[24:28] = 0
    assert_within(after[:24], other[:24].reshape(4, 6).T.ravel(), 1e-13)
    assert_within(after[24:], other[28:], 1e-13)
    assert_within(records.cost, costs, 1e-13)


def test_penalties_and_decay_leave_embeddings_alone(engine):
    spec = network(EMBEDDED)
    theta = parameters(spec)
    data = examples(spec, 6)._replace(weights=np.zeros(6))
    penalties = Penalties(l1=0.1, l2=0.2)
    after, _, records = train(
        engine, spec, data, AdamW(0.1, weight_decay=0.5), 6, penalties, theta=theta
    )
    np.testing.assert_array_equal(after[:21], theta[:21])
    W = np.concatenate([block(spec, theta, "W", 2), block(spec, theta, "W", 3)])
    assert_within(records.penalty[0], 0.1 * (W**2).sum() + 0.1 * np.abs(W).sum(), 1e-13)
    gradient = np.empty_like(theta)
    engine.loss_and_gradient(Problem(spec, theta, data, penalties), gradient)
    np.testing.assert_array_equal(gradient[:21], 0.0)


def test_clipped_steps_scale_the_gradients_of_embeddings_too(engine):
    spec = network(EMBEDDED)
    theta, data = parameters(spec), examples(spec, 20)
    free, _, records = train(engine, spec, data, SGD(1.0), 20, theta=theta)
    norm = records.gradient_norm[0]
    clipped, _, _ = train(engine, spec, data, SGD(1.0), 20, theta=theta, max_grad_norm=norm / 4)
    assert_within(clipped - theta, (free - theta) / 4, 1e-12)
    assert (clipped[:21] != theta[:21]).any()
