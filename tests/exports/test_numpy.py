"""One Python file: run where there is nothing but NumPy, its answers are the model's."""

import datetime
import json
import subprocess
import sys

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from sklearn.datasets import load_diabetes, load_iris, make_multilabel_classification

import chainrule as cr
from chainrule.exports.numpy import source
from chainrule.exports.program import program_of
from chainrule.model.table_model import TableModel
from chainrule.tables.encoder import TableEncoder
from chainrule.tables.target import TargetEncoder
from tests.error_bounds import error_bounds
from tests.exports.models import CLASSES, every_kind, inputs, long_tailed_model, table, table_model
from tests.strategies_networks import problems

RUN = """
import json, sys
import numpy as np
for other in ("chainrule", "scipy", "sklearn", "polars", "pandas", "safetensors", "jax"):
    sys.modules[other] = None  # importing it is an error
exported = {}
exec(open(sys.argv[1], encoding="utf-8").read(), exported)
X = np.load(sys.argv[2]) if sys.argv[2].endswith(".npy") else json.load(open(sys.argv[2]))
np.save(sys.argv[3], exported[sys.argv[4]](X))
"""


def run(model, X, folder, function="predict"):
    """Run an exported file in another process."""
    (path,) = cr.export(model, folder / "model.py")
    given = folder / ("X.npy" if isinstance(X, np.ndarray) else "X.json")
    if isinstance(X, np.ndarray):
        np.save(given, X)
    else:
        given.write_text(json.dumps(X, default=str))
    subprocess.run(
        [sys.executable, "-I", "-c", RUN, path, given, folder / "Y.npy", function], check=True
    )
    return np.load(folder / "Y.npy")


def loaded(model):
    """Return an exported file's functions, in this process."""
    names = {"__name__": "exported"}
    exec(source(program_of(model)), names)
    return names


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_kind_of_layer_and_activation_agrees(tmp_path, dtype):
    net = every_kind(dtype)
    X = inputs(net)
    found = run(net, X, tmp_path)
    expected = net.predict(X)
    assert found.dtype == dtype
    tolerance = {"float32": 1e-5, "float64": 1e-13}[dtype]
    np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance * np.abs(expected).max())


@given(problem=problems())
def test_random_networks_agree_within_the_bound_of_rounding(problem):
    for dtype in ("float32", "float64"):
        one = problem.rounded(dtype)
        net = cr.Network.from_parameters(one.spec, one.theta)
        found = loaded(net)["predict"](one.X)
        bound = error_bounds(one, ulps=8).outputs
        assert (np.abs(found - net.predict(one.X)) <= 2 * bound).all()


@pytest.mark.parametrize("target", CLASSES)
def test_a_table_s_classes_agree_with_missing_and_unknown_values(target):
    model, rows = table_model(target), table(2000, 5, unknown=True)
    exported = loaded(model)
    expected = model.predict(rows)["prediction"].to_list()
    for form in (rows, rows.to_dict(as_series=False), rows.to_pandas()):
        found = exported["predict_proba"](form)
        np.testing.assert_allclose(found, model.probabilities(rows), rtol=0, atol=1e-5)
        assert exported["predict"](form).tolist() == expected


def test_a_table_s_values_agree_in_another_process(tmp_path):
    model = table_model("value")
    rows = table(500, 5, unknown=True)
    text = {
        name: [None if value is None else str(value) for value in rows[name].to_list()]
        for name in rows.columns
    }
    expected = model.predict(rows)["prediction"].to_numpy()
    np.testing.assert_allclose(run(model, text, tmp_path), expected, rtol=1e-6)


@pytest.mark.parametrize("kind", ["log", "asinh"])
def test_values_of_a_long_tail_are_undone(kind):
    model, rows = long_tailed_model(kind), table(500, 5, unknown=True)
    spread = model.target.transform.spread  # near 0 the values' own unit
    expected = model.predict(rows)["prediction"].to_numpy()
    found = loaded(model)["predict"](rows.to_dict())
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5 * spread)


@pytest.mark.parametrize(
    "settings",
    [
        {"single": True, "target": "two"},
        {"embed_above": 2},
        {"min_frequency": 80},
        {"scaling": "robust"},
    ],
    ids=str,
)
def test_every_way_to_encode_agrees(settings):
    model, rows = table_model(**settings), table(500, 3, unknown=True)
    found = loaded(model)["predict_proba"](rows)
    np.testing.assert_allclose(found, model.probabilities(rows), rtol=0, atol=1e-5)


def dates_model(column):
    """Return a model of one column of dates as text."""
    rows = pl.DataFrame({"when": column})
    encoder = TableEncoder().fit(rows)
    net = cr.Network([encoder.n_inputs, cr.Dense(1, "identity")], "mse", seed=0)
    return TableModel(net, encoder, TargetEncoder("regression", "y")), rows


@pytest.mark.parametrize(
    "written",
    [
        "%Y-%m-%d",
        "%d.%m.%Y %H:%M",
        "%Y-%m-%d %H:%M:%S",
        "%Y-%m-%d %H:%M:%S.%f",
        "%Y-%m-%dT%H:%M:%SZ",
        "%Y-%m-%dT%H:%M:%S+02:00",
        "%m/%d/%Y",
    ],
)
def test_dates_written_as_text_agree(written):
    begin = datetime.datetime(1999, 12, 31, 22, 58, 57, 250_000)
    days = [begin + datetime.timedelta(days=i, hours=5 * i, minutes=i) for i in range(0, 900, 7)]
    model, rows = dates_model([day.strftime(written) for day in days])
    expected = model.predict(rows)["prediction"].to_numpy()
    np.testing.assert_allclose(loaded(model)["predict"](rows), expected, atol=1e-6)


def test_times_of_day_and_times_with_a_zone_agree():
    times = [datetime.time(i % 24, (7 * i) % 60, i % 60) for i in range(100)]
    zone = datetime.timezone(datetime.timedelta(hours=2))
    begin = datetime.datetime(2024, 2, 27, tzinfo=zone)
    zoned = pl.Series([begin + datetime.timedelta(hours=7 * i) for i in range(100)])
    for column in (times, zoned.dt.convert_time_zone("Europe/Berlin")):
        model, rows = dates_model(column)
        expected = model.predict(rows)["prediction"].to_numpy()
        np.testing.assert_allclose(loaded(model)["predict"](rows), expected, atol=1e-6)


def test_numbers_that_name_something_are_text_as_in_the_package():
    model, rows = table_model(), table(200, 3)
    floats = rows.with_columns(pl.col("2nd code").cast(pl.Float64))
    found = loaded(model)["predict_proba"](floats)
    np.testing.assert_allclose(found, model.probabilities(rows), rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("size", "many", "column 'size': expected a number; got 'many'"),
        ("size", float("inf"), "column 'size': a value is not finite"),
        ("size", 1e300, "input 0 of row 1 is not finite"),
        ("is it?", "perhaps", r"column 'is it\?': expected true or false"),
        ("written", "2020-01-01", "column 'written': expected a date written as"),
    ],
)
@pytest.mark.filterwarnings("ignore:overflow")
def test_values_that_cannot_be_name_their_column(column, value, message):
    model, rows = table_model(), table(5, 3).to_dict(as_series=False)
    rows[column][0] = value
    with pytest.raises(ValueError, match=message):
        loaded(model)["predict"](rows)


def test_a_column_that_is_missing_is_named():
    rows = table(5, 3).drop("size")
    with pytest.raises(ValueError, match="the table has no column 'size'"):
        loaded(table_model())["predict"](rows.to_dict(as_series=False))


def test_columns_with_other_names_and_another_order_change_nothing():
    model, rows = table_model(), table(50, 3)
    turned = rows.select(reversed(rows.columns)).with_columns(more=pl.lit(1))
    exported = loaded(model)
    np.testing.assert_array_equal(
        exported["predict_proba"](turned), exported["predict_proba"](rows)
    )


def test_estimators_agree(tmp_path):
    X, y = load_iris(return_X_y=True)
    names = np.array(["setosa", "versi\"color'", "virginica\\"])[y]
    model = cr.NetworkClassifier((8,), batch_norm=True, random_state=0).fit(X, names, epochs=5)
    assert run(model, X, tmp_path).tolist() == model.predict(X).tolist()
    found = run(model, X, tmp_path, "predict_proba")
    np.testing.assert_allclose(found, model.predict_proba(X), rtol=0, atol=1e-12)
    X, y = load_diabetes(return_X_y=True)
    model = cr.NetworkRegressor(hidden_layer_sizes=(8,), random_state=0).fit(X, y, epochs=5)
    np.testing.assert_allclose(run(model, X, tmp_path), model.predict(X), rtol=1e-5)
    X, Y = make_multilabel_classification(n_features=6, n_classes=3, random_state=0)
    model = cr.MLPClassifier((8,), random_state=0).fit(X, Y, epochs=5)
    np.testing.assert_array_equal(run(model, X, tmp_path), model.predict(X))


def test_a_pandas_frame_with_nothing_in_some_cells_agrees():
    model, rows = table_model(), table(200, 3)
    frame = rows.to_pandas()
    assert isinstance(frame, pd.DataFrame)
    assert frame["size"].isna().any()
    found = loaded(model)["predict_proba"](frame)
    np.testing.assert_allclose(found, model.probabilities(rows), rtol=0, atol=1e-5)


def test_equal_models_give_equal_files():
    assert source(program_of(table_model())) == source(program_of(table_model()))
