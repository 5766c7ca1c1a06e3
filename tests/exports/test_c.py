"""C: compiled without a warning, the file's answers are the model's."""

import ctypes
import dataclasses
import re
import shutil
import subprocess

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from sklearn.datasets import load_diabetes, load_iris

import chainrule as cr
from chainrule.exports.c_text import c_double, c_float, c_string
from tests.error_bounds import error_bounds
from tests.exports.models import CLASSES, every_kind, inputs, long_tailed_model, table, table_model
from tests.exports.test_onnx import seconds
from tests.strategies_networks import problems

COMPILER = shutil.which("cc")
STRICT = ("-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic")

pytestmark = pytest.mark.skipif(COMPILER is None, reason="there is no C compiler")


def compiled(model, folder, name="model"):
    """Export a model and return its functions."""
    (path,) = cr.export(model, folder / f"{name}.c", name=name)
    library = path.with_suffix(".so")
    subprocess.run(
        [COMPILER, *STRICT, "-O2", "-shared", "-fPIC", path, "-o", library, "-lm"], check=True
    )
    return ctypes.CDLL(str(library))


def predicted(function, rows, n_outputs):
    """Call a function of C for each row: an array, or a struct."""
    outputs = np.full((len(rows), n_outputs), np.nan, np.float32)
    for row, output in zip(rows, outputs, strict=True):
        given = row.ctypes.data_as(ctypes.c_void_p) if hasattr(row, "ctypes") else ctypes.byref(row)
        function(given, output.ctypes.data_as(ctypes.c_void_p))
    return outputs


def structs(model, rows):
    """Return a table's rows as the file's struct."""
    columns = model.encoder.columns_
    kinds = [ctypes.c_char_p if c.kind == "category" else ctypes.c_double for c in columns]
    fields = [(f"f{i}", kind) for i, kind in enumerate(kinds)]
    row_type = type("Row", (ctypes.Structure,), {"_fields_": fields})
    parts = []
    for column in columns:
        values = rows[column.name].to_list()
        if column.kind == "category":
            parts.append([None if v is None else str(v).encode() for v in values])
        else:
            values = [seconds(v) for v in values] if column.kind == "date" else values
            parts.append([float("nan") if v is None else float(v) for v in values])
    return [row_type(*row) for row in zip(*parts, strict=True)]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_kind_of_layer_and_activation_agrees(tmp_path, dtype):
    net = every_kind(dtype)
    X = inputs(net)
    found = predicted(compiled(net, tmp_path).model_predict, X.astype(np.float32), 7)
    expected = net.predict(X)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5 * np.abs(expected).max())


@settings(max_examples=8)
@given(problem=problems())
def test_random_networks_agree_within_the_bound_of_rounding(tmp_path_factory, problem):
    problem = problem.rounded("float32")
    net = cr.Network.from_parameters(problem.spec, problem.theta)
    library = compiled(net, tmp_path_factory.mktemp("c"))
    found = predicted(library.model_predict, problem.X, problem.spec.n_outputs)
    bound = error_bounds(problem, ulps=8).outputs
    assert (np.abs(found - net.predict(problem.X)) <= 2 * bound + 1e-6).all()


@pytest.mark.parametrize(
    "settings",
    [
        *({"target": target} for target in CLASSES),
        {"single": True, "target": "two"},
        {"embed_above": 2},
        {"min_frequency": 80},
        {"scaling": "robust"},
    ],
    ids=str,
)
def test_probabilities_of_a_table_with_missing_and_unknown_values_agree(tmp_path, settings):
    model, rows = table_model(**settings), table(1000, 5, unknown=True)
    expected = model.probabilities(rows)
    function = compiled(model, tmp_path).model_predict_row
    found = predicted(function, structs(model, rows), expected.shape[1])
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)


def test_values_of_a_table_are_in_the_target_s_units(tmp_path):
    model, rows = table_model("value"), table(1000, 5, unknown=True)
    found = predicted(compiled(model, tmp_path).model_predict_row, structs(model, rows), 1)
    expected = model.predict(rows)["prediction"].to_numpy()
    np.testing.assert_allclose(found[:, 0], expected, rtol=1e-5)


@pytest.mark.parametrize("kind", ["log", "asinh"])
def test_values_of_a_long_tail_are_undone(tmp_path, kind):
    model, rows = long_tailed_model(kind), table(1000, 5, unknown=True)
    found = predicted(compiled(model, tmp_path).model_predict_row, structs(model, rows), 1)
    spread = model.target.transform.spread  # near 0 the values' own unit
    expected = model.predict(rows)["prediction"].to_numpy()
    np.testing.assert_allclose(found[:, 0], expected, rtol=1e-4, atol=1e-5 * spread)


def test_estimators_agree_scaled_inside(tmp_path):
    X, y = load_iris(return_X_y=True)
    X = X.astype(np.float32)
    model = cr.NetworkClassifier((8,), random_state=0).fit(X, y, epochs=5)
    found = predicted(compiled(model, tmp_path, "iris").iris_predict, X, 3)
    np.testing.assert_allclose(found, model.predict_proba(X), rtol=0, atol=1e-5)
    X, y = load_diabetes(return_X_y=True)
    X = X.astype(np.float32)
    model = cr.NetworkRegressor(hidden_layer_sizes=(8,), random_state=0).fit(X, y, epochs=5)
    found = predicted(compiled(model, tmp_path, "age").age_predict, X, 1)
    np.testing.assert_allclose(found[:, 0], model.predict(X), rtol=1e-5)


def test_the_names_of_the_classes_are_in_the_file(tmp_path):
    names = (ctypes.c_char_p * 3).in_dll(compiled(table_model(), tmp_path), "model_classes")
    assert sorted(name.decode() for name in names) == sorted(CLASSES["text"])


def test_another_file_includes_it_for_its_declarations(tmp_path):
    cr.export(table_model(), tmp_path / "model.c")
    (tmp_path / "main.c").write_text(
        '#define model_DECLARE\n#include "model.c"\n#include "model.c"\n#include <math.h>\n'
        'int main(void)\n{\n    model_row row = { NAN, 3, 1, 0, "10", 0, 0, NAN };\n'
        "    float y[model_OUTPUTS], sum = 0;\n    int i;\n    model_predict_row(&row, y);\n"
        "    for (i = 0; i < model_OUTPUTS; i++)\n        sum += y[i];\n"
        "    return fabsf(sum - 1) < 1e-5f ? 0 : 1;\n}\n"
    )
    program = tmp_path / "main"
    subprocess.run(
        [COMPILER, *STRICT, tmp_path / "main.c", tmp_path / "model.c", "-o", program, "-lm"],
        check=True,
    )
    assert subprocess.run([program]).returncode == 0


@pytest.mark.skipif(shutil.which("c++") is None, reason="there is no C++ compiler")
def test_c_plus_plus_takes_its_declarations(tmp_path):
    cr.export(table_model(), tmp_path / "model.c")
    (tmp_path / "main.cpp").write_text(
        '#define model_DECLARE\n#include "model.c"\n'
        "int main() { float y[model_OUTPUTS]; model_row row = {}; model_predict_row(&row, y); }\n"
    )
    subprocess.run(
        ["c++", "-Wall", "-Wextra", "-Werror", "-c", tmp_path / "main.cpp", "-o", tmp_path / "m.o"],
        check=True,
    )


def test_nothing_is_allocated_and_nothing_included_but_the_c_library(tmp_path):
    text = cr.export(table_model(), tmp_path / "model.c")[0].read_text("ascii")
    assert sorted(re.findall(r"^#include (.*)$", text, re.MULTILINE)) == ["<math.h>", "<string.h>"]
    assert not re.search(r"\b(malloc|calloc|realloc|free)\b", text)


@pytest.mark.parametrize("value", [0.0, -0.0, 1.0, 0.1, -1e-45, 1e-40, 3.4028235e38, 2.5])
def test_numbers_are_written_to_the_bit(value):
    text = c_float(value)
    assert text.endswith("f")
    assert np.float32(float.fromhex(text[:-1])).tobytes() == np.float32(value).tobytes()
    assert np.float64(float.fromhex(c_double(value))).tobytes() == np.float64(value).tobytes()


def test_text_is_written_without_what_c_would_read_otherwise():
    assert c_string('a"\\\n??/é1') == '"a\\042\\134\\012\\077\\077\\057\\303\\2511"'


def test_a_category_that_c_would_cut_short_is_refused(tmp_path):
    model = table_model()
    columns = tuple(
        dataclasses.replace(column, categories=(*column.categories[1:], "re\0d"))
        if column.name == "int"
        else column
        for column in model.encoder.columns_
    )
    model.encoder.columns_ = columns
    with pytest.raises(cr.InvalidArgumentError, match="column 'int': a category has a character"):
        cr.export(model, tmp_path / "model.c")
    assert list(tmp_path.iterdir()) == []


def test_a_table_of_one_column_compiles(tmp_path):
    rows = pl.DataFrame({"a": [1.0, 2.0, 3.0, 4.0] * 10})
    model = table_model("two")
    encoder = type(model.encoder)().fit(rows)
    net = cr.Network([1, cr.Dense(2, "softmax")], "cross_entropy", seed=0)
    small = cr.TableModel(net, encoder, model.target)
    found = predicted(compiled(small, tmp_path).model_predict_row, structs(small, rows), 2)
    np.testing.assert_allclose(found, small.probabilities(rows), rtol=0, atol=1e-6)
