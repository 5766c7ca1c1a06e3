"""The extension as the package believes it to be: its stub, its names."""

import ast
import re
from pathlib import Path

import numpy as np
import pytest

import chainrule
from chainrule.engines import extension
from chainrule.engines.optimizers import OPTIMIZERS
from chainrule.network.layers import LAYER_KINDS
from chainrule.network.registry.activations import ACTIVATIONS
from chainrule.network.registry.costs import COSTS

pytestmark = pytest.mark.skipif(extension.native is None, reason="there is no compiled core")

STUB = ast.parse((Path(chainrule.__file__).parent / "_native.pyi").read_text(encoding="utf-8"))


def functions_of(body):
    return {node.name: node for node in body if isinstance(node, ast.FunctionDef)}


def declared(function):
    """Return the parameters of a function of the stub: name, and whether it has a default."""
    arguments = function.args
    without = len(arguments.args) - len(arguments.defaults)
    return [(a.arg, i >= without) for i, a in enumerate(arguments.args)]


def bound(text):
    """Return the parameters of a signature as nanobind writes it, whose types are no Python."""
    inner = text[text.index("(") + 1 : text.rindex(") ->")]
    depth, parts, part = 0, [], ""
    for letter in inner:
        depth += (letter in "([{") - (letter in ")]}")
        if letter == "," and depth == 0:
            parts.append(part)
            part = ""
        else:
            part += letter
    parts = [p.strip() for p in (*parts, part) if p.strip()]
    return [(re.match(r"\w+", p)[0], re.search(r" = \S+$", p) is not None) for p in parts]


def overloads(function):
    return [signature for signature, *_ in function.__nb_signature__]


def test_the_stub_names_what_the_extension_has():
    public = {name for name in vars(extension.native) if not name.startswith("_")}
    classes = {n.name: n for n in STUB.body if isinstance(n, ast.ClassDef) and n.name[0] != "_"}
    assert functions_of(STUB.body).keys() | classes.keys() == public
    plan = functions_of(classes["Plan"].body)
    methods = {name for name in vars(extension.native.Plan) if not name.startswith("_")}
    assert plan.keys() - {"__init__"} == methods


def test_the_stub_has_the_extension_s_signatures():
    plan = next(n for n in STUB.body if isinstance(n, ast.ClassDef) and n.name == "Plan")
    pairs = [
        (node, getattr(extension.native, name)) for name, node in functions_of(STUB.body).items()
    ]
    pairs += [
        (node, getattr(extension.native.Plan, name))
        for name, node in functions_of(plan.body).items()
    ]
    for node, function in pairs:
        for signature in overloads(function):
            assert bound(signature) == declared(node), signature


def test_functions_of_arrays_take_both_types():
    for function in (extension.native.all_finite, extension.native.activation):
        assert len(overloads(function)) == 2
    for name in ("train", "loss", "forward"):
        assert len(overloads(getattr(extension.native.Plan, name))) == 2


@pytest.mark.parametrize(
    ("what", "rows"),
    [
        ("layers", LAYER_KINDS),
        ("activations", ACTIVATIONS),
        ("costs", COSTS),
        ("optimizers", OPTIMIZERS),
    ],
)
def test_the_core_has_what_the_package_has_by_the_same_names(what, rows):
    assert extension.native.names()[what].keys() == rows.keys()


def test_settings_have_the_same_names_on_both_sides():
    names = extension.native.names()
    for rows, known in ((ACTIVATIONS, names["activations"]), (COSTS, names["costs"])):
        assert {name: tuple(row.parameters) for name, row in rows.items()} == known
    for name, optimizer in OPTIMIZERS.items():
        assert sorted(optimizer().settings) == sorted(names["optimizers"][name])
    examples = {"dense": (3,), "dropout": (0.5,), "category_embedding": ([(0, 2, 1)],)}
    examples["piecewise_linear_embedding"] = ([(0, [0.0, 1.0])],)
    examples |= {"grouped_dense": (4, 2), "batch_ensemble": (4, 2)}
    for name, kind in LAYER_KINDS.items():
        assert tuple(kind(*examples.get(name, ())).settings) == names["layers"][name]


def test_optimizers_have_as_many_vectors_on_both_sides():
    layers = [
        (
            "dense", 1, 1, ("identity", {}), {},
            [(0, 1, 1, "weights", 1.0, 1), (1, 1, 1, "biases", 1.0, 0)],
        )
    ]  # fmt: skip
    plan = extension.native.Plan(layers, [(1, ("identity", {}), ("mse", {}), 1.0)])
    one, order = np.ones((1, 1)), np.zeros((1, 1), np.int32)
    for name, kind in OPTIMIZERS.items():
        optimizer = kind()
        shares = optimizer.shares(optimizer.new_state(np.ones(2)), np.ones(1))
        for slots in (0, 1, 2, 3):
            arguments = (
                np.ones(2), np.zeros((slots, 2)), (one, one, None), order, np.ones(1),
                (np.zeros(1), np.zeros(1), None), (name, optimizer.settings, 0),
                (0.0, 0.0, False, np.inf), 1, 0, 1, "full", shares,
            )  # fmt: skip
            if slots == optimizer.slots:
                assert plan.train(*arguments) == 1
            else:
                with pytest.raises(ValueError, match="optimizer state"):
                    plan.train(*arguments)
