"""Intervals and sets in exported files: run there, they are the model's own."""

import ctypes
import subprocess

import numpy as np
import pytest
from sklearn.datasets import load_diabetes, load_iris, make_multilabel_classification

import chainrule as cr
from chainrule.exports.numpy import source
from chainrule.exports.onnx import model_of
from chainrule.exports.program import program_of
from chainrule.model.conformal import Conformal
from tests.exports.models import CLASSES, long_tailed_model, table, table_model
from tests.exports.test_c import COMPILER, STRICT, structs
from tests.exports.test_onnx import fed

COVERAGE = 0.8
ROWS = table(400, 5, unknown=True)


def calibrated(model, scores):
    model.conformal = Conformal.of(scores)
    return model


def value_model(kind=None):
    random = np.random.default_rng(3)
    if kind is None:
        return calibrated(table_model("value"), random.exponential(100, 500))
    return calibrated(long_tailed_model(kind), random.exponential(0.5, 500))


def class_model(**settings):
    model = table_model(**settings)
    # Of the model's own probabilities, so that sets of no, one and several classes occur.
    p = model.probabilities(table(300, 6))
    return calibrated(
        model, 1 - p[np.arange(300), np.random.default_rng(1).integers(0, p.shape[1], 300)]
    )


def in_numpy(model):
    names = {"__name__": "exported"}
    exec(source(program_of(model, COVERAGE)), names)
    return names


def in_onnx(model, feed):
    import onnxruntime

    content = model_of(program_of(model, COVERAGE), "model").SerializeToString()
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(None, feed), strict=True))


def in_c(model, folder, rows, what, n_outputs, by_row=True):
    """Return what the function of a C file writes for each row."""
    (path,) = cr.export(model, folder / "model.c", interval=COVERAGE)
    library = path.with_suffix(".so")
    subprocess.run(
        [COMPILER, *STRICT, "-O2", "-shared", "-fPIC", path, "-o", library, "-lm"], check=True
    )
    function = getattr(
        ctypes.CDLL(str(library)), f"model_{what}_row" if by_row else f"model_{what}"
    )
    kinds = [np.float64] * 2 if what == "interval" else [np.int32]
    found = [np.full((len(rows), n_outputs), -1, kind) for kind in kinds]
    for place, row in enumerate(rows):
        given = ctypes.byref(row) if by_row else row.ctypes.data_as(ctypes.c_void_p)
        function(given, *(each[place].ctypes.data_as(ctypes.c_void_p) for each in found))
    return np.stack(found, axis=-1)[:, 0] if what == "interval" else found[0].astype(bool)


def ends(model, rows):
    return model.predict(rows, interval=COVERAGE).select("lower", "upper").to_numpy()


def members(model, rows):
    sets = model.predict(rows, interval=COVERAGE)["prediction_set"].to_list()
    return np.array([[name in one for name in model.target.classes] for one in sets])


def clear(model, rows):
    """Tell where no probability is so near the threshold that float32's rounding decides."""
    scores = 1 - model.probabilities(rows).astype(np.float64)
    return (np.abs(scores - model.quantile(COVERAGE)) > 1e-5).all(axis=1)


def assert_same_ends(model, found):
    transform = model.target.transform
    expected = ends(model, ROWS)
    # As for the predictions: an error of the network's float32 is one of the exponent.
    spread = 0 if transform is None else 1e-5 * transform.spread
    np.testing.assert_allclose(
        found, expected, rtol=1e-5 if transform is None else 1e-4, atol=spread or 1e-2
    )


@pytest.mark.parametrize("kind", [None, "log", "asinh"])
def test_intervals_of_values_agree_in_numpy(kind):
    model = value_model(kind)
    found = in_numpy(model)["predict_interval"](ROWS)
    assert found.shape == (len(ROWS), 2)
    assert_same_ends(model, found)


@pytest.mark.parametrize("kind", [None, "log", "asinh"])
def test_intervals_of_values_agree_in_onnx(kind):
    model = value_model(kind)
    found = in_onnx(model, fed(model, ROWS))
    assert_same_ends(model, np.hstack([found["lower"], found["upper"]]))


@pytest.mark.skipif(COMPILER is None, reason="there is no C compiler")
@pytest.mark.parametrize("kind", [None, "log", "asinh"])
def test_intervals_of_values_agree_in_c(kind, tmp_path):
    model = value_model(kind)
    assert_same_ends(model, in_c(model, tmp_path, structs(model, ROWS), "interval", 1))


SETTINGS = [{"target": name} for name in CLASSES] + [{"single": True, "target": "two"}]


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_sets_of_classes_agree_in_numpy_and_onnx(settings):
    model = class_model(**settings)
    expected, sure = members(model, ROWS), clear(model, ROWS)
    assert sure.mean() > 0.9
    assert 0 < expected.mean() < 1
    for found in (
        in_numpy(model)["predict_set"](ROWS),
        in_onnx(model, fed(model, ROWS))["prediction_set"],
    ):
        assert found.dtype == bool
        np.testing.assert_array_equal(found[sure], expected[sure])


@pytest.mark.skipif(COMPILER is None, reason="there is no C compiler")
@pytest.mark.parametrize("settings", [{}, {"single": True, "target": "two"}], ids=str)
def test_sets_of_classes_agree_in_c(settings, tmp_path):
    model = class_model(**settings)
    sure = clear(model, ROWS)
    n = len(model.target.classes)
    found = in_c(model, tmp_path, structs(model, ROWS), "set", n)
    np.testing.assert_array_equal(found[sure], members(model, ROWS)[sure])


def test_estimators_agree_in_numpy_onnx_and_c(tmp_path):
    X, y = load_diabetes(return_X_y=True)
    X = X.astype(np.float32)
    y = np.column_stack([y, -3 * y])
    model = cr.NetworkRegressor(random_state=0).fit(X[:300], y[:300], epochs=20)
    expected = model.predict_interval(X, COVERAGE)
    found = in_onnx(model, {"X": X.astype(np.float64)})
    others = [
        in_numpy(model)["predict_interval"](X),
        np.stack([found["lower"], found["upper"]], -1),
    ]
    if COMPILER is not None:
        (tmp_path / "values").mkdir()
        # Both outputs of each row, one end after the other.
        (path,) = cr.export(model, tmp_path / "values" / "model.c", interval=COVERAGE)
        library = path.with_suffix(".so")
        command = [COMPILER, *STRICT, "-shared", "-fPIC", path, "-o", library, "-lm"]
        subprocess.run(command, check=True)
        both = np.full((2, len(X), 2), np.nan)
        for place, row in enumerate(X):
            pointers = [end[place].ctypes.data_as(ctypes.c_void_p) for end in both]
            ctypes.CDLL(str(library)).model_interval(row.ctypes.data_as(ctypes.c_void_p), *pointers)
        others.append(np.moveaxis(both, 0, -1))
    for other in others:
        np.testing.assert_allclose(other, expected, rtol=1e-5, atol=1e-3)


def test_sets_of_an_estimator_agree():
    X, y = load_iris(return_X_y=True)
    X = X.astype(np.float32)
    model = cr.NetworkClassifier(random_state=0).fit(X[::2], y[::2], X_val=X[1::2], y_val=y[1::2])
    scores = 1 - model.predict_proba(X).astype(np.float64)
    q = model._conformal[None].quantile(COVERAGE)
    sure = (np.abs(scores - q) > 1e-5).all(axis=1)
    expected = model.predict_set(X, COVERAGE)
    np.testing.assert_array_equal(in_numpy(model)["predict_set"](X)[sure], expected[sure])
    found = in_onnx(model, {"X": X.astype(np.float64)})["prediction_set"]
    np.testing.assert_array_equal(found[sure], expected[sure])


def test_intervals_of_counts_do_not_go_below_zero_in_exported_files(tmp_path):
    random = np.random.default_rng(0)
    X = random.normal(size=(600, 3)).astype(np.float32)
    y = random.poisson(np.exp(X[:, 0]))
    model = cr.NetworkRegressor("poisson", random_state=0).fit(X, y, epochs=10)
    expected = model.predict_interval(X, 0.95)
    assert (expected[:, 0] == 0).any()
    names = {"__name__": "exported"}
    exec(source(program_of(model, 0.95)), names)
    np.testing.assert_allclose(names["predict_interval"](X), expected, rtol=1e-5, atol=1e-5)


def test_a_temperature_is_in_the_exported_weights():
    random = np.random.default_rng(0)
    X = random.normal(size=(1500, 8)).astype(np.float32)
    y = (X[:, 0] + random.normal(size=1500) > 0).astype(int)
    # Trained until it is too certain.
    model = cr.NetworkClassifier(random_state=0, early_stopping=False, alpha=0.0, calibrate="on")
    model.fit(X[:400], y[:400], X_val=X[400:900], y_val=y[400:900], epochs=60)
    assert model.temperature_ > 1.5
    names = {"__name__": "exported"}
    exec(source(program_of(model)), names)
    expected = model.predict_proba(X[900:])
    np.testing.assert_allclose(names["predict_proba"](X[900:]), expected, rtol=0, atol=1e-5)


def test_what_cannot_have_an_interval_is_refused_with_the_reason(tmp_path):
    net = cr.Network([2, cr.Dense(2, "softmax")], "cross_entropy", seed=0)
    with pytest.raises(cr.InvalidArgumentError, match="interval: a Network alone has no"):
        cr.export(net, tmp_path / "net.py", interval=0.9)
    with pytest.raises(cr.InvalidArgumentError, match="interval: this model has no calibration"):
        cr.export(table_model(), tmp_path / "model.py", interval=0.9)
    with pytest.raises(cr.InvalidArgumentError, match="interval: only files for onnx, c, numpy"):
        cr.export(value_model(), tmp_path / "model.npz", interval=0.9)
    with pytest.raises(cr.InvalidArgumentError, match=r"interval: expected a share .* got 90"):
        cr.export(value_model(), tmp_path / "model.py", interval=90)
    X, Y = make_multilabel_classification(300, random_state=0)
    labels = cr.NetworkClassifier(random_state=0).fit(X, Y, epochs=1)
    with pytest.raises(cr.InvalidArgumentError, match="a multilabel target"):
        cr.export(labels, tmp_path / "labels.py", interval=0.9)
    unfit = cr.NetworkRegressor(random_state=0).fit(X[:50], X[:50, 0], epochs=1)
    with pytest.raises(cr.InvalidArgumentError, match="interval: expected an estimator fitted"):
        cr.export(unfit, tmp_path / "few.py", interval=0.9)
    assert list(tmp_path.iterdir()) == []


def test_a_file_without_an_interval_is_the_same_as_before(tmp_path):
    model = value_model()
    for name in ("one.py", "one.c"):
        (path,) = cr.export(model, tmp_path / name)
        assert "interval" not in path.read_text().lower()
