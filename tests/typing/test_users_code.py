"""Strict type checkers over all code that users are shown: README, pages, docstrings, examples.

Each checker runs once, over all files of all tests: it spends nearly all its time on the imports.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import chainrule
from tests.typing.users_code import ROOT, source_of, write_all

# Rules about the types of other libraries (scikit-learn and matplotlib have few), about examples
# that only show values, and about functions of the examples without annotations.
LENIENT = (
    *("reportMissingTypeStubs", "reportMissingModuleSource", "reportUnusedExpression"),
    *("reportUnknownMemberType", "reportUnknownVariableType", "reportUnknownArgumentType"),
    *("reportUnknownParameterType", "reportMissingParameterType", "reportUnknownLambdaType"),
    *("reportUnusedVariable", "reportPossiblyUnboundVariable", "reportConstantRedefinition"),
)


def pyright(folder):
    """Return what pyright, strict, says of the files in a folder: (file, line, message)."""
    settings = {
        "include": ["."],
        "typeCheckingMode": "strict",
        "pythonVersion": "3.11",
        "reportUnusedExpression": False,
    }
    (folder / "pyrightconfig.json").write_text(json.dumps(settings), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pyright", "-p", folder, "--outputjson",
         "--pythonpath", sys.executable],
        capture_output=True, text=True,
        # Without a look for newer releases: nothing is asked of a server.
        env=os.environ | {"PYRIGHT_PYTHON_IGNORE_WARNINGS": "1"},
    )  # fmt: skip
    assert done.stdout.startswith("{"), done.stdout + done.stderr
    return [
        (Path(each["file"]).name, each["range"]["start"]["line"] + 1, each["message"])
        for each in json.loads(done.stdout)["generalDiagnostics"]
    ]


def mypy(folder):
    """Return what mypy, strict, says of the files in a folder: (file, line, message).

    With the options of `make lint`, of which mypy then reads what it found out about all libraries.
    """
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--config-file", ROOT / "pyproject.toml", "--strict",
         "--no-error-summary", "--cache-dir", ROOT / ".mypy_cache", "."],
        capture_output=True, text=True, cwd=folder,
    )  # fmt: skip
    assert not done.stderr, done.stderr
    found = [line.split(":", 3) for line in done.stdout.splitlines()]
    return [
        (name, int(line), text)
        for name, line, kind, text in found
        if kind == " error" and not text.endswith(NO_TYPES)
    ]


# What mypy says of the import of a library that has no types, or is not installed.
NO_TYPES = ("[import-untyped]", "[import-not-found]")


WRONG = {
    'cr.Network([1, cr.Dense(1, "identity")], "mse", init="glorot")': "init",
    'cr.Network([1, cr.Dense(1, "identity")], "mse", loss="mse")': "loss",
    'net.fit(X, X, optimizer="adamm")': "optimizer",
    "net.fit(X, X, lr=0.1)": "lr",
    'net.fit(X, X, metrics=["acuracy"])': "metrics",
    'net.fit(X, X, engine="fast")': "engine",
    'net.fit(X, X, precision="half")': "precision",
    'net.predict(X, precision="mixed")': "precision",
    "cr.Dense(3, units=3)": "units",
    'cr.Dense(3, "relu", "glorot")': "init",
    "cr.Adam(lr=0.1)": "lr",
    'cr.MLPClassifier(solver="adamm")': "solver",
    'cr.MLPClassifier(learning_rate="cosin")': "learning_rate",
    'cr.NetworkRegressor(loss="mse")': "loss",
    "cr.NetworkClassifier(epochs=3)": "epochs",
    'cr.TableEncoder(scaling="none ")': "scaling",
}
RIGHT = {
    "net.fit(X, X)": "History",
    "net.fit(X, X)['loss']": "list[float]",
    'net.fit(X, X, engine="jax(devices=8)")': "History",
    'net.predict(X, precision="split")': "ndarray[tuple[Any, ...], dtype[floating[Any]]]",
    "net.predict(X)": "ndarray[tuple[Any, ...], dtype[floating[Any]]]",
    "net.loss(X, X)": "float",
    "cr.Dense(3, 'leaky_relu(slope=0.2)')": "Dense",
    "cr.Network([1, cr.Dense(1, 'identity')], 'huber(delta=2)')": "Network",
    "cr.MLPClassifier().fit(X, X)": "MLPClassifier",
    "cr.NetworkRegressor('huber').fit(X, X)": "NetworkRegressor",
    "cr.NetworkRegressor().fit(X, X).predict(X)": "ndarray[tuple[Any, ...], dtype[floating[Any]]]",
    "cr.MLPClassifier().predict_proba(X)": "ndarray[tuple[Any, ...], dtype[floating[Any]]]",
    "cr.SGD(cr.CosineDecay(0.1))": "SGD",
}
BEGIN = """\
import numpy as np
import chainrule as cr
X = np.zeros((4, 1))
net = cr.Network([1, cr.Dense(1, "identity")], "mse")
"""


# Nobody is shown these files: they are the tests' own.
OURS = ("wrong.py", "right.py", "names.py")
NAMES = [*chainrule.__all__, "Conv2D"]


@pytest.fixture(scope="module")
def code(tmp_path_factory):
    """A folder with all code; README and our files are without any leniency."""
    folder = tmp_path_factory.mktemp("code")
    paths = write_all(folder)
    assert {"readme.py", "page_howto_network.py", "docstrings_model_network.py"} <= {
        path.name for path in paths
    }
    lenient = "".join(f"# pyright: {rule}=false\n" for rule in LENIENT)
    for path in paths:
        if path.name != "readme.py":
            path.write_text(lenient + path.read_text(encoding="utf-8"), encoding="utf-8")
    (folder / "wrong.py").write_text(BEGIN + "\n".join(WRONG), encoding="utf-8")
    lines = "".join(f"reveal_type({call})\n" for call in RIGHT)
    (folder / "right.py").write_text(BEGIN + lines, encoding="utf-8")
    lines = "".join(f"chainrule.{name}\n" for name in NAMES)
    (folder / "names.py").write_text(f"import chainrule\n{lines}", encoding="utf-8")
    return folder


CHECKERS = {"pyright": pyright, "mypy": mypy}


@pytest.fixture(scope="module", params=CHECKERS)
def found(request, code):
    """What a type checker says of all code."""
    return CHECKERS[request.param](code)


def of(file, messages):
    return [each for each in messages if each[0] == file]


def test_a_type_checker_accepts_the_readme_without_any_leniency(found):
    assert of("readme.py", found) == []


def test_a_type_checker_accepts_all_code_that_users_are_shown(found):
    untyped = ("[no-untyped-def]", "[no-untyped-call]")  # functions in examples
    errors = [each for each in found if not each[2].endswith(untyped)]
    assert [each for each in errors if each[0] not in OURS] == []


def test_a_type_checker_finds_wrong_names_and_arguments_and_nothing_else(found):
    first = len(BEGIN.splitlines()) + 1
    lines = {line for _, line, _ in of("wrong.py", found)}
    assert lines == set(range(first, first + len(WRONG)))


@pytest.mark.parametrize("found", ["pyright"], indirect=True)
def test_an_editor_shows_what_a_call_returns(found):
    texts = [message for _, _, message in of("right.py", found)]
    types = dict(zip(RIGHT, (text.split('" is "')[-1][:-1] for text in texts), strict=True))
    assert types == RIGHT


def test_type_checkers_and_users_see_the_same_names(found):
    errors = of("names.py", found)
    assert {line for _, line, _ in errors} == {1 + len(NAMES)}
    assert all('"Conv2D"' in message for _, _, message in errors)


def test_prompts_are_taken_off_examples():
    assert source_of(">>> a = (1,\n...      2)\n>>> a\n(1, 2)\n") == "a = (1,\n     2)\na\n"
    assert source_of("a = 1\n") == "a = 1\n"


def test_the_stub_of_the_package_is_marked_as_typed():
    assert (ROOT / "src/chainrule/py.typed").exists()
