import polars as pl
import pytest

from chainrule.errors import InvalidArgumentError, InvalidTableError
from chainrule.tables.columns import check_finite, column_named, ignored_columns, numeric_column


def test_numbers_and_true_and_false_become_numbers():
    assert numeric_column(pl.Series("a", [1, 2])).tolist() == [1, 2]
    assert numeric_column(pl.Series("a", [True, False])).tolist() == [1, 0]


def test_an_infinite_number_is_named_with_its_row_and_missing_ones_are_left_alone():
    table = pl.DataFrame({"a": [1.0, None, float("nan")], "b": [None, 2.0, float("-inf")]})
    check_finite(table.select("a"))
    with pytest.raises(InvalidTableError, match="column 'b' holds -inf in row 3, which is not"):
        check_finite(table)


@pytest.mark.parametrize(
    ("column", "message"),
    [
        ([1, None, 3, None], r"column 'a' has no value in row 2 and 1 more; fill in or remove"),
        ([None] * 4, "column 'a' has no value in row 1 and 3 more"),
        ([1.0, 2.0, 3.0, float("nan")], "column 'a' holds nan in row 4, which is not a finite"),
        ([1.0, float("-inf"), 3.0, 4.0], "column 'a' holds -inf in row 2"),
        (["1", "2", "x", None], r"column 'a' holds text \('x' in row 3\)"),
        (["x" * 500, "", "", ""], r"column 'a' holds text \('x{39}…' in row 1\)"),
        ([[1], [2], [3], [4]], r"column 'a' holds values of type List\(Int64\)"),
    ],
)
def test_what_is_not_a_finite_number_is_named_with_column_row_and_remedy(column, message):
    with pytest.raises(InvalidTableError, match=message):
        numeric_column(pl.Series("a", column))


def test_a_missing_column_is_named_with_one_like_it():
    table = pl.DataFrame({"Price": [1], "size": [2]})
    with pytest.raises(InvalidTableError, match="no column 'price'; did you mean 'Price'"):
        column_named(table, "price")
    with pytest.raises(InvalidTableError, match="no column 'weight'; it has 'Price', 'size'"):
        column_named(table, "weight")


def test_of_many_columns_only_the_first_are_listed():
    table = pl.DataFrame({f"c{index}": [0] for index in range(100)})
    with pytest.raises(InvalidTableError, match="'c7' and 92 more"):
        column_named(table, "weight")


def test_ignored_columns_go_by_name_or_by_several_with_commas():
    columns = ["a", "b", "c,d", "e"]
    assert ignored_columns(("a, e", "c,d"), columns) == ("a", "e", "c,d")
    assert ignored_columns(("a", "a,b"), columns) == ("a", "b")
    with pytest.raises(InvalidTableError, match="no column 'ee'; did you mean 'e'"):
        ignored_columns(("ee",), columns)
    with pytest.raises(InvalidArgumentError, match="'a' is the target"):
        ignored_columns(("a",), columns, "a")
