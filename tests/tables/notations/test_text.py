import polars as pl
import pytest

from chainrule.errors import InvalidTableError
from chainrule.tables.notations import Text, Truth
from chainrule.tables.table_notations import TableReading


def test_text_means_itself_without_the_spaces_around_it():
    assert Text().read(pl.Series(["a ", "\tb", "", " ", None, "NA"])).to_list() == [
        *("a", "b", None, None, None, "NA"),
    ]


def test_numbers_in_a_column_of_text_are_codes_each_by_itself():
    assert Text().read(pl.Series([10.0, 2.5, float("nan"), None])).to_list() == [
        *("10", "2.5", None, None),
    ]
    assert Text().read(pl.Series([10.0])).to_list() == ["10"]
    assert Text().read(pl.Series([10, 7])).to_list() == ["10", "7"]
    assert Text().read(pl.Series([True, False])).to_list() == ["true", "false"]


def test_true_and_false_are_read_in_any_capitals_and_as_1_and_0():
    values = Truth().read(pl.Series(["TRUE", "false", " True ", "1", "0.0", "NA", ""]))
    assert values.to_list() == [True, False, True, True, False, None, None]
    assert Truth().read(pl.Series([1, 0])).to_list() == [True, False]


def test_words_that_are_neither_are_refused_by_a_model_and_text_in_training():
    with pytest.raises(
        InvalidTableError, match="'maybe' in row 2, where the model needs true or f"
    ):
        Truth().read_all(pl.Series("a", ["true", "maybe"]))
    texts = ["true", "false", "maybe"] * 10
    assert TableReading.decide(pl.DataFrame({"a": texts}))[0].notations["a"] == Text()
