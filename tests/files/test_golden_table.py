"""The golden file of a table's model: what it predicts is worked out by hand, now and for ever."""

from pathlib import Path

import numpy as np
import polars as pl

import chainrule as cr
from chainrule.model.table_model import TableModel
from chainrule.tables.encoder import TableEncoder
from chainrule.tables.kinds import BooleanColumn, CategoryColumn, DateColumn, NumericColumn
from chainrule.tables.notes import Note
from chainrule.tables.target import TargetEncoder

GOLDEN = Path(__file__).parent / "golden" / "table-v2.safetensors"

COLUMNS = (
    NumericColumn("size", fill=2.0, center=1.0, scale=4.0, flag=True),
    BooleanColumn("is it?", fill=0.25, flag=True),
    CategoryColumn("kind", ("a", 'ü,"'), other=True, missing=True, as_codes=False),
    CategoryColumn("code", ("10", "20"), other=False, missing=True, as_codes=True),
    DateColumn("when", "%d.%m.%Y", ("year", "month"), 2000.0, 8.0, True),
)
DETAILS = {"command": "chainrule train table.csv --target price", "metrics": {"rmse": 0.5}}


def golden_model():
    """The model in the golden file, written out."""
    encoder = TableEncoder(categorical=("code",), embed_above=1)
    encoder.columns_ = COLUMNS
    encoder.dropped_ = (Note("id", "names the rows", "keep it with care"),)
    encoder.feature_names_in_ = np.array([*(c.name for c in COLUMNS), "id"], dtype=object)
    encoder.n_features_in_ = 6
    net = cr.Network([encoder.n_inputs, cr.Dense(1, "identity")], "mse", seed=11)
    net.parameters = [*(2.0 ** np.arange(13)), 0.5]
    net.epochs_trained = 3
    target = TargetEncoder("regression", "price", (), mean=100.0, std=2.0)
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


def test_today_s_reader_reads_the_golden_file():
    model, expected = cr.load(GOLDEN), golden_model()
    assert isinstance(model, TableModel)
    assert model.encoder.columns_ == COLUMNS
    assert model.encoder.dropped_ == expected.encoder.dropped_
    assert list(model.encoder.feature_names_in_) == list(expected.encoder.feature_names_in_)
    assert model.target == expected.target
    assert model.details == DETAILS
    assert model.network.spec == expected.network.spec
    np.testing.assert_array_equal(model.network.parameters, expected.network.parameters)


def test_the_golden_file_predicts_what_is_worked_out_by_hand():
    found = cr.load(GOLDEN).predict(ROWS)["prediction"].to_numpy()
    # cos(π/2) is not quite 0 in float32; its weight is 2¹¹.
    np.testing.assert_allclose(found, PRICES, rtol=1e-6)
