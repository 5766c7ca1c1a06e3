import functools
import subprocess
import sys

import numpy as np
import pytest

from chainrule.engines.base import Penalties
from chainrule.engines.optimizers import Adam
from chainrule.engines.schedules import CosineDecay
from chainrule.training.fingerprint import fingerprint, in_words, surroundings
from tests.training.trainings import training


def rate(t):
    return 0.01 / t


class Falling:
    def __call__(self, t):
        return 0.01

    def at(self, t):
        return 0.01


class Plain:
    pass


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (rate, "tests.training.test_fingerprint.rate"),
        (Falling(), "tests.training.test_fingerprint.Falling"),
        (Plain(), "tests.training.test_fingerprint.Plain"),
        (
            Falling().at,
            "tests.training.test_fingerprint.Falling.at of tests.training.test_fingerprint.Falling",
        ),
        (functools.partial(rate, 3, k=[rate]), f"partial({__name__}.rate, 3, k=({__name__}.rate))"),
        (np.sin, "builtins.sin"),
        (abs, "builtins.abs"),
        ({"a": (1, 2.5, None, True)}, "{'a': (1, 2.5, None, True)}"),
    ],
)
def test_what_is_code_is_known_by_its_name(value, words):
    assert in_words(value).replace("numpy.sin", "builtins.sin") == words


@pytest.mark.parametrize("learning_rate", [rate, Falling(), lambda t: 0.1, functools.partial(rate)])
def test_an_optimizers_words_have_no_address(learning_rate):
    assert "0x" not in in_words(Adam(learning_rate))
    assert "learning_rate=" in in_words(Adam(learning_rate))


def test_penalties_and_clipping_are_told_as_in_the_checkpoints_of_earlier_releases(engine):
    run = training(engine, penalties=Penalties(0.5, 0.0), max_grad_norm=2.0)
    assert fingerprint(run.plan, {})["penalties and clipping"] == (
        "Objective(l1=0.5, l2=0.0, shared=False, max_grad_norm=2.0)"
    )


def test_an_engine_tells_what_its_rounding_depends_on(engine):
    told = surroundings(training(engine).plan)
    assert list(told) == ["engine", "instruction set", "precision"]
    assert (told["engine"], told["precision"]) == (engine.name, "full")


def test_settings_that_differ_differ_in_words():
    assert in_words(Adam(CosineDecay(0.1, 5))) != in_words(Adam(CosineDecay(0.1, 6)))


SCRIPT = """
import functools, sys
import numpy as np
import chainrule as cr

class Cost:
    def __init__(self, power): self.power = power
    def __call__(self, A, Y): return (abs(A - Y) ** self.power).sum(axis=1)

def gradient(factor, A, Y):
    return factor * (A - Y)

def rate(t):
    return 0.01 / (1 + t / 100)

X = np.random.default_rng(0).normal(size=(64, 3))
cost = cr.CustomCost(Cost(2), functools.partial(gradient, 2.0))
net = cr.Network([3, cr.Dense(8, "tanh"), cr.Dense(1, "identity")], cost, seed=0)
net.fit(X, X[:, 0], epochs=int(sys.argv[1]), batch_size=16, optimizer=cr.Adam(rate),
        checkpoint=sys.argv[2], every=1, resume="resume" in sys.argv)
print(net.parameters.tobytes().hex())
"""


def test_a_training_with_a_cost_of_ones_own_goes_on_in_another_process(tmp_path):
    script = tmp_path / "own.py"
    script.write_text(SCRIPT)
    other = tmp_path / "other.py"  # imports what was the script before
    other.write_text("import own")

    def run(path, *arguments):
        command = [sys.executable, str(path), *map(str, arguments)]
        result = subprocess.run(command, capture_output=True, text=True, timeout=120)
        assert result.stderr == ""
        return result.stdout

    whole = run(script, 4, tmp_path / "whole")
    run(script, 2, tmp_path / "cut")
    assert run(other, 4, tmp_path / "cut", "resume") == whole
