"""Names that mean something to the language that is written: nothing of them may, in any target."""

import ast
import ctypes
import dataclasses
import re
import shutil
import subprocess

import numpy as np
import polars as pl
import pytest

import chainrule as cr
from chainrule.exports import TARGETS
from chainrule.exports.c_columns import Columns
from chainrule.tables.encoder import TableEncoder
from chainrule.tables.kinds import NumericColumn
from chainrule.tables.target import TargetEncoder
from tests.exports.test_c import COMPILER, predicted, structs
from tests.exports.test_numpy import loaded
from tests.exports.test_onnx import fed, run

KEYWORDS = """
    auto int restrict inline _Bool _Complex _Generic typeof typeof_unqual thread_local bool true
    nullptr constexpr alignas static_assert _BitInt asm fortran xor_eq and_eq compl not_eq class
    this new export import module co_await co_yield char8_t char32_t consteval constinit final
    override requires mutable wchar_t register goto typename template operator namespace
""".split()  # noqa: SIM905
MACROS = """
    HUGE_VAL HUGE_VALF FP_NAN FP_ILOGB0 MATH_ERRNO math_errhandling NAN INFINITY NULL isnan
    isinf signbit fpclassify M_PI MAXFLOAT linux unix errno EOF stdin assert offsetof complex I
    major minor EDOM SIGINT st_mtime sa_handler s6_addr h_addr near far min max interface BUFSIZ
    INT_MAX va_start setjmp
""".split()  # noqa: SIM905
OURS = """
    x y a z i row part mean deviation dense softmax code_of clock_of undone W1 b1 model
    model_row
""".split()  # noqa: SIM905
PYTHON = """
    def lambda None np numpy COLUMNS CLASSES INPUTS MISSING predict encode self A X namespace re
""".split()  # noqa: SIM905
ONNX = """
    X Y label probabilities concat constant N gemm column text
""".split()  # noqa: SIM905
ODD = [
    "", " ", "1", "1st", "_", "__", "_Upper", "a__b", "*/", "/*", "//", "??/", "??=define x", "\\",
    "ends\\", "two\nlines", "cr\rlf", '"', "'''", '"""', '""""', "\\N{DASH}", "\\u0041", "\\x",
    "%s", "{name}", "#if 0", "NUL\0in", "\0", "\x1b[2J", "\x85", "\u202egnp", "\ufeff", "größe",
    "grosse", "GRÖSSE", "grö\u0308ße", "水", "木", "é", "è", "E", "e", "x" * 5000, "x" * 5001,
    "水" * 2000, "a b", "a-b", "a_b", "a_b_2", "column_a_b",
]  # fmt: skip
NAMES = list(dict.fromkeys([*KEYWORDS, *MACROS, *OURS, *PYTHON, *ONNX, *ODD]))
TEXTS = [text for text in ODD if text.strip() == text and text and "\0" not in text]
"""What a table's cells may hold, as they stand in the columns."""

STANDARDS = """
    c99 c11 c17 c2x gnu99 gnu17 gnu2x c++17 c++20 c++23 gnu++20
""".split()  # noqa: SIM905
HEADERS = """
    assert.h complex.h ctype.h errno.h fenv.h float.h inttypes.h iso646.h limits.h locale.h
    math.h setjmp.h signal.h stdarg.h stdbool.h stddef.h stdint.h stdio.h stdlib.h string.h
    time.h wchar.h sys/types.h sys/stat.h sys/socket.h netinet/in.h netdb.h unistd.h pthread.h
    termios.h sys/sysmacros.h
""".split()  # noqa: SIM905


def model(names=NAMES, texts=TEXTS, classes=("no", "yes"), target="the target"):
    """Return a model whose columns are numbers and, every eighth, texts; and rows for it."""
    random = np.random.default_rng(0)
    rows = pl.DataFrame(
        {
            name: random.standard_normal(600)
            if place % 8
            else [texts[i] for i in random.integers(0, len(texts), 600)]
            for place, name in enumerate(names)
        }
    )
    column = pl.Series(target, [classes[i] for i in random.integers(0, len(classes), 600)])
    encoder = TableEncoder(categorical=list(names[::8]), max_categories=1000, min_frequency=1).fit(
        rows
    )
    encoded = TargetEncoder.fit(column, "classification")
    layers = [cr.Dense(4, "tanh"), cr.Dense(len(encoded.classes), "softmax")]
    net = cr.Network([encoder.n_inputs, *layers], "cross_entropy", seed=0)
    return cr.TableModel(net, encoder, encoded), rows


@pytest.fixture(scope="module")
def hostile():
    """Return a model with all the names, and rows."""
    return model(classes=tuple(TEXTS))


def takes(standard):
    """Whether the compiler knows a standard."""
    compiler, language = ("c++", "c++") if "++" in standard else ("cc", "c")
    if shutil.which(compiler) is None:
        return False
    command = [compiler, f"-std={standard}", "-x", language, "-fsyntax-only", "-"]
    return subprocess.run(command, input=b"", capture_output=True).returncode == 0


@pytest.mark.skipif(COMPILER is None, reason="there is no C compiler")
def test_the_answers_in_c_are_the_model_s(hostile, tmp_path):
    net, rows = hostile
    (path,) = cr.export(net, tmp_path / "model.c")
    library = tmp_path / "model.so"
    strict = ("-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic")
    subprocess.run([COMPILER, *strict, "-shared", "-fPIC", path, "-o", library, "-lm"], check=True)
    rows = rows.head(100)
    found = predicted(
        ctypes.CDLL(str(library)).model_predict_row, structs(net, rows), len(net.target.classes)
    )
    np.testing.assert_allclose(found, net.probabilities(rows), rtol=0, atol=1e-5)
    names = (ctypes.c_char_p * len(TEXTS)).in_dll(ctypes.CDLL(str(library)), "model_classes")
    assert [name.decode() for name in names] == list(net.target.classes)


@pytest.mark.parametrize("standard", STANDARDS)
def test_every_standard_of_c_and_c_plus_plus_compiles_the_file(hostile, tmp_path, standard):
    if not takes(standard):
        pytest.skip(f"there is no compiler for {standard}")
    (path,) = cr.export(hostile[0], tmp_path / "model.c")
    language = "c++" if "++" in standard else "c"
    strict = [f"-std={standard}", "-Wall", "-Wextra", "-Werror", "-pedantic", "-x", language]
    compiler = "c++" if "++" in standard else COMPILER
    subprocess.run([compiler, *strict, "-fsyntax-only", path], check=True)
    # And where it is included, whatever headers stand before it.
    main = tmp_path / "main.c"
    main.write_text(
        "".join(f"#if __has_include(<{name}>)\n#include <{name}>\n#endif\n" for name in HEADERS)
        + '#define model_DECLARE\n#include "model.c"\n'
        "int used(void);\nint used(void) { model_row *row = 0; return row == 0; }\n"
    )
    loose = [f"-std={standard}", "-D_GNU_SOURCE", "-Wall", "-Werror", "-x", language]
    subprocess.run([compiler, *loose, "-fsyntax-only", main], check=True)


def test_a_field_has_the_column_s_name_behind_a_word_that_nothing_else_begins_with():
    names = ["size", "Size", "HUGE_VAL", "größe", "a b", "a-b", "水", "木", "", "1st", "unnamed"]
    columns = Columns([NumericColumn(name, 0.0, 0.0, 1.0, False) for name in names], "model")
    assert columns.fields == [
        "column_size", "column_Size", "column_HUGE_VAL", "column_groe", "column_a_b",
        "column_a_b_2", "column_unnamed", "column_unnamed_2", "column_unnamed_3",
        "column_1st", "column_unnamed_4",
    ]  # fmt: skip
    # What letters a name lost stands beside its field.
    assert r"/* \u6c34: a number, NAN if missing */" in columns.declarations()


def test_fields_are_told_apart_by_the_characters_that_every_compiler_looks_at():
    columns = [NumericColumn(name, 0.0, 0.0, 1.0, False) for name in [*NAMES, *["x" * 70] * 999]]
    fields = Columns(columns, "model").fields
    assert len({field[:63] for field in fields}) == len(columns)
    assert all(re.fullmatch("column_[A-Za-z0-9_]+", field) for field in fields)


def test_thousands_of_names_without_a_latin_letter_take_no_longer_than_others():
    columns = [NumericColumn(chr(0x4E00 + i), 0.0, 0.0, 1.0, False) for i in range(20_000)]
    assert Columns(columns, "model").fields[-1] == "column_unnamed_20000"


def test_the_answers_of_the_numpy_file_are_the_model_s(hostile):
    net, rows = hostile
    exported = loaded(net)
    rows = rows.head(100)
    np.testing.assert_allclose(
        exported["predict_proba"](rows), net.probabilities(rows), rtol=0, atol=1e-5
    )
    assert exported["predict"](rows).tolist() == net.predict(rows)["prediction"].to_list()


def test_the_answers_of_the_graph_are_the_model_s(hostile):
    net, rows = hostile
    rows = rows.head(100)
    feed = {name or "column_2": value for name, value in fed(net, rows).items()}
    found = run(net, feed)
    probabilities = next(value for name, value in found.items() if name.startswith("prob"))
    labels = next(value for name, value in found.items() if name.startswith("label"))
    np.testing.assert_allclose(probabilities, net.probabilities(rows), rtol=0, atol=1e-5)
    assert labels.tolist() == net.predict(rows)["prediction"].to_list()


@pytest.mark.parametrize("suffix", [".safetensors", ".npz"])
def test_a_framework_s_script_holds_the_names_as_they_are(hostile, tmp_path, suffix):
    net, _ = hostile
    path = tmp_path / f'it\'s "q" \\n {{x}}{suffix}'
    *_, script = cr.export(net, path)
    tree = ast.parse(script.read_bytes())
    named = {
        part.targets[0].id: ast.literal_eval(part.value)
        for part in tree.body
        if isinstance(part, ast.Assign)
    }
    assert named["INPUTS"] == list(net.encoder.get_feature_names_out())
    assert named["CLASSES"] == list(net.target.classes)
    texts = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    assert path.name in texts


def test_the_names_in_a_docstring_are_printable(hostile):
    text = loaded(hostile[0])["__doc__"]
    assert all(letter.isprintable() or letter == "\n" for letter in text)
    assert "NUL\\x00in" in text


def test_a_class_that_c_would_cut_short_is_refused_and_others_hold_it(tmp_path):
    net, rows = model(["a", "b"], classes=("cut\0", "cut\0short", "cut"))
    with pytest.raises(cr.InvalidArgumentError, match=r"class 'cut\\x00' has a character NUL, wh"):
        cr.export(net, tmp_path / "model.c")
    assert list(tmp_path.iterdir()) == []
    expected = net.predict(rows)["prediction"].to_list()
    assert loaded(net)["predict"](rows).tolist() == expected
    assert run(net, fed(net, rows))["label"].tolist() == expected


def with_category(net, text):
    """Return the model with another text in place of a category."""
    encoder = TableEncoder()
    encoder.columns_ = tuple(
        dataclasses.replace(column, categories=(text, *column.categories[1:]))
        if column.kind == "category"
        else column
        for column in net.encoder.columns_
    )
    return cr.TableModel(net.network, encoder, net.target)


@pytest.mark.parametrize("to", TARGETS)
def test_half_of_a_surrogate_pair_is_written_or_refused_in_a_sentence(tmp_path, to):
    net = with_category(model(["a", "b"], texts=["p", "q"])[0], "\ud800")
    path = tmp_path / f"model{TARGETS[to]}"
    if to in ("onnx", "c"):
        with pytest.raises(
            cr.InvalidArgumentError, match="column 'a': a category has half of a su"
        ):
            cr.export(net, path)
        assert list(tmp_path.iterdir()) == []
    else:
        *_, script = cr.export(net, path)
        assert ast.parse(script.read_bytes())


@pytest.mark.parametrize("to", TARGETS)
def test_labels_of_an_estimator_with_half_a_surrogate_pair_are_too(tmp_path, to):
    X = np.random.default_rng(0).standard_normal((40, 3))
    labels = np.array(["\ud800", 'q"', "\n"], object)[np.arange(40) % 3]
    net = cr.MLPClassifier((3,), random_state=0).fit(X, labels, epochs=1)
    path = tmp_path / f"model{TARGETS[to]}"
    if to in ("onnx", "c"):
        with pytest.raises(cr.InvalidArgumentError, match=r"class '\\ud800' has half of a surrog"):
            cr.export(net, path)
    else:
        *_, script = cr.export(net, path)
        assert ast.parse(script.read_bytes())


@pytest.mark.parametrize("suffix", [".py", ".safetensors", ".npz"])
def test_labels_that_are_no_literals_of_python_are_refused(tmp_path, suffix):
    X = np.random.default_rng(0).standard_normal((40, 3))
    days = np.array(["2020-01-01", "2020-01-02"], "datetime64[D]")[np.arange(40) % 2]
    net = cr.MLPClassifier((3,), random_state=0).fit(X, days, epochs=1)
    with pytest.raises(cr.InvalidArgumentError, match="classes: expected text, numbers, or true"):
        cr.export(net, tmp_path / f"model{suffix}")
    assert list(tmp_path.iterdir()) == []
