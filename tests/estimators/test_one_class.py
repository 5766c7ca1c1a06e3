"""Classifiers that have seen a single class."""

import copy
import pickle

import numpy as np
import pytest

import chainrule as cr
from chainrule import MLPClassifier, NetworkClassifier, NetworkMixed
from chainrule.exports import TARGETS

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore::chainrule.TrainingDiagnosisWarning"),
]

X = np.random.default_rng(0).standard_normal((240, 3))
KINDS = [MLPClassifier, NetworkClassifier]
CLASSES = [7, -1.0, True, "yes"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("only", CLASSES)
@pytest.mark.parametrize("early", [False, True, "loss", "accuracy"])
def test_its_probability_is_one_in_one_column(kind, only, early):
    y = np.full(len(X), only)
    model = kind(max_iter=3, early_stopping=early, random_state=0).fit(X, y)
    np.testing.assert_array_equal(model.classes_, y[:1])
    np.testing.assert_array_equal(model.predict_proba(X), np.ones((len(X), 1)))
    np.testing.assert_array_equal(model.predict_log_proba(X[:1]), [[0.0]])
    np.testing.assert_array_equal(model.predict(X), y)
    assert model.predict(X).dtype == y.dtype
    assert model.score(X, y) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_the_score_of_early_stopping_is_that_of_its_predictions(kind):
    # From weights that speak for the other side: what is predicted does not depend on them.
    model = kind(hidden_layer_sizes=(), solver="sgd", learning_rate_init=1e-9, max_iter=2)
    model.set_params(numeric_bins=0, scale_layer=False)
    model.set_params(early_stopping=True, initial_weights=([np.zeros((3, 1))], [[5.0]]))
    model.fit(X, np.zeros(len(X)))
    assert model.validation_scores_ == [1.0, 1.0]


@pytest.mark.parametrize("kind", KINDS)
def test_it_survives_copies_parts_and_measures(kind):
    model = kind(random_state=0, class_weight={"a": 2.0})
    model.partial_fit(X, ["a"] * len(X), classes=["a"])
    for each in (model, copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert each.partial_fit(X[:1], ["a"]).predict_proba(X[:2]).tolist() == [[1.0], [1.0]]


@pytest.mark.parametrize("kind", KINDS)
def test_two_known_classes_have_two_columns_though_one_alone_was_seen(kind):
    model = kind(random_state=0).partial_fit(X, np.zeros(len(X)), classes=[0, 1])
    probabilities = model.predict_proba(X)
    assert probabilities.shape == (len(X), 2)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-6)


def test_a_target_of_one_class_beside_others_has_one_column():
    y = np.column_stack([np.zeros(len(X)), X[:, 0] > 0, X[:, 1]])
    model = NetworkMixed(["class", "class", "value"], max_iter=3, random_state=0).fit(X, y)
    probabilities = model.predict_proba(X)
    np.testing.assert_array_equal(probabilities[0], np.ones((len(X), 1)))
    assert probabilities[1].shape == (len(X), 2)
    assert model.target_scores(X, y)[0] == 1


@pytest.mark.parametrize("to", TARGETS)
def test_its_export_is_refused_in_a_sentence(to, tmp_path):
    model = MLPClassifier(max_iter=1).fit(X, np.zeros(len(X)))
    with pytest.raises(cr.InvalidArgumentError, match=r"^model: .*single class"):
        cr.export(model, tmp_path / f"model{TARGETS[to]}", to)
    assert not list(tmp_path.iterdir())


def test_scikit_learn_s_estimator_of_it_and_back_says_the_same_class():
    model = MLPClassifier(max_iter=2, random_state=0).fit(X, ["only"] * len(X))
    theirs = model.to_sklearn()
    assert set(theirs.predict(X)) == {"only"}
    again = cr.from_sklearn(theirs)
    assert set(again.predict(X)) == {"only"}
    assert again.predict_proba(X[:1]).tolist() == [[1.0]]
