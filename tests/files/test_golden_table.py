"""The golden file of a table's model: what it predicts is worked out by hand, now and for ever."""

import dataclasses
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import chainrule as cr
from chainrule.model.table_model import TableModel
from chainrule.tables.encoder import TableEncoder
from chainrule.tables.kinds import BooleanColumn, CategoryColumn, DateColumn, NumericColumn
from chainrule.tables.notations import Dates, Numbers, Text, Truth
from chainrule.tables.notes import Note
from chainrule.tables.target import TargetEncoder

FOLDER = Path(__file__).parent / "golden"
GOLDEN, LAST, OLD = (FOLDER / f"table-v{version}.safetensors" for version in (4, 3, 2))

COLUMNS = (
    NumericColumn("size", fill=2.0, center=1.0, scale=4.0, flag=True),
    BooleanColumn("is it?", fill=0.25, flag=True),
    CategoryColumn("kind", ("a", 'ü,"'), other=True, missing=True, as_codes=False),
    CategoryColumn("code", ("10", "20"), other=False, missing=True, as_codes=True),
    DateColumn("when", ("year", "month"), 2000.0, 8.0, True, notation=Dates("%d.%m.%Y")),
)
WRITTEN = {
    "size": Numbers(",", ".", ("kg",), (-999.0,)),
    "is it?": Truth(),
    "kind": Text(),
    "code": Numbers(),
    "when": Dates("%d.%m.%Y", "Europe/Berlin"),
}
"""How the columns of the golden file of today's version are written."""
DETAILS = {"command": "chainrule train table.csv --target price", "metrics": {"rmse": 0.5}}


def golden_model(columns=None):
    """The model in the golden file, written out."""
    if columns is None:
        columns = [dataclasses.replace(one, notation=WRITTEN[one.name]) for one in COLUMNS]
    encoder = TableEncoder(categorical=("code",), embed_above=1)
    encoder.columns_ = tuple(columns)
    encoder.dropped_ = (Note("id", "names the rows", "keep it with care"),)
    encoder.feature_names_in_ = np.array([*(c.name for c in COLUMNS), "id"], dtype=object)
    encoder.n_features_in_ = 6
    net = cr.Network([encoder.n_inputs, cr.Dense(1, "identity")], "mse", seed=11)
    net.parameters = [*(2.0 ** np.arange(13)), 0.5]
    net.epochs_trained = 3
    target = TargetEncoder("regression", "price", (), mean=100.0, std=2.0)
    if columns is not COLUMNS:
        target = dataclasses.replace(target, notation=Numbers(units=("€",)))
    return TableModel(net, encoder, target, DETAILS)


ROWS = pl.DataFrame(
    {
        "when": ["01.04.2004", None, "31.01.1996"],
        "code": [20, None, 99],
        "kind": ['ü,"', None, "never seen"],
        "is it?": [True, None, False],
        "size": [9.0, None, 1.0],
    }
)
# size, flag, is it?, flag, a, ü, other, missing, code, year, sin month, cos month, flag
INPUTS = [
    [2, 0, 1, 0, 0, 1, 0, 0, 2, 0.5, 1, 0, 0],
    [0.25, 1, 0.25, 1, 0, 0, 0, 1, 3, 0, 0, 0, 1],
    [0, 0, 0, 0, 0, 0, 1, 0, 0, -0.5, 0, 1, 0],
]
PRICES = 100 + 2 * (np.array(INPUTS) @ 2.0 ** np.arange(13) + 0.5)


def test_today_s_writer_gives_the_bytes_of_the_golden_file(tmp_path):
    golden_model().save(tmp_path / "model.safetensors")
    assert (tmp_path / "model.safetensors").read_bytes() == GOLDEN.read_bytes()


@pytest.mark.parametrize(("path", "columns"), [(GOLDEN, None), (LAST, None), (OLD, COLUMNS)])
def test_today_s_reader_reads_the_golden_file(path, columns):
    model, expected = cr.load(path), golden_model(columns)
    assert isinstance(model, TableModel)
    assert model.encoder.columns_ == expected.encoder.columns_
    assert model.encoder.dropped_ == expected.encoder.dropped_
    assert list(model.encoder.feature_names_in_) == list(expected.encoder.feature_names_in_)
    assert model.target == expected.target
    assert model.details == DETAILS
    assert model.network.spec == expected.network.spec
    np.testing.assert_array_equal(model.network.parameters, expected.network.parameters)


@pytest.mark.parametrize("path", [GOLDEN, LAST, OLD])
def test_the_golden_file_predicts_what_is_worked_out_by_hand(path):
    found = cr.load(path).predict(ROWS)["prediction"].to_numpy()
    # cos(π/2) is not quite 0 in float32; its weight is 2¹¹.
    np.testing.assert_allclose(found, PRICES, rtol=1e-6)


def test_the_golden_file_reads_text_as_its_notations_say():
    texts = pl.DataFrame(
        {
            "when": ["01.04.2004", "", "31.01.1996 08:00"],
            "code": ["20.0", "?", "99"],
            "kind": ['ü,"', "", "never seen"],
            "is it?": ["TRUE", "NA", "0"],
            "size": ["9,0 kg", "-999", "1"],
        }
    )
    found = cr.load(GOLDEN).predict(texts)["prediction"].to_numpy()
    np.testing.assert_allclose(found, PRICES, rtol=1e-6)
