"""The encoder keeps scikit-learn's contract for transformers."""

import subprocess
import sys

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn import config_context
from sklearn.base import clone
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.utils.validation import check_is_fitted

from chainrule.errors import InvalidArgumentError
from chainrule.tables.encoder import TableEncoder

ROWS = 60
TABLE = pl.DataFrame(
    {
        "size": [None if row % 7 == 0 else row * 0.5 for row in range(ROWS)],
        "kind": ["red" if row % 3 else "blue" for row in range(ROWS)],
    }
)
LABELS = np.arange(ROWS) % 3 == 0


def test_a_clone_has_the_same_parameters_and_is_not_fitted():
    encoder = TableEncoder(scaling="robust", categorical=["size"]).fit(TABLE)
    again = clone(encoder)
    assert again.get_params() == encoder.get_params()
    check_is_fitted(encoder)
    with pytest.raises(NotFittedError):
        check_is_fitted(again)


def test_parameters_are_set_by_name():
    encoder = TableEncoder().set_params(scaling="none", max_categories=3)
    assert repr(encoder) == "TableEncoder(scaling='none', max_categories=3)"
    with pytest.raises(InvalidArgumentError, match=r"expected some of scaling, .*; got 'scale'"):
        encoder.set_params(scale=1)


@pytest.mark.parametrize("table", [TABLE, TABLE.to_pandas()], ids=["polars", "pandas"])
def test_a_pipeline_learns_from_a_table(table):
    pipeline = make_pipeline(TableEncoder(), LogisticRegression()).fit(table, LABELS)
    assert pipeline.score(table, LABELS) == 1
    assert list(pipeline[:-1].get_feature_names_out()) == [
        *("size", "size=(missing)", "kind=blue", "kind=red"),
    ]
    assert "TableEncoder" in repr(pipeline)
    assert "TableEncoder" in pipeline._repr_html_()


def test_a_search_tries_its_parameters():
    search = GridSearchCV(
        make_pipeline(TableEncoder(), LogisticRegression()),
        {"tableencoder__scaling": ["standard", "robust"]},
        cv=2,
    )
    search.fit(TABLE.to_pandas(), LABELS)
    assert search.best_score_ == 1


def test_a_column_transformer_gives_it_some_columns():
    transformer = make_column_transformer(
        (TableEncoder(), make_column_selector(dtype_include=np.number)), remainder="drop"
    )
    assert transformer.fit_transform(TABLE.to_pandas()).shape == (ROWS, 2)


@pytest.mark.parametrize(("kind", "table"), [("pandas", pd.DataFrame), ("polars", pl.DataFrame)])
def test_the_output_may_be_a_table_with_names(kind, table):
    plain = TableEncoder().fit(TABLE)
    chosen = plain.transform(TABLE)
    encoder = TableEncoder().set_output(transform=kind).fit(TABLE)
    with config_context(transform_output=kind):
        everywhere = plain.transform(TABLE)
    for output in (encoder.transform(TABLE), everywhere):
        assert isinstance(output, table)
        assert list(output.columns) == list(encoder.get_feature_names_out())
        assert np.array_equal(output.to_numpy(), chosen)
    assert isinstance(encoder.set_output(transform="default").transform(TABLE), np.ndarray)
    with pytest.raises(InvalidArgumentError, match="transform: expected one of default, pandas"):
        encoder.set_output(transform="arrow")


def test_it_works_without_importing_scikit_learn():
    code = (
        "import sys; import polars as pl; from chainrule.tables.encoder import TableEncoder\n"
        "table = pl.DataFrame({'a': [1.0, 2.0], 'b': ['x', 'y']})\n"
        "encoder = TableEncoder().fit(table)\n"
        "encoder.transform(table); repr(encoder); encoder.from_file(*encoder.to_file())\n"
        "heavy = {'sklearn', 'pandas', 'pyarrow', 'scipy'} & set(sys.modules)\n"
        "sys.exit(str(heavy) if heavy else 0)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (result.stderr.strip(), result.returncode) == ("", 0)
