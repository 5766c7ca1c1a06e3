"""Estimators whose arrays are memory-mapped or cannot be written to."""

import copy
import pickle

import joblib
import numpy as np
import pytest

import chainrule as cr
from chainrule import (
    MLPClassifier,
    MLPRegressor,
    NetworkClassifier,
    NetworkMixed,
    NetworkRegressor,
    from_sklearn,
)

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore::chainrule.TrainingDiagnosisWarning"),
]

X = np.random.default_rng(0).standard_normal((240, 4))
CLASSES = (X[:, 0] > 0).astype(int)
TARGETS = {
    MLPClassifier: CLASSES,
    NetworkClassifier: CLASSES,
    MLPRegressor: X[:, 1],
    NetworkRegressor: X[:, 1],
    NetworkMixed: np.column_stack([CLASSES, X[:, 1]]),
}
EPOCHS = [MLPClassifier, NetworkClassifier, MLPRegressor, NetworkRegressor]


def _mapped(model, folder):
    """Return a fitted model as others may use it at the same time, and the bytes it lies in."""
    path = folder / "model.joblib"
    joblib.dump(model, path)
    return joblib.load(path, mmap_mode="r"), path


def _with_buffers(model):
    buffers = []
    data = pickle.dumps(model, protocol=5, buffer_callback=buffers.append)
    return pickle.loads(data, buffers=[bytes(each) for each in buffers])


def _fitted(kind, **settings):
    return kind(max_iter=3, random_state=0, **settings).fit(X, TARGETS[kind])


@pytest.mark.parametrize("kind", EPOCHS)
def test_a_mapped_model_learns_from_another_part_as_any_other(kind, tmp_path):
    plain = _fitted(kind)
    mapped, path = _mapped(plain, tmp_path)
    bits = path.read_bytes()
    for model in (plain, mapped, buffered := _with_buffers(plain)):
        model.partial_fit(X, TARGETS[kind]).partial_fit(X[:99], TARGETS[kind][:99])
    for model in (mapped, buffered):
        assert not np.array_equal(model.network_.parameters, _fitted(kind).network_.parameters)
    np.testing.assert_array_equal(mapped.network_.parameters, plain.network_.parameters)
    assert path.read_bytes() == bits


def test_one_that_cannot_be_written_to_goes_on_with_the_optimizer_that_it_had(tmp_path):
    plain = MLPRegressor(random_state=0).partial_fit(X, X[:, 1]).partial_fit(X, X[:, 1])
    mapped, _ = _mapped(MLPRegressor(random_state=0).partial_fit(X, X[:, 1]), tmp_path)
    mapped.partial_fit(X, X[:, 1])
    np.testing.assert_array_equal(mapped.network_.parameters, plain.network_.parameters)


@pytest.mark.parametrize("kind", TARGETS)
@pytest.mark.parametrize(
    "settings", [{}, {"early_stopping": True}, {"early_stopping": "loss"}, {"solver": "lbfgs"}]
)
def test_a_mapped_model_starts_warm_as_any_other(kind, settings, tmp_path):
    plain = _fitted(kind, warm_start=True, **settings)
    mapped, path = _mapped(plain, tmp_path)
    bits = path.read_bytes()
    for model in (plain, mapped, buffered := _with_buffers(plain)):
        model.fit(X, TARGETS[kind])
    np.testing.assert_array_equal(mapped.network_.parameters, plain.network_.parameters)
    np.testing.assert_array_equal(buffered.network_.parameters, plain.network_.parameters)
    assert path.read_bytes() == bits


@pytest.mark.parametrize("kind", TARGETS)
def test_a_mapped_model_predicts_where_it_lies(kind, tmp_path):
    plain = _fitted(kind)
    mapped, _ = _mapped(plain, tmp_path)
    np.testing.assert_array_equal(mapped.predict(X), plain.predict(X))
    assert not mapped.network_.parameters.flags.writeable


def test_all_weights_of_a_mapped_model_can_be_set_and_a_single_one_is_refused(tmp_path):
    plain = _fitted(MLPClassifier)
    mapped, path = _mapped(plain, tmp_path)
    bits = path.read_bytes()
    with pytest.raises(cr.InvalidArgumentError, match=r"cannot be written to.*deepcopy"):
        mapped.coefs_[0] = plain.coefs_[0] * 2
    own = copy.deepcopy(mapped)
    own.coefs_[0] = plain.coefs_[0] * 2
    mapped.coefs_ = [W * 2 for W in plain.coefs_]
    mapped.intercepts_ = [b * 2 for b in plain.intercepts_]
    np.testing.assert_array_equal(mapped.network_.parameters, plain.network_.parameters * 2)
    np.testing.assert_array_equal(own.coefs_[0], plain.coefs_[0] * 2)
    assert path.read_bytes() == bits


def test_a_mapped_model_of_scikit_learn_is_taken_over_and_trained_on(tmp_path):
    from sklearn.neural_network import MLPClassifier as Theirs

    theirs = Theirs(max_iter=2, random_state=0).fit(X, CLASSES)
    mapped, _ = _mapped(theirs, tmp_path)
    ours = from_sklearn(mapped).partial_fit(X, CLASSES)
    plain = from_sklearn(theirs).partial_fit(X, CLASSES)
    np.testing.assert_array_equal(ours.network_.parameters, plain.network_.parameters)


@pytest.mark.parametrize("kind", TARGETS)
def test_tables_and_weights_that_cannot_be_written_to_give_the_same_bits(kind, tmp_path):
    weights = np.linspace(0.5, 2, len(X))
    given = X, TARGETS[kind], weights
    joblib.dump(given, tmp_path / "table")
    mapped = joblib.load(tmp_path / "table", mmap_mode="r")
    models = [kind(max_iter=2, random_state=0).fit(*each) for each in (given, mapped)]
    np.testing.assert_array_equal(models[0].predict(X), models[1].predict(mapped[0]))


def test_initial_weights_may_be_mapped_and_must_be_finite_numbers_of_the_networks_type(tmp_path):
    plain = _fitted(MLPClassifier)
    joblib.dump((list(plain.coefs_), list(plain.intercepts_)), tmp_path / "weights")
    coefs, intercepts = joblib.load(tmp_path / "weights", mmap_mode="r")
    started = MLPClassifier(initial_weights=(coefs, intercepts)).fit(X, CLASSES, epochs=0)
    np.testing.assert_array_equal(started.network_.parameters, plain.network_.parameters)
    for wrong, dtype in ((1e45, "float32"), (1j, "float64"), (np.nan, "float64")):
        model = MLPClassifier(initial_weights=([W * wrong for W in coefs], intercepts), dtype=dtype)
        with pytest.raises(cr.InvalidArgumentError, match=f"initial_weights: .*finite in {dtype}"):
            model.fit(X, CLASSES)
