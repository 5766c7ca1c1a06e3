"""Engines by name, and the extension that may or may not be there."""

import os
import subprocess
import sys

import numpy as np
import pytest

from chainrule.engines import ENGINES, engine_named
from chainrule.engines.base import Problem
from chainrule.errors import InvalidArgumentError
from chainrule.network.layers import Dense
from chainrule.network.spec import NetworkSpec
from tests.strategies_networks import problem_of

_PRINT_REASON = (
    "from chainrule.engines import extension; print(extension.native is None, extension.reason)"
)


def test_every_engine_goes_by_its_own_name():
    for name in ENGINES:
        assert engine_named(name).name == name


def test_the_reference_is_always_there():
    assert engine_named("reference").name == "reference"


def test_auto_is_one_of_the_engines():
    assert engine_named("auto").name in ENGINES


@pytest.mark.parametrize("name", ["fast", "", "Reference", None, 3, ["reference"]])
def test_an_unknown_engine_is_refused_with_the_names_that_exist(name):
    with pytest.raises(InvalidArgumentError, match=r"^engine: expected auto or one of reference"):
        engine_named(name)


def test_the_table_of_engines_cannot_be_changed():
    with pytest.raises(TypeError):
        ENGINES["mine"] = ENGINES["reference"]


def test_without_the_extension_there_is_a_reason():
    environment = {**os.environ, "CHAINRULE_PURE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", _PRINT_REASON],
        env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout == "True CHAINRULE_PURE is set in the environment\n"


def test_auto_works_without_the_extension():
    code = (
        "import numpy as np, chainrule as cr\n"
        "net = cr.Network([1, cr.Dense(1, 'identity')], cost='mse', seed=0)\n"
        "print(net.fit([[1.0]], [2.0], epochs=2).events[0].engine)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "CHAINRULE_PURE": "1"}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout == "reference\n"


def test_engines_are_interchangeable_between_calls(engine):
    small = problem_of(NetworkSpec(2, (Dense(3, "tanh"), Dense(1, "identity")), "mse"))
    large = problem_of(NetworkSpec(5, (Dense(9, "relu"), Dense(4, "sigmoid")), "mse"), m=11)
    losses = []
    for problem in (small, large, small, large):
        problem = problem.rounded("float32")
        gradient = np.empty_like(problem.theta)
        losses.append(
            engine.loss_and_gradient(
                Problem(problem.spec, problem.theta, problem.examples), gradient
            )
        )
    assert losses[:2] == losses[2:]
