"""NetworkMixed: classes and values from one network."""

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.datasets import load_wine
from sklearn.model_selection import cross_val_score

import chainrule as cr
from chainrule import NetworkMixed

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def wine():
    """Inputs, and a table of a class among three, one among two, and two values."""
    X, kind = load_wine(return_X_y=True)
    table = pd.DataFrame(
        {
            "kind": np.array(["red", "rosé", "white"])[kind],
            "strong": X[:, 0] > 13,
            "alcohol": X[:, 0],
            "proline": X[:, -1],
        }
    )
    return X[:, 1:-1], table


@pytest.fixture(scope="module")
def fitted():
    X, table = wine()
    return NetworkMixed(random_state=0).fit(X, table), X, table


def test_each_target_is_predicted_in_its_own_labels_and_units(fitted):
    model, X, table = fitted
    predicted = pd.DataFrame(model.predict(X), columns=table.columns)
    assert set(predicted["kind"]) == {"red", "rosé", "white"}
    assert set(predicted["strong"]) == {True, False}
    assert (predicted["kind"] == table["kind"]).mean() > 0.95
    assert (predicted["strong"] == table["strong"]).mean() > 0.85
    for value in ("alcohol", "proline"):
        assert np.corrcoef(predicted[value].astype(float), table[value])[0, 1] > 0.8
    # In its own units: as a sum of squares around them.
    residual = predicted["proline"].astype(float) - table["proline"]
    assert residual.std() < 0.6 * table["proline"].std()


def test_the_network_has_a_head_for_each_target(fitted):
    model, _, _ = fitted
    assert str(model.network_.spec.layers[-1].activation) == (
        "heads(softmax:3, sigmoid:1, identity:1, identity:1)"
    )
    assert model.network_.spec.cost == (
        "heads(cross_entropy:3, binary_cross_entropy:1, mse:1, mse:1)"
    )
    assert model.coefs_[-1].shape == (128, 6)
    assert {name: list(c) for name, c in model.classes_.items()} == {
        "kind": ["red", "rosé", "white"],
        "strong": [False, True],
    }


def test_probabilities_are_of_the_classes_and_sum_to_1(fitted):
    model, X, table = fitted
    probabilities = model.predict_proba(X)
    assert {name: p.shape for name, p in probabilities.items()} == {
        "kind": (len(X), 3),
        "strong": (len(X), 2),
    }
    for name, p in probabilities.items():
        np.testing.assert_allclose(p.sum(axis=1), 1, atol=1e-6)
        decided = model.classes_[name][p.argmax(axis=1)]
        assert list(decided) == list(model.predict(X)[:, list(table.columns).index(name)])


def test_the_score_is_the_mean_of_the_targets_own(fitted):
    model, X, table = fitted
    scores = model.target_scores(X, table)
    assert list(scores) == list(table.columns)
    assert model.score(X, table) == pytest.approx(np.mean(list(scores.values())))
    predicted = model.predict(X)
    assert scores["kind"] == (predicted[:, 0] == table["kind"]).mean()
    residual = ((predicted[:, 2].astype(float) - table["alcohol"]) ** 2).sum()
    total = ((table["alcohol"] - table["alcohol"].mean()) ** 2).sum()
    assert scores["alcohol"] == pytest.approx(1 - residual / total, rel=1e-6)


def test_losses_of_the_targets_add_up_to_the_loss():
    X, table = wine()
    model = NetworkMixed(
        target_weights={"alcohol": 0.5}, random_state=0, alpha=0.0, max_iter=4
    ).fit(X, table, X_val=X, y_val=table)
    weights = {"kind": 1, "strong": 1, "alcohol": 0.5, "proline": 1}
    curves = model.validation_target_loss_curves_
    total = sum(w * np.array(curves[name]) for name, w in weights.items())
    np.testing.assert_allclose(total, model.validation_loss_curve_, rtol=1e-5)
    assert {len(curve) for curve in model.target_loss_curves_.values()} == {model.n_iter_}


def test_a_dict_of_targets_picks_columns_of_a_table():
    X, table = wine()
    model = NetworkMixed({"proline": "value", "kind": "class"}, max_iter=3).fit(X, table)
    assert model.target_names_ == ["proline", "kind"]
    assert model.predict(X).shape == (len(X), 2)
    with pytest.raises(cr.InvalidArgumentError, match="there is no 'colour'"):
        NetworkMixed({"colour": "class"}).fit(X, table)


def test_several_targets_of_several_classes_are_learned():
    random = np.random.default_rng(0)
    X = random.standard_normal((500, 3))
    Y = np.column_stack([np.digitize(X[:, 0], [-1, 0, 1]), np.digitize(X[:, 1] + X[:, 2], [0, 1])])
    model = NetworkMixed("class", random_state=0).fit(X[:400], Y[:400])
    assert model.predict(X).dtype.kind == "i"
    assert min(model.target_scores(X[400:], Y[400:]).values()) > 0.85


def test_each_target_has_the_loss_it_is_given():
    X, table = wine()
    model = NetworkMixed(
        losses={"kind": "focal", "alcohol": "huber", "proline": "quantile"},
        huber_delta=0.5,
        quantile=0.9,
        max_iter=2,
    ).fit(X, table)
    parts = model.network_.spec.cost.split(", ")
    assert parts[0] == "heads(focal:3"
    # Huber's δ in the target's own units is that many standard deviations inside.
    delta = float(parts[2].removeprefix("huber(delta=").removesuffix("):1"))
    assert delta == pytest.approx(0.5 / table["alcohol"].std(ddof=0))
    assert parts[3] == "quantile(quantile=0.9):1)"


def test_a_target_that_weighs_more_is_learned_better():
    random = np.random.default_rng(0)
    X = random.standard_normal((300, 5))
    Y = np.column_stack([X[:, 0] * X[:, 1], X[:, 2] * X[:, 3]])
    errors = [
        NetworkMixed(
            "value", (6,), target_weights={1: w}, random_state=0, max_iter=60
        ).fit(X, Y).target_scores(X, Y)[1]
        for w in (0.01, 10.0)
    ]  # fmt: skip
    assert errors[1] > errors[0]


def test_one_target_is_flat():
    X, kind = load_wine(return_X_y=True)
    model = NetworkMixed(max_iter=30, random_state=0).fit(X, kind)
    assert model.predict(X).shape == kind.shape
    assert model.predict_proba(X).shape == (len(X), 3)


def test_scikit_learns_tools_take_it(fitted):
    model, X, table = fitted
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    assert clone(model).get_params() == model.get_params()
    assert cross_val_score(NetworkMixed(max_iter=5), X, table, cv=3).shape == (3,)


def test_its_network_is_saved_with_its_heads(fitted, tmp_path):
    model, _, _ = fitted
    with pytest.warns(UserWarning, match="save the NetworkMixed itself"):
        model.network_.save(tmp_path / "model.safetensors")
    loaded = cr.load(tmp_path / "model.safetensors")
    assert loaded.spec == model.network_.spec


def test_it_takes_dropout_and_batch_normalisation():
    X, table = wine()
    model = NetworkMixed(dropout=0.2, batch_norm=True, random_state=0, max_iter=60).fit(X, table)
    kinds = [layer.kind for layer in model.network_.spec.layers]
    assert kinds[kinds.index("dense") :][:3] == [
        "dense",
        "batch_norm",
        "dropout",
    ]
    assert model.score(X, table) > 0.7


def test_engines_agree_on_it():
    X, table = wine()
    one, other = (
        NetworkMixed(engine=engine, random_state=0, max_iter=5, dtype="float64").fit(X, table)
        for engine in ("auto", "reference")
    )
    np.testing.assert_allclose(other.coefs_[0], one.coefs_[0], rtol=0, atol=1e-9)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"targets": "number"}, r"^targets: expected 'class' or 'value' .*got 'number'"),
        ({"targets": ["class"]}, r"^targets: expected .* for each of the 4 columns"),
        ({"targets": {"kind": "value"}}, r"^y: target 'kind', which is a value: expected a number"),
        ({"losses": {"kind": "mse"}}, r"^losses: target 'kind' is a class.*got 'mse'"),
        ({"losses": {"nobody": "huber"}}, r"^losses: expected a dict with some of the targets"),
        ({"target_weights": {"kind": 0}}, r"^target_weights: expected a finite number > 0"),
        ({"target_weights": 3}, r"^target_weights: expected a dict"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(settings, message):
    with pytest.raises(cr.InvalidArgumentError, match=message):
        NetworkMixed(**settings).fit(*wine())


def test_a_class_that_was_not_there_is_refused():
    X, table = wine()
    other = table.assign(kind="orange")
    with pytest.raises(
        cr.InvalidArgumentError, match=r"^y_val: target 'kind' .*got \['orange'\] too"
    ):
        NetworkMixed(max_iter=1).fit(X, table, X_val=X, y_val=other)
