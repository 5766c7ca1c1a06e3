"""Inputs and targets that look unscaled: one warning before the first epoch, and no false alarm."""

import warnings

import numpy as np
import pytest
from scipy import sparse
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine
from sklearn.decomposition import PCA
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.preprocessing import OneHotEncoder, RobustScaler, scale

import chainrule as cr
from chainrule.training.examples import as_examples
from chainrule.training.units import unscaled

CANCER, DIAGNOSIS = load_breast_cancer(return_X_y=True)
DIGITS, DIGIT = load_digits(return_X_y=True)
WORDS = [f"{'the ' * (i % 3 + 1)}word{i} word{i % 7} and word{i % 90}" for i in range(300)]
RANDOM = np.random.default_rng(0)


def found(X, Y=None, layers=None):
    """Return the kinds of problems that are seen before the training."""
    Y = np.zeros(len(X)) if Y is None else Y
    layers = layers or [cr.Dense(2, "tanh"), cr.Dense(1, "identity")]
    net = cr.Network([X.shape[1], *layers], cost="mse", seed=0)
    return [each.kind for each in unscaled(net.spec, as_examples(net.spec, X, Y))]


FINE = {
    "standardised": scale(CANCER),
    "robustly scaled": RobustScaler().fit_transform(CANCER),
    "digits of 0 to 1": DIGITS / 16,
    "digits of 0 to 16": DIGITS,
    "iris": load_iris().data,
    "one-hot": OneHotEncoder(sparse_output=False).fit_transform(RANDOM.integers(0, 200, (500, 2))),
    "principal components": PCA(5).fit_transform(scale(CANCER)),
    "term frequencies": TfidfVectorizer().fit_transform(WORDS).toarray(),
    "counts": sparse.random(400, 300, 0.02, random_state=0).toarray() * 20,
    "one large column among many": np.hstack([RANDOM.normal(size=(50, 400)), np.full((50, 1), 99)]),
    "zeros": np.zeros((9, 2)),
    "a single row": np.ones((1, 3)),
}
UNSCALED = {
    "measurements": CANCER,
    "chemistry": load_wine().data,
    "pixels": DIGITS * 16,
    "years": np.linspace(1990, 2020, 30)[:, None],
    "one column": np.hstack([scale(CANCER), CANCER[:, 3:4]]),
    "tiny": scale(CANCER) * 1e-4,
    "huge": np.full((3, 2), 1e30),
}


@pytest.mark.parametrize("X", FINE.values(), ids=FINE)
def test_inputs_that_networks_learn_from_give_no_warning(X):
    assert found(X) == []


@pytest.mark.parametrize("X", UNSCALED.values(), ids=UNSCALED)
def test_inputs_in_units_of_their_own_are_found(X):
    assert found(X) == ["unscaled_inputs"]


@pytest.mark.parametrize(
    ("Y", "kinds"),
    [
        (RANDOM.normal(size=200), []),
        (5 + 3 * RANDOM.normal(size=200), []),
        (np.zeros(200), []),
        (200_000 + 1e4 * RANDOM.normal(size=200), ["unscaled_targets"]),
        (1e-3 * RANDOM.normal(size=200), ["unscaled_targets"]),
    ],
    ids=["standardised", "a few units", "zeros", "prices", "tiny"],
)
def test_values_far_from_where_outputs_begin_are_found(Y, kinds):
    assert found(RANDOM.normal(size=(200, 3)), Y) == kinds


def test_classes_and_counts_are_no_values():
    X = RANDOM.normal(size=(50, 2))
    for layer, cost, Y in (
        (cr.Dense(2, "softmax"), "cross_entropy", np.zeros(50, int)),
        (cr.Dense(1, "exponential"), "poisson", np.full(50, 900.0)),
    ):
        net = cr.Network([2, layer], cost=cost, seed=0)
        assert list(unscaled(net.spec, as_examples(net.spec, X, Y))) == []


def test_batch_normalisation_before_the_weights_scales_the_inputs():
    layers = [cr.BatchNorm(), cr.Dense(1, "identity")]
    assert found(CANCER, layers=layers) == []
    assert found(CANCER, layers=[cr.Dense(3, "identity"), *layers]) == ["unscaled_inputs"]


def test_codes_of_categories_are_no_numbers():
    X = np.column_stack([RANDOM.normal(size=60), RANDOM.integers(0, 5000, 60)])
    layers = [cr.CategoryEmbedding([(1, 5000, 2)]), cr.Dense(1, "identity")]
    assert found(X, layers=layers) == []


def network():
    return cr.Network([30, cr.Dense(8, "relu"), cr.Dense(2, "softmax")], "cross_entropy", seed=0)


def test_a_network_warns_once_before_its_first_epoch_and_names_the_remedy():
    net = network()
    with pytest.warns(cr.TrainingDiagnosisWarning, match="^before training, the inputs look") as w:
        history = net.fit(CANCER, DIAGNOSIS, epochs=1)
    message = str(w[0].message)
    assert len(w) == 1
    assert w[0].filename == __file__
    for words in ("237", "column 23 of X", "StandardScaler", "NetworkClassifier", "TableEncoder"):
        assert words in message
    assert [(each.kind, each.epoch) for each in history.diagnostics] == [("unscaled_inputs", 0)]


def test_a_trained_network_and_a_training_of_no_epochs_do_not_warn():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        net = network()
        net.fit(CANCER, DIAGNOSIS, epochs=0)
        net.fit(scale(CANCER), DIAGNOSIS, epochs=1)
        net.fit(CANCER, DIAGNOSIS, epochs=1)


def test_examples_of_weight_0_have_no_say():
    X = np.vstack([scale(CANCER), CANCER])
    weights = np.repeat([1.0, 0.0], len(CANCER))
    network().fit(X, np.tile(DIAGNOSIS, 2), sample_weight=weights, epochs=1)


def test_network_estimators_scale_and_the_drop_in_ones_are_as_silent_as_scikit_learns():
    cr.NetworkClassifier(random_state=0).fit(CANCER, DIAGNOSIS, epochs=1)
    cr.MLPClassifier(random_state=0).fit(CANCER, DIAGNOSIS, epochs=1)
    with pytest.warns(cr.TrainingDiagnosisWarning, match="inputs look unscaled"):
        cr.NetworkClassifier(standardize=False, random_state=0).fit(CANCER, DIAGNOSIS, epochs=1)
