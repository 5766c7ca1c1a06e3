"""ONNX: ONNX Runtime's answers are the model's."""

import datetime

import numpy as np
import onnx
import onnxruntime
import polars as pl
import pytest
from hypothesis import given, settings
from sklearn.datasets import load_diabetes, load_iris, make_multilabel_classification

import chainrule as cr
from chainrule.exports.onnx import model_of
from chainrule.exports.program import program_of
from chainrule.model.table_model import TableModel
from chainrule.tables.encoder import TableEncoder
from chainrule.tables.kinds import DateColumn
from chainrule.tables.target import TargetEncoder
from tests.error_bounds import error_bounds
from tests.exports.models import CLASSES, every_kind, inputs, long_tailed_model, table, table_model
from tests.strategies_networks import problems

EPOCH = datetime.datetime(1970, 1, 1)


def run(model, feed):
    """Return ONNX Runtime's outputs by name."""
    content = model_of(program_of(model), "model").SerializeToString()
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(None, feed), strict=True))


def fed(model, rows):
    """Return a table's columns as the documentation says that a graph takes them."""
    feed = {}
    for column in model.encoder.columns_:
        values = rows[column.name].to_list()
        if column.kind == "category":
            texts = ["" if value is None else str(value).strip() for value in values]
            feed[column.name] = np.array(texts, object)[:, None]
        else:
            if column.kind == "date":
                values = [seconds(value) for value in values]
            numbers = [np.nan if value is None else float(value) for value in values]
            feed[column.name] = np.array(numbers)[:, None]
    return feed


def seconds(value):
    """Return seconds since 1970 of a date, a time or text."""
    if value is None:
        return None
    if isinstance(value, str):
        value = datetime.datetime.strptime(value, "%d.%m.%Y %H:%M:%S")
    if not isinstance(value, datetime.datetime):
        value = datetime.datetime.combine(value, datetime.time())
    return (value - EPOCH) / datetime.timedelta(seconds=1)


@pytest.mark.parametrize("target", CLASSES)
def test_classes_of_ten_thousand_rows_with_missing_and_unknown_values_agree(target):
    model, rows = table_model(target), table(10_000, 5, unknown=True)
    found = run(model, fed(model, rows))
    probabilities = model.probabilities(rows)
    np.testing.assert_allclose(found["probabilities"], probabilities, rtol=0, atol=1e-5)
    # Where two classes are as good as equally probable, rounding decides.
    first, second = np.sort(probabilities, axis=1)[:, -1:-3:-1].T
    clear = first - second > 1e-5
    expected = model.predict(rows)["prediction"].to_list()
    assert clear.mean() > 0.99
    labels = found["label"].tolist()
    assert [type(label) for label in labels[:3]] == [type(label) for label in expected[:3]]
    assert np.array(labels)[clear].tolist() == np.array(expected)[clear].tolist()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_values_of_ten_thousand_rows_are_in_the_target_s_units(dtype):
    model, rows = table_model("value", dtype=dtype), table(10_000, 5, unknown=True)
    found = run(model, fed(model, rows))["prediction"]
    assert found.dtype == np.float64
    expected = model.predict(rows)["prediction"].to_numpy()
    np.testing.assert_allclose(found[:, 0], expected, rtol=1e-5)


@pytest.mark.parametrize("kind", ["log", "asinh"])
def test_values_of_a_long_tail_are_undone(kind):
    model, rows = long_tailed_model(kind), table(2000, 5, unknown=True)
    found = run(model, fed(model, rows))["prediction"]
    spread = model.target.transform.spread  # near 0 the values' own unit
    expected = model.predict(rows)["prediction"].to_numpy()
    # An error of the network's float32 is one of the exponent.
    np.testing.assert_allclose(found[:, 0], expected, rtol=1e-4, atol=1e-5 * spread)


@pytest.mark.filterwarnings("ignore:before training, the inputs look unscaled")
@pytest.mark.parametrize(
    "settings",
    [
        {"single": True, "target": "two"},
        {"embed_above": 2},
        {"min_frequency": 80},
        {"scaling": "robust"},
        {"scaling": "none"},
    ],
    ids=str,
)
def test_every_way_to_encode_agrees(settings):
    model, rows = table_model(**settings), table(500, 3, unknown=True)
    if settings.get("scaling") == "none":
        rows = rows.with_columns(size=pl.col("size") / 1e6)
    found = run(model, fed(model, rows))["probabilities"]
    np.testing.assert_allclose(found, model.probabilities(rows), rtol=0, atol=1e-5)


def test_every_day_of_eight_centuries_has_its_parts():
    first = datetime.date(1599, 12, 31)
    days = pl.DataFrame({"day": [first + datetime.timedelta(i) for i in range(0, 292_500, 3)]})
    column = DateColumn("day", ("year", "month", "day", "weekday", "hour"), 2000.0, 100.0, True)
    encoder = TableEncoder()
    encoder.columns_, encoder.dropped_ = (column,), ()
    net = cr.Network([10, cr.Dense(1, "identity")], "mse", seed=0)
    model = TableModel(net, encoder, TargetEncoder("regression", "y"))
    found = run(model, fed(model, days))["prediction"][:, 0]
    np.testing.assert_allclose(found, model.predict(days)["prediction"].to_numpy(), atol=2e-6)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_kind_of_layer_and_activation_agrees(dtype):
    net = every_kind(dtype)
    X = inputs(net)
    found = run(net, {"X": X.astype(np.float32)})["Y"]
    expected = net.predict(X)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5 * np.abs(expected).max())


@settings(max_examples=8)
@given(problem=problems())
def test_random_networks_agree_within_the_bound_of_rounding(problem):
    problem = problem.rounded("float32")
    net = cr.Network.from_parameters(problem.spec, problem.theta)
    found = run(net, {"X": problem.X})["Y"]
    bound = error_bounds(problem, ulps=8).outputs
    assert (np.abs(found - net.predict(problem.X)) <= 2 * bound + 1e-6).all()


def test_estimators_agree_scaled_inside_or_not():
    X, y = load_iris(return_X_y=True)
    for y_of, n in ((y, 150), (np.where(y == 0, "setosa", "other"), 150)):
        for standardize in (True, False):
            model = cr.MLPClassifier((8,), standardize=standardize, random_state=0)
            model.fit(X, y_of, epochs=5)
            found = run(model, {"X": X if standardize else X.astype(np.float32)})
            np.testing.assert_allclose(
                found["probabilities"], model.predict_proba(X), rtol=0, atol=1e-5
            )
            assert found["label"].tolist() == model.predict(X).tolist()
            assert len(found["label"]) == n


def test_labels_that_do_not_exclude_each_other_agree():
    X, Y = make_multilabel_classification(n_features=6, n_classes=3, random_state=0)
    model = cr.NetworkClassifier((8,), random_state=0).fit(X, Y, epochs=5)
    found = run(model, {"X": X})
    np.testing.assert_allclose(found["probabilities"], model.predict_proba(X), rtol=0, atol=1e-5)
    np.testing.assert_array_equal(found["label"], model.predict(X))


def test_several_values_agree_in_their_units():
    X, y = load_diabetes(return_X_y=True)
    Y = np.stack([y, 1e3 * y], axis=1)
    model = cr.NetworkRegressor(hidden_layer_sizes=(8,), random_state=0).fit(X, Y, epochs=5)
    np.testing.assert_allclose(run(model, {"X": X})["prediction"], model.predict(X), rtol=1e-5)


def test_a_column_named_like_a_part_of_the_graph_keeps_its_name():
    names = ["label", "probabilities", "concat", "constant", "", "identity"]
    random = np.random.default_rng(0)
    rows = pl.DataFrame({name: random.standard_normal(50) for name in names})
    encoder = TableEncoder().fit(rows)
    target = TargetEncoder.fit(pl.Series("y", ["a", "b"] * 25))
    net = cr.Network([encoder.n_inputs, cr.Dense(2, "softmax")], "cross_entropy", seed=0)
    model = TableModel(net, encoder, target)
    graph = model_of(program_of(model), "model").graph
    given = [value.name for value in graph.input]
    assert [name for name in given if name in names] == [name for name in names if name]
    feed = {
        name: rows[column].to_numpy()[:, None] for name, column in zip(given, names, strict=True)
    }
    found = run(model, feed)
    assert sorted(found) == ["label_2", "probabilities_2"]
    np.testing.assert_allclose(
        found["probabilities_2"], model.probabilities(rows), rtol=0, atol=1e-6
    )


def test_the_file_says_who_wrote_it_and_what_it_predicts(tmp_path):
    (path,) = cr.export(table_model(), tmp_path / "model.onnx")
    model = onnx.load(path)
    assert (model.producer_name, model.producer_version) == ("chainrule", cr.__version__)
    assert {prop.key: prop.value for prop in model.metadata_props} == {"target": "y"}
    assert "NaN where missing" in model.doc_string
