import numpy as np
import polars as pl
import pytest
from sklearn.linear_model import LogisticRegression, Ridge

import chainrule as cr
from chainrule.assessment import baselines
from chainrule.assessment.baselines import LinearAnswers, constant_answers
from chainrule.assessment.predictions import Examples, examples_of
from chainrule.model.table_model import TableModel
from chainrule.tables.encoder import TableEncoder
from chainrule.tables.target import TargetEncoder
from tests.assessment.models import binary, trained, values


def test_the_constant_answer_is_the_training_rows_shares():
    model, parts, _ = binary()
    train = parts["train"]
    yes = (train["ripe"] == "yes").sum() / train.height
    answers = constant_answers(model, examples_of(model, train), 3)
    np.testing.assert_allclose(answers, [[1 - yes, yes]] * 3)


def test_the_constant_answer_is_the_training_rows_mean():
    model, parts, _ = values()
    train = parts["train"]
    answers = constant_answers(model, examples_of(model, train), 2)
    np.testing.assert_allclose(answers, train["price"].mean())


def test_the_linear_answers_are_scikit_learns():
    model, parts, _ = binary()
    X, y = examples_of(model, parts["train"])
    inputs = examples_of(model, parts["test"]).X
    expected = LogisticRegression(max_iter=200).fit(X, y).predict_proba(inputs)
    found = LinearAnswers(model, Examples(X, y)).predict(inputs)
    np.testing.assert_allclose(found, expected, atol=1e-6)

    model, parts, _ = values()
    X, y = examples_of(model, parts["train"])
    inputs = examples_of(model, parts["test"]).X
    found = LinearAnswers(model, Examples(X, y)).predict(inputs)
    np.testing.assert_allclose(found, Ridge().fit(X, y).predict(inputs), rtol=1e-5)


def test_a_class_without_training_rows_has_no_probability():
    table = pl.DataFrame({"x": np.arange(40.0), "kind": ["a", "b"] * 18 + ["c"] * 4})
    model, parts, _ = trained(table, "kind", epochs=1)
    linear = LinearAnswers(model, examples_of(model, parts["train"]))
    probabilities = linear.predict(examples_of(model, parts["test"]).X)
    np.testing.assert_array_equal(probabilities[:, 2], 0)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-6)


def test_training_rows_of_one_class_are_answered_with_it():
    model, parts, _ = binary()
    rows = parts["train"].filter(pl.col("ripe") == "yes")
    linear = LinearAnswers(model, examples_of(model, rows))
    np.testing.assert_array_equal(linear.predict(np.zeros((2, 4), np.float32)), [[0, 1]] * 2)


def test_of_many_rows_some_are_drawn(monkeypatch):
    monkeypatch.setattr(baselines, "_MOST_WORK", 1)
    monkeypatch.setattr(baselines, "_FEWEST_ROWS", 60)
    model, parts, _ = values()
    given = examples_of(model, parts["train"])
    first, again = LinearAnswers(model, given, seed=1), LinearAnswers(model, given, seed=1)
    other = LinearAnswers(model, given, seed=2)
    assert first.rows == 60
    inputs = given.X[:3]
    np.testing.assert_array_equal(first.predict(inputs), again.predict(inputs))
    assert not np.array_equal(first.predict(inputs), other.predict(inputs))


@pytest.mark.parametrize("given", [binary, values])
def test_the_examples_are_not_changed(given):
    model, parts, _ = given()
    examples = examples_of(model, parts["train"])
    before = examples.X.copy()
    LinearAnswers(model, examples).predict(examples.X)
    np.testing.assert_array_equal(examples.X, before)


def test_codes_of_categories_are_unfolded():
    generator = np.random.default_rng(0)
    kinds = generator.choice(["a", "b", "c", "d"], size=200)
    x = generator.normal(size=200)
    table = pl.DataFrame({"kind": kinds, "x": x, "y": x + (kinds == "b") * 5.0})
    encoder = TableEncoder(embed_above=2).fit(table.drop("y"))
    assert encoder.columns_[0].embedding is not None
    network = cr.Network([encoder.n_inputs, cr.Dense(1, "identity")], cost="mse", seed=0)
    model = TableModel(network, encoder, TargetEncoder.fit(table["y"]))
    examples = examples_of(model, table)
    unfolded = np.column_stack([x, *(kinds == kind for kind in "abcd")])
    # The network's own x is standardised: a ridge penalty feels that, so the oracle gets it, too.
    unfolded[:, 0] = examples.X[:, 1]
    expected = Ridge().fit(unfolded, table["y"]).predict(unfolded)
    found = LinearAnswers(model, examples).predict(examples.X)
    np.testing.assert_allclose(found, expected, atol=1e-4)
