import polars as pl
import pytest

from chainrule.errors import InvalidArgumentError, InvalidTableError
from chainrule.tables.task import distinct_classes, infer_task, task_named


@pytest.mark.parametrize(
    ("values", "task"),
    [
        (["a", "b", "a"], "classification"),
        ([True, False, True], "classification"),
        ([0, 1, 1], "classification"),
        ([0.0, 1.0, 1.0], "classification"),
        ([0.5, 1.0, 1.0], "regression"),
        ([1, 2, 3] * 9, "regression"),
        ([1, 2, 3] * 10, "classification"),
        (list(range(20)) * 10, "classification"),
        (list(range(21)) * 100, "regression"),
        ([1.5, 2.5] * 100, "regression"),
    ],
)
def test_the_task_follows_from_the_kind_and_number_of_values(values, task):
    assert infer_task(pl.Series("y", values)) == task


def test_a_task_goes_by_its_name():
    assert task_named("regression") == "regression"
    with pytest.raises(InvalidArgumentError, match="classification or regression; got 'ranking'"):
        task_named("ranking")


@pytest.mark.parametrize(
    ("values", "classes"),
    [
        (["M", "B", "M", "B"], ("B", "M")),
        ([True, False, True, True], (False, True)),
        ([10, 9, 10, 9], (9, 10)),
        ([0.5, -1.0, 0.5, 0.5], (-1.0, 0.5)),
    ],
)
def test_classes_are_sorted_and_of_the_kind_in_the_table(values, classes):
    found = distinct_classes(pl.Series("y", values))
    assert found == classes
    assert type(found[0]) is type(values[0])


def test_categories_are_classes_by_their_text():
    column = pl.Series("y", ["b", "a", "b", "a"], dtype=pl.Categorical)
    assert distinct_classes(column) == ("a", "b")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (["a", "a"], "'y' is 'a' in all 2 rows: one class"),
        (["a", "b", None], "column 'y' has no value in row 3"),
        ([1.0, 2.0, float("nan")], "not finite"),
        (["a", "b", "c"], "3 different values in 3 rows"),
        ([[1], [2]], "cannot be classes"),
    ],
)
def test_what_cannot_be_classes_is_refused(values, message):
    with pytest.raises(InvalidTableError, match=message):
        distinct_classes(pl.Series("y", values))
