import numpy as np
import polars as pl
import pytest
from scipy.stats import rankdata
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris, load_wine
from sklearn.metrics import roc_auc_score

from chainrule.errors import InvalidTableError
from chainrule.tables.leakage import suspicious_columns

ROWS = 2000
RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=ROWS)
NOISE = RANDOM.normal(size=ROWS)
LETTERS = np.array(list("abcdefgh"))[RANDOM.integers(0, 8, ROWS)]


def leaks(target, task="classification", **columns):
    return suspicious_columns(pl.DataFrame(columns), pl.Series("y", target), task)


@pytest.mark.parametrize(
    ("target", "leak"),
    [
        (X > 0, X**3),
        (X > 0, -X),
        (X > 2, X),  # rare: one in forty
        (np.abs(X) > 1, X),  # not by its order
        (X > 0, np.where(X > 0, "after", "before")),
        (X > 0, pl.Series(np.where(X > 0, 1.0, np.nan)).fill_nan(None)),  # by being missing
        (X > 0, X > 0),
        (np.isin(LETTERS, ["a", "d"]), LETTERS),
        (LETTERS, LETTERS),
        (LETTERS, np.unique(LETTERS, return_inverse=True)[1]),
        (np.floor(X).clip(-2, 2).astype(int), np.round(X, 3)),
    ],
)
def test_a_column_that_knows_the_class_is_found(target, leak):
    found = leaks(target, noise=NOISE, leak=leak)
    assert [one.column for one in found] == ["leak"]
    assert found[0].score > 0.98
    assert found[0].sentence.startswith("column 'leak' alone predicts 'y' almost perfectly (")


@pytest.mark.parametrize(
    ("target", "leak"),
    [
        (X, 1.8 * X + 32),
        (np.exp(5 * X), X),
        (X, np.exp(X)),
        (X**2, X),
        (np.unique(LETTERS, return_inverse=True)[1] * 1.5, LETTERS),
        (X, X + 0.01 * NOISE),
    ],
)
def test_a_column_that_knows_the_value_is_found(target, leak):
    found = leaks(target, "regression", noise=NOISE, leak=leak)
    assert [one.column for one in found] == ["leak"]
    assert "R² of ranks" in found[0].sentence


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_a_column_whose_values_hardly_come_twice_is_none(task):
    target = X > 0 if task == "classification" else X
    words = [f"row {row}" for row in range(ROWS)]
    pairs = [f"row {row // 2}" for row in range(ROWS)]
    assert not leaks(target, task, words=words, pairs=pairs, noise=NOISE)


@pytest.mark.parametrize("load", [load_breast_cancer, load_iris, load_wine, load_diabetes])
def test_good_columns_of_honest_tables_are_none(load):
    data = load()
    task = "regression" if load is load_diabetes else "classification"
    table = pl.DataFrame(data.data, schema=[f"c{place}" for place in range(data.data.shape[1])])
    assert not suspicious_columns(table, pl.Series("y", data.target), task)


def test_the_score_is_the_area_under_the_roc_curve():
    target = X + 0.05 * NOISE > 0
    (leak,) = leaks(target, x=X)
    # The same counts, divided once.
    assert abs(leak.score - roc_auc_score(target, X)) <= 4 * np.finfo(np.float64).eps


def test_the_score_of_values_is_r2_of_their_ranks():
    values = np.repeat(np.arange(50.0), 40)
    assert leaks(values, "regression", x=values)[0].score == 1
    ranks = rankdata(values + 0.5 * NOISE)
    (leak,) = leaks(values + 0.5 * NOISE, "regression", x=values)
    means = np.array([ranks[values == value].mean() for value in range(50)])[values.astype(int)]
    # The means are of one half of 40 rows each: they err by a 20th of what they leave over, and
    # that twice (by the mean, and by chance).
    left = np.square(ranks - means).mean() / ranks.var()
    assert abs(leak.score - (1 - left)) <= 3 * left / 20


def test_the_target_may_be_a_column_of_the_table():
    table = pl.DataFrame({"x": X, "noise": NOISE, "y": X > 0})
    assert [leak.column for leak in suspicious_columns(table, "y", "classification")] == ["x"]
    with pytest.raises(InvalidTableError, match="no column 'z'"):
        suspicious_columns(table, "z", "classification")


def test_rows_without_a_target_do_not_count():
    target = pl.Series("y", [None if row % 3 == 0 else bool(X[row] > 0) for row in range(ROWS)])
    found = suspicious_columns(pl.DataFrame({"x": X}), target, "classification")
    assert [leak.column for leak in found] == ["x"]


def test_of_many_rows_a_sample_tells():
    x = np.random.default_rng(1).normal(size=100_000)
    assert [leak.column for leak in leaks(x, "regression", x=-x)] == ["x"]


@pytest.mark.parametrize("rows", [1, 10, 39])
def test_few_rows_tell_nothing(rows):
    assert not leaks(X[:rows] > 0, x=X[:rows])


def test_a_class_of_few_rows_tells_nothing():
    target = np.arange(ROWS) < 9
    assert not leaks(target, x=-np.arange(ROWS))


def test_a_constant_target_and_columns_without_values_tell_nothing():
    empty = pl.Series([None] * ROWS)
    assert not leaks(np.ones(ROWS), "regression", x=X, empty=empty)
    assert not leaks(np.ones(ROWS, bool), x=X, lists=pl.Series([[1]] * ROWS))


def test_dates_are_looked_at_too():
    days = pl.Series(range(ROWS)).cast(pl.Date)
    assert [leak.column for leak in leaks(np.arange(ROWS) > 700, days=days)] == ["days"]
