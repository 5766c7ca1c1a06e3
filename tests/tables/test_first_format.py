"""Encoders in files of format version 1 are still understood."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import chainrule as cr
from chainrule.errors import InvalidModelFileError
from chainrule.tables.first_format import from_first_format, is_first_format

GOLDEN = Path(__file__).parents[1] / "files" / "golden"
TABLE = pl.DataFrame(
    {
        "length": [1.0, 2.0, 3.0, 6.0],
        "same": [5, 5, 5, 5],
        "old": [True, False, False, True],
        "kind": ["b", "a", "b", "a"],
        "price": [10.0, 20.0, 30.0, 60.0],
    }
)
HEADER = {
    "task": "classification",
    "target": "kind",
    "features": ["length", "same"],
    "classes": ["a", "b"],
    "target_mean": 0.0,
    "target_std": 1.0,
}
ARRAYS = {"encoder.mean": np.array([3.0, 5.0]), "encoder.std": np.array([2.0, 0.0])}


def as_metadata(header):
    return {"encoder": json.dumps(header)}


def test_a_file_of_classes_predicts_what_it_did_when_it_was_written():
    model = cr.load(GOLDEN / "table-classes-v1.safetensors")
    predicted = model.predict(TABLE.select(reversed(TABLE.columns)))
    assert predicted["prediction"].to_list() == ["a", "a", "a", "b"]
    written = np.array([0.33373701572418213, 0.25222697854042053, 0.339754194021225, 0.79315090])
    # float32 sums of four terms, in another order on another machine.
    assert np.abs(predicted["probability_b"].to_numpy() - written).max() <= 1e-6


def test_a_file_of_values_predicts_what_it_did_when_it_was_written():
    model = cr.load(GOLDEN / "table-values-v1.safetensors")
    written = [31.43513848926775, 32.00102635706438, 31.143860640481286, 27.468996341819565]
    predicted = model.predict(TABLE)["prediction"].to_numpy()
    assert np.abs(predicted - written).max() <= 1e-6 * 32


@pytest.mark.parametrize("name", ["table-classes-v1", "table-values-v1"])
def test_saving_it_again_keeps_its_predictions(tmp_path, name):
    model = cr.load(GOLDEN / f"{name}.safetensors")
    model.save(tmp_path / "again.safetensors")
    again = cr.load(tmp_path / "again.safetensors")
    assert again.predict(TABLE).equals(model.predict(TABLE))
    assert again.encoder.columns_ == model.encoder.columns_
    assert again.target == model.target


def test_a_column_that_did_not_vary_is_given_as_0_whatever_it_holds():
    encoder, target = from_first_format(as_metadata(HEADER), ARRAYS)
    table = pl.DataFrame({"same": [5.0, 1e6], "length": [3.0, 5.0]})
    assert encoder.transform(table).tolist() == [[0, 0], [1, 0]]
    assert target.classes == ("a", "b")


def test_what_is_not_of_the_first_format_is_told_apart():
    assert is_first_format(as_metadata(HEADER))
    for text in ("", "[]", "{}", "null", "[" * 100_000, '{"columns": []}'):
        assert not is_first_format({"encoder": text})
    assert not is_first_format({})


@pytest.mark.parametrize(
    "damage",
    [
        {"task": "ranking"},
        {"features": []},
        {"features": ["length", "length"]},
        {"features": ["length", "kind"]},
        {"features": ["length"]},
        {"features": [1, 2]},
        {"features": 3},
        {"target": 3},
        {"classes": ["a", "a"]},
        {"classes": 3},
        {"target_mean": "x"},
        {"target_std": float("nan")},
        {"task": "regression", "classes": [], "target_std": 0.0},
    ],
)
def test_a_damaged_header_is_refused(damage):
    with pytest.raises(InvalidModelFileError, match="table encoder cannot be used"):
        from_first_format(as_metadata(HEADER | damage), ARRAYS)


@pytest.mark.parametrize(
    "damage",
    [
        {"encoder.mean": np.zeros(3)},
        {"encoder.mean": np.zeros(2, np.float32)},
        {"encoder.std": np.array([1.0, -1.0])},
        {"encoder.std": np.array([1.0, np.inf])},
        {"encoder.std": np.zeros((2, 1))},
    ],
)
def test_damaged_arrays_are_refused(damage):
    with pytest.raises(InvalidModelFileError, match="table encoder cannot be used"):
        from_first_format(as_metadata(HEADER), ARRAYS | damage)
    with pytest.raises(InvalidModelFileError, match=r"encoder\.mean"):
        from_first_format(as_metadata(HEADER), {})
