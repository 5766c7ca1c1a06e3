"""The public names: all there, all documented, none of them heavy to import."""

import inspect
import re
import subprocess
import sys

import pytest

import chainrule
from chainrule import _HOMES  # type: ignore[attr-defined]

HEAVY = ("sklearn", "scipy", "polars", "matplotlib", "rich", "typer", "safetensors", "jax")


@pytest.mark.parametrize("name", sorted(_HOMES))
def test_every_public_name_can_be_imported(name):
    assert getattr(chainrule, name).__name__.rpartition(".")[2] == name


def test_dir_lists_the_public_names():
    assert set(chainrule.__all__) <= set(dir(chainrule))


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'chainrule' has no attribute 'Conv2D'"):
        _ = chainrule.Conv2D
    assert not hasattr(chainrule, "Conv2D")


def test_the_version_is_that_of_the_package():
    assert re.fullmatch(r"\d+\.\d+\.\d+\S*", chainrule.__version__)


def documented_objects():
    """Yield every public object, and its public methods and properties."""
    for name in sorted(_HOMES):
        try:
            value = getattr(chainrule, name)
        except ImportError:
            continue  # reported by the test of the imports
        yield name, value
        if inspect.isclass(value) and not issubclass(value, Exception):
            for attribute, member in vars(value).items():
                if not attribute.startswith("_") and (
                    inspect.isfunction(member) or isinstance(member, property | classmethod)
                ):
                    yield f"{name}.{attribute}", getattr(value, attribute)


OBJECTS = dict(documented_objects())


@pytest.mark.parametrize("name", OBJECTS)
def test_every_public_object_says_in_one_sentence_what_it_is(name):
    doc = inspect.getdoc(OBJECTS[name]) or ""
    summary = doc.partition("\n\n")[0]
    assert re.match(r"\S.*\.$", " ".join(summary.split())), f"{name}: {summary!r}"


def with_parameters():
    """Yield what users call: the public names, and the methods of a network."""
    for name, value in OBJECTS.items():
        users_call_it = "." not in name or name.startswith("Network.")
        is_error = inspect.isclass(value) and issubclass(value, Exception)
        if users_call_it and callable(value) and not is_error:
            parameters = [p for p in inspect.signature(value).parameters if p != "self"]
            if parameters:
                yield name, value, parameters


@pytest.mark.parametrize(
    ("name", "value", "parameters"), [pytest.param(*case, id=case[0]) for case in with_parameters()]
)
def test_every_parameter_is_documented_in_order(name, value, parameters):
    section = re.search(
        r"^Parameters\n-{10}\n(.*?)(?:\n\n\w+\n-{3,}\n|\Z)", inspect.getdoc(value), re.S | re.M
    )
    assert section, f"{name} has no section of parameters"
    heads = [line for line in section[1].splitlines() if line and not line.startswith(" ")]
    documented = [
        n.strip().lstrip("*") for head in heads for n in head.partition(" : ")[0].split(",")
    ]
    assert documented == parameters


def imported_by(code):
    """Return which heavy packages a fresh interpreter has imported after some code."""
    done = subprocess.run(
        [sys.executable, "-c", f"import sys\n{code}\nprint(*sys.modules)"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    loaded = {module.partition(".")[0] for module in done.stdout.split()}
    return sorted(loaded.intersection(HEAVY))


def test_importing_the_package_imports_nothing_heavy():
    assert imported_by("import chainrule") == []


def test_importing_the_package_does_not_even_import_its_parts():
    done = subprocess.run(
        [sys.executable, "-c", "import sys, chainrule; print(*sys.modules)"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert [name for name in done.stdout.split() if name.startswith("chainrule.")] == []


def test_training_a_network_imports_nothing_heavy():
    code = (
        "import chainrule as cr\n"
        "net = cr.Network([1, cr.Dense(2, 'relu'), cr.Dense(1, 'identity')], cost='mse')\n"
        "net.fit([[1.0]], [2.0], epochs=1, metrics=['rmse'])\n"
        "net.predict([[1.0]])"
    )
    assert imported_by(code) == []


@pytest.mark.parametrize(
    ("name", "base"),
    [
        ("InvalidArgumentError", ValueError),
        ("InvalidTableError", ValueError),
        ("InvalidModelFileError", ValueError),
        ("TrainingDivergedError", ArithmeticError),
    ],
)
def test_errors_are_ours_and_also_of_the_kind_that_python_has_for_them(name, base):
    error = getattr(chainrule, name)
    assert issubclass(error, chainrule.ChainruleError)
    assert issubclass(error, base)
