import numpy as np
import polars as pl
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from threadpoolctl import threadpool_limits

from chainrule.assessment import trees
from chainrule.assessment.predictions import Examples, examples_of
from chainrule.assessment.trees import TreeAnswers
from tests.assessment.models import binary, many_classes, trained, values


def fitted(given, **arguments):
    model, parts, _ = given()
    examples = examples_of(model, parts["train"])
    return model, examples, TreeAnswers(model, examples, **arguments)


def test_values_are_those_of_scikit_learn_on_a_standardised_target():
    _, (X, true), found = fitted(values)
    true = np.asarray(true, np.float64)
    scale = np.abs(true - true.mean()).mean()
    expected = HistGradientBoostingRegressor(
        learning_rate=0.2, max_iter=100, max_leaf_nodes=63, early_stopping=True, random_state=0
    ).fit(X, (true - true.mean()) / scale)
    np.testing.assert_array_equal(found.predict(X), expected.predict(X) * scale + true.mean())
    assert found.rows == len(X)


def test_a_category_is_one_column_of_codes():
    _, (X, true), found = fitted(binary)
    # size, colour=green, colour=red, noise
    codes = np.column_stack([X[:, 0], X[:, 2], X[:, 3]])
    expected = HistGradientBoostingClassifier(
        learning_rate=0.2,
        max_iter=100,
        max_leaf_nodes=63,
        early_stopping=True,
        categorical_features=[False, True, False],
        random_state=0,
    ).fit(codes, true)
    np.testing.assert_array_equal(found.predict(X), expected.predict_proba(codes))


@pytest.mark.parametrize("given", [binary, values, many_classes])
def test_the_bits_are_the_same_for_any_number_of_threads(given):
    model, examples, found = fitted(given, seed=3)
    with threadpool_limits(3):
        again = TreeAnswers(model, examples, seed=3)
        np.testing.assert_array_equal(found.predict(examples.X), again.predict(examples.X))


def test_an_unknown_category_counts_as_missing():
    model, parts, _ = binary()
    found = TreeAnswers(model, examples_of(model, parts["train"]))
    rows = parts["test"].with_columns(pl.lit("blue").alias("colour"))
    answers = found.predict(model.encoder.encode(rows))
    assert np.isfinite(answers).all()
    np.testing.assert_allclose(answers.sum(axis=1), 1)


def test_more_categories_than_scikit_learn_takes_are_possible():
    generator = np.random.default_rng(0)
    towns = generator.integers(600, size=4000)
    table = pl.DataFrame(
        {
            "town": [f"t{town}" for town in towns],
            "x": generator.normal(size=4000),
            "y": towns % 7 + generator.normal(size=4000),
        }
    )
    model, parts, _ = trained(table, "y", epochs=1)
    X = np.column_stack([towns[:2000], np.zeros(2000)]).astype(np.float32)
    column = model.encoder.columns_[0]
    assert column.name == "town"
    # As an embedding has it: one input, a code for each of 600 towns.
    places = {"town": slice(0, 1), "x": slice(1, 2)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trees, "places_of_columns", lambda model: places)
        found = TreeAnswers(model, Examples(X, parts["train"]["y"].to_numpy()))
        assert np.isfinite(found.predict(X)).all()


def test_of_many_rows_a_sample_is_fitted_and_counted(monkeypatch):
    monkeypatch.setattr(trees, "_FEWEST_ROWS", 50)
    monkeypatch.setattr(trees, "_MOST_CELLS", 300)
    _, examples, found = fitted(values)
    assert found.rows == 100
    assert len(examples.X) == 200
    assert np.isfinite(found.predict(examples.X)).all()


def test_trees_that_would_take_too_long_are_not_fitted(monkeypatch):
    monkeypatch.setattr(trees, "_MOST_TREES", 29 * 30)
    assert fitted(many_classes)[2].rows == 0
    monkeypatch.setattr(trees, "_MOST_TREES", 30 * 30)
    assert fitted(many_classes)[2].rows == 450


@pytest.mark.parametrize("given", [binary, values])
@pytest.mark.parametrize("rows", [1, 2, 30])
def test_few_rows_can_be_fitted(given, rows):
    model, parts, _ = given()
    examples = examples_of(model, parts["train"][:rows])
    answers = TreeAnswers(model, examples).predict(examples.X)
    assert len(answers) == rows
    assert np.isfinite(answers).all()


def test_a_class_with_one_row_can_be_fitted():
    model, parts, _ = binary()
    rows = parts["train"].filter(pl.col("ripe") == "no")
    rows = pl.concat([rows, parts["train"].filter(pl.col("ripe") == "yes")[:1]])
    rows = pl.concat([rows] + [rows.filter(pl.col("ripe") == "no")] * 3)
    examples = examples_of(model, rows)
    assert len(examples.X) > 200
    assert TreeAnswers(model, examples).predict(examples.X).shape == (len(examples.X), 2)


def test_huge_values_are_fitted_in_units_of_their_own():
    model, parts, _ = values()
    X, true = examples_of(model, parts["train"])
    usual = TreeAnswers(model, Examples(X, true)).predict(X)
    huge = TreeAnswers(model, Examples(X, np.asarray(true) * 2.0**500)).predict(X)
    np.testing.assert_allclose(huge / 2.0**500, usual, rtol=1e-5)
