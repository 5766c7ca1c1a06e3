import numpy as np
import polars as pl
import pytest

from chainrule.errors import InvalidTableError
from chainrule.tables.kinds import BooleanColumn

COLUMN = BooleanColumn("a", fill=0.25, flag=True)


def encoded(column, values):
    series = values if isinstance(values, pl.Series) else pl.Series(column.name, values)
    out = np.full((len(series), column.width), 7, np.float32)
    column.encode(series, out)
    return out


@pytest.mark.parametrize(
    "values",
    [
        [True, None, False],
        ["true", None, "False"],
        [" TRUE ", "", "0"],
        [1, None, 0],
        [1.0, float("nan"), 0.0],
        pl.Series("a", ["true", None, "false"], dtype=pl.Categorical),
    ],
)
def test_true_and_false_are_1_and_0_in_every_type(values):
    assert encoded(COLUMN, values).tolist() == [[1, 0], [0.25, 1], [0, 0]]
    assert COLUMN.feature_names() == ("a", "a=(missing)")


def test_a_value_that_is_missing_without_a_flag_is_the_share_of_true():
    column = BooleanColumn("a", fill=0.25, flag=False)
    assert encoded(column, [True, None]).tolist() == [[1], [0.25]]
    assert encoded(column, pl.Series("a", [None])).tolist() == [[0.25]]


@pytest.mark.parametrize("values", [["true", "maybe"], [1, 2]])
def test_what_is_neither_is_named_with_its_row(values):
    with pytest.raises(InvalidTableError, match="in row 2, where the model needs true or false"):
        encoded(COLUMN, values)
