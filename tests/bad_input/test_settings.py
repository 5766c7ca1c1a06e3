"""What a `Network` does with settings beyond all reason."""

import contextlib

import numpy as np
import pytest

import chainrule as cr
from chainrule.engines.optimizers import OPTIMIZERS
from chainrule.errors import InvalidArgumentError, TrainingDivergedError

RANDOM = np.random.default_rng(0)
X = RANDOM.standard_normal((20, 3)).astype(np.float32)
Y = RANDOM.standard_normal((20, 1)).astype(np.float32)

# What is said of trainings that do not get anywhere is tested elsewhere.
pytestmark = pytest.mark.filterwarnings("ignore::chainrule.errors.TrainingDiagnosisWarning")

ENGINES = ("reference", "auto")


def network(**settings) -> cr.Network:
    layers = [3, cr.Dense(4, "relu"), cr.Dense(1, "identity")]
    return cr.Network(layers, cost="mse", **{"seed": 0} | settings)


NOT_COUNTS = (-1, 1.0, 1.5, "3", True, np.True_, None, [3], np.nan, float("inf"), 1j)
WRONG = [
    *(("epochs", value) for value in NOT_COUNTS),
    *(("batch_size", value) for value in (0, *NOT_COUNTS)),
    *(("threads", value) for value in (0, *NOT_COUNTS) if value is not None),
    *(
        (name, value)
        for name in ("l1", "l2")
        for value in (-1.0, np.nan, np.inf, "1", None, 1j, True)
    ),
    *(("max_grad_norm", value) for value in (0, -1.0, np.nan, np.inf, "1", 1j, True)),
    *(("label_smoothing", value) for value in (-0.1, 1.0, np.nan, "1", None, 0.1)),
    *(("engine", value) for value in ("", "gpu", None, 3)),
    *(("precision", value) for value in ("", "half", None)),
    *(("optimizer", value) for value in ("", "adams", None, 3, cr.Adam)),
    *(("metrics", value) for value in (["nothing"], [None], 3, "rmse_")),
    *(("callbacks", value) for value in ([3], 3, ["x"])),
    *(("shuffle", value) for value in ("no", 2, None, np.array([True, False]))),
    *(("validation_data", value) for value in (X, (X,), (X, Y, Y), "ab", 3)),
]


@pytest.mark.parametrize(("name", "value"), WRONG, ids=lambda value: repr(value)[:30])
def test_settings_that_mean_nothing_are_refused_by_name_and_change_nothing(name, value):
    net = network()
    before = net.parameters.copy()
    with pytest.raises(InvalidArgumentError, match=f"^{name}"):
        net.fit(X, Y, **{name: value})
    np.testing.assert_array_equal(net.parameters, before)
    assert net.epochs_trained == 0


RATES = (-1.0, np.nan, np.inf, -np.inf, "0.1", None, 1j, True, [0.1])


@pytest.mark.parametrize("optimizer", OPTIMIZERS.values())
@pytest.mark.parametrize("rate", RATES, ids=repr)
def test_a_learning_rate_that_is_no_positive_number_is_refused(optimizer, rate):
    with pytest.raises(InvalidArgumentError, match=r"^learning_rate: "):
        optimizer(rate)


@pytest.mark.filterwarnings("ignore::chainrule.errors.TrainingDiagnosisWarning")
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("rate", [1e6, 1e38, 1e300])
@pytest.mark.parametrize("optimizer", [cr.SGD, cr.Momentum, cr.Adam])
def test_a_huge_learning_rate_leaves_finite_parameters_or_says_that_it_diverged(
    engine, rate, optimizer
):
    net = network()
    with contextlib.suppress(TrainingDivergedError):
        history = net.fit(X, Y, optimizer=optimizer(rate), epochs=20, engine=engine)
        assert np.isfinite(history["loss"]).all()
    assert np.isfinite(net.parameters).all()


@pytest.mark.parametrize("engine", ENGINES)
def test_an_impossible_learning_rate_is_told_with_the_remedy(engine):
    with pytest.raises(TrainingDivergedError, match=r"step 2 of epoch 1 .* smaller learning_rate"):
        network().fit(X, Y, optimizer=cr.SGD(1e300), engine=engine, batch_size=10)


@pytest.mark.parametrize("rate", [np.nan, np.inf, -1.0, "x", None])
def test_a_schedule_of_ones_own_that_gives_no_number_is_refused(rate):
    net = network()
    with pytest.raises((InvalidArgumentError, TrainingDivergedError)):
        net.fit(X, Y, optimizer=cr.SGD(lambda t: rate), epochs=2)
    assert np.isfinite(net.parameters).all()


def test_no_epochs_change_nothing_and_have_a_history_without_rows():
    net = network()
    before = net.parameters.copy()
    history = net.fit(X, Y, epochs=0)
    assert len(history) == 0
    assert history.stopped == "finished"
    np.testing.assert_array_equal(net.parameters, before)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("size", [21, 2**31, 2**63 - 1, 2**64, 10**30])
def test_a_batch_larger_than_the_data_is_all_of_them(engine, size):
    one, other = network(), network()
    one.fit(X, Y, epochs=3, batch_size=20, engine=engine)
    other.fit(X, Y, epochs=3, batch_size=size, engine=engine)
    np.testing.assert_array_equal(one.parameters, other.parameters)


def test_any_number_of_threads_gives_the_same_bits():
    one, other = network(), network()
    one.fit(X, Y, epochs=3, threads=1)
    other.fit(X, Y, epochs=3, threads=10**9)
    np.testing.assert_array_equal(one.parameters, other.parameters)


@pytest.mark.parametrize("epochs", [2**31, 2**64, 10**100])
def test_a_training_without_end_can_be_ended(epochs):
    net = network()
    history = net.fit(
        X, Y, epochs=epochs, callbacks=[lambda event: getattr(event, "epoch", 0) == 2]
    )
    assert len(history) == 2


@pytest.mark.parametrize("seed", [-1, 1.5, "0", True, [0], np.nan])
def test_a_seed_that_is_no_whole_number_is_refused(seed):
    with pytest.raises(InvalidArgumentError, match=r"^seed: "):
        network(seed=seed)


@pytest.mark.parametrize(
    "seed", [0, 2**32, 2**63, 2**64 - 1, 2**64, 2**128, 10**100, np.uint64(2**64 - 1)]
)
@pytest.mark.parametrize("engine", ENGINES)
def test_every_seed_trains(seed, engine):
    layers = [3, cr.Dense(4, "relu"), cr.Dropout(0.5), cr.Dense(1, "identity")]
    net = cr.Network(layers, cost="mse", seed=seed)
    net.fit(X, Y, epochs=2, engine=engine)
    assert np.isfinite(net.parameters).all()


LAYERS = {
    "no features": [0, cr.Dense(1)],
    "negative features": [-1, cr.Dense(1)],
    "true features": [True, cr.Dense(1)],
    "half a feature": [1.5, cr.Dense(1)],
    "features beyond 32 bits": [2**31, cr.Dense(1)],
    "features beyond all bits": [10**5000, cr.Dense(1)],
    "more parameters than bits count": [2**31 - 1, cr.Dense(2**31 - 1)],
    "more parameters than memory": [10**6, cr.Dense(10**6)],
    "only features": [3],
    "nothing": [],
    "a text": "relu",
    "a class": [3, cr.Dense],
    "a number as layer": [3, 4],
    "None as layer": [3, None],
}


@pytest.mark.parametrize("name", LAYERS)
def test_layers_that_are_none_are_refused_before_anything_is_allocated(name):
    with pytest.raises(InvalidArgumentError, match=r"^layers: "):
        cr.Network(LAYERS[name], cost="mse")


@pytest.mark.parametrize("units", [0, -1, 1.5, True, "3", None, 2**31, 10**400])
def test_units_that_are_no_count_are_refused(units):
    with pytest.raises(InvalidArgumentError, match=r"^units: "):
        cr.Dense(units)


@pytest.mark.parametrize("rate", [-0.1, 1, 1.0, np.nan, np.inf, True, "0.5", None, 10**400, 1j])
def test_a_rate_of_dropout_that_is_none_is_refused(rate):
    with pytest.raises(InvalidArgumentError, match=r"^rate: "):
        cr.Dropout(rate)
