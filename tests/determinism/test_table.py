"""The same seed gives the same bits: each training in every way that it can be run.

Within one instruction set. Between them, and between the engines, roundings differ.
"""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from joblib import Parallel, delayed
from sklearn.base import clone

import chainrule as cr
from chainrule.engines import extension
from chainrule.engines.optimizers import OPTIMIZERS
from chainrule.engines.orders import epoch_orders
from chainrule.network.random import epoch_order
from chainrule.training import loop
from tests.crash.cases import CASES, CLASSES, NOISY, X
from tests.engine_names import ENGINES

ROOT = Path(__file__).parents[2]
NAMES = sorted(CASES)

pytestmark = pytest.mark.filterwarnings(
    # The cases are short on purpose.
    "ignore:Stochastic Optimizer:sklearn.exceptions.ConvergenceWarning"
)
native = pytest.mark.skipif("native" not in ENGINES, reason="takes the compiled core")


@pytest.fixture(scope="module")
def digests():
    """Return what each training gives here, by engine and name."""
    known = {}

    def digest(name, engine="auto"):
        if (engine, name) not in known:
            known[engine, name] = CASES[name](engine=engine).digest
        return known[engine, name]

    return digest


def ignored(event):
    """A callback: somebody watches, so every epoch goes through the engine alone."""


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("threads", [1, 2, 3, 5])
def test_any_number_of_threads(name, threads, digests):
    assert CASES[name](threads=threads).digest == digests(name)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("seconds", [1e-12, 1e-4, 1e9])
@pytest.mark.parametrize("watched", [False, True])
def test_any_division_into_calls_of_the_engine(
    name, engine, seconds, watched, digests, monkeypatch
):
    if engine == "reference" and seconds == 1e-4:
        pytest.skip("as a step at a time")
    monkeypatch.setattr(loop, "_SECONDS_A_CALL", seconds)
    watching = {"callbacks": [ignored]} if watched else {}
    assert CASES[name](engine=engine, **watching).digest == digests(name, engine)


@pytest.mark.parametrize("name", NAMES)
def test_again_in_the_same_process(name, digests):
    assert CASES[name]().digest == digests(name)


def in_a_fresh_process(names, **environment):
    """Return the digests of trainings in a new interpreter."""
    code = (
        "import sys, warnings; warnings.simplefilter('ignore')\n"
        "from tests.crash.cases import CASES\n"
        "for name in sys.argv[1:]: print(CASES[name]().digest)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *names],
        cwd=ROOT,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join([*sys.path, str(ROOT)]),
            **environment,
        },
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


@pytest.mark.parametrize(
    "environment",
    [{}, {"PYTHONHASHSEED": "7"}, {"CHAINRULE_THREADS": "1"}, {"OMP_NUM_THREADS": "2"}],
    ids=str,
)
def test_fresh_processes(environment, digests):
    assert in_a_fresh_process(NAMES, **environment) == [digests(name) for name in NAMES]


@native
@pytest.mark.parametrize(
    "isa", extension.native.cpu_info()["instruction_sets"] if extension.native else []
)
def test_each_instruction_set_repeats_itself_for_any_number_of_threads(isa, digests):
    # That CHAINRULE_ISA chooses each: tests/engines/test_native.py.
    names = ["adam", "heavy_ball", "NetworkClassifier"]
    before = extension.native.instruction_set()
    expected = [digests(name) for name in names]
    extension.native.use_instruction_set(isa)
    try:
        one, several = ([CASES[name](threads=n).digest for name in names] for n in (1, 2))
    finally:
        extension.native.use_instruction_set(before)
    assert one == several
    if isa == before:
        assert one == expected


def digest_of(name):
    import warnings

    warnings.simplefilter("ignore")
    return CASES[name]().digest


@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_joblib(backend, digests):
    names = ["adam", "lion", "adaptive", "NetworkMixed"]
    expected = [digests(name) for name in names]
    if backend == "loky":
        # Its workers find the tests where this process does.
        found = Parallel(2, backend=backend)(delayed(digest_of)(name) for name in names)
    else:
        found = Parallel(2, backend=backend)(delayed(CASES[name])() for name in names)
        found = [result.digest for result in found]
    assert found == expected


@pytest.mark.parametrize("name", NAMES)
def test_resumed_calls(name, digests, tmp_path):
    # Each session is one more epoch; a training that ended stays ended.
    epochs = 0
    case = CASES[name]

    class Enough(Exception):  # noqa: N818
        pass

    def one_more(event):
        nonlocal epochs
        if isinstance(event, cr.training.events.Checkpointed):
            epochs += 1
            if epochs % 2 == 0:
                raise Enough

    for _ in range(100):
        try:
            result = case(checkpoint=tmp_path / "c", every=6, resume=True, callbacks=[one_more])
            break
        except Enough:
            pass
    assert epochs > 4
    assert result.digest == digests(name)


def model_of(kind, **changes):
    return kind(**{
        "hidden_layer_sizes": (8,), "batch_size": 32, "max_iter": 6, "random_state": 0,
        "shuffle": False, "dropout": 0.2, "standardize": True, "n_iter_no_change": np.inf,
        **changes,
    })  # fmt: skip


@pytest.mark.parametrize("solver", OPTIMIZERS)
def test_pieces_by_partial_fit(solver):
    # Without shuffling, six epochs by parts are six epochs. (With it, each part begins its orders
    # anew from an integer random_state, as in scikit-learn.)
    whole = model_of(cr.MLPClassifier, solver=solver).fit(X, CLASSES)
    parts = model_of(cr.MLPClassifier, solver=solver)
    for _ in range(6):
        parts.partial_fit(X, CLASSES, classes=[0, 1])
    np.testing.assert_array_equal(parts.network_.parameters, whole.network_.parameters)
    np.testing.assert_array_equal(parts._optimizer_state.slots, whole._optimizer_state.slots)
    assert parts.loss_curve_ == whole.loss_curve_


def test_pieces_of_different_data_repeat_themselves():
    results = []
    for threads in (1, 2):
        model = model_of(cr.MLPRegressor, shuffle=True, threads=threads)
        for rows in (slice(0, 50), slice(50, 180), slice(180, 230)):
            model.partial_fit(X[rows], NOISY[rows])
        results.append(model.network_.parameters.tobytes())
    assert results[0] == results[1]


# A seed that is drawn is written down.


def test_a_drawn_seed_of_a_network_repeats_it():
    def train(seed):
        net = cr.Network(
            [5, cr.Dense(6, "relu"), cr.Dropout(0.2), cr.Dense(2, "softmax")],
            "cross_entropy",
            seed=seed,
        )
        net.fit(X, CLASSES, epochs=3)
        return net

    drawn = train(None)
    again = train(drawn.seed)
    np.testing.assert_array_equal(again.parameters, drawn.parameters)


@pytest.mark.parametrize("kind", [cr.MLPClassifier, cr.NetworkClassifier])
def test_a_drawn_seed_of_an_estimator_repeats_it(kind):
    drawn = model_of(kind, random_state=None, shuffle=True, early_stopping=True).fit(X, CLASSES)
    again = clone(drawn).set_params(random_state=drawn.seed_).fit(X, CLASSES)
    np.testing.assert_array_equal(again.network_.parameters, drawn.network_.parameters)
    assert again.seed_ == drawn.seed_
    assert again.loss_curve_ == drawn.loss_curve_


def test_a_drawn_seed_repeats_a_training_by_parts():
    def by_parts(random_state):
        model = model_of(cr.MLPRegressor, random_state=random_state, shuffle=True)
        for _ in range(3):
            model.partial_fit(X, NOISY)
        return model

    drawn = by_parts(None)
    again = by_parts(np.random.RandomState(drawn.seed_))
    np.testing.assert_array_equal(again.network_.parameters, drawn.network_.parameters)
    assert again.seed_ is None


def test_what_numpy_s_global_generator_draws_is_decided_by_its_seed():
    # As in scikit-learn, for programs that call np.random.seed.
    results = []
    for _ in range(2):
        np.random.seed(5)  # noqa: NPY002
        results.append(model_of(cr.MLPRegressor, random_state=None).fit(X, NOISY).seed_)
    assert results[0] == results[1]


@native
@given(
    seed=st.integers(0, 2**70),
    first=st.integers(0, 10**6),
    epochs=st.integers(1, 4),
    m=st.integers(1, 300),
)
def test_both_engines_shuffle_alike(seed, first, epochs, m):
    compiled = epoch_orders(seed, range(first, first + epochs), m, shuffle=True)
    for epoch, order in zip(range(first, first + epochs), compiled, strict=True):
        np.testing.assert_array_equal(order, epoch_order(seed, epoch, m, shuffle=True))


@native
def test_both_engines_shuffle_many_examples_alike():
    order = epoch_orders(3, range(5, 6), 200_000, shuffle=True)[0]
    np.testing.assert_array_equal(order, epoch_order(3, 5, 200_000, shuffle=True))
