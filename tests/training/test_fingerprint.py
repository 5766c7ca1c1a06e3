import functools
import subprocess
import sys

import numpy as np
import pytest

import chainrule as cr
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
    words = Adam(learning_rate).in_words(in_words)
    assert "0x" not in words
    assert words.startswith(f"Adam(learning_rate={in_words(learning_rate)}, beta_1=0.9")


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
    one, other = Adam(CosineDecay(0.1, 5)), Adam(CosineDecay(0.1, 6))
    assert one.in_words(in_words) != other.in_words(in_words)


# As checkpoints of the first release have them.
WRITTEN = {
    cr.SGD: "SGD(learning_rate=0.01)",
    cr.Momentum: "Momentum(learning_rate=0.01, beta=0.9)",
    cr.HeavyBall: "HeavyBall(learning_rate=0.01, beta=0.9)",
    cr.Nesterov: "Nesterov(learning_rate=0.01, beta=0.9)",
    cr.RMSprop: "RMSprop(learning_rate=0.001, beta=0.9, epsilon=1e-08)",
    cr.Adam: "Adam(learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-08, "
    "plain_epsilon=False)",
    cr.AdamW: "AdamW(learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-08, "
    "weight_decay=0.01)",
    cr.NAdam: "NAdam(learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-08)",
    cr.Lion: "Lion(learning_rate=0.0001, beta_1=0.9, beta_2=0.99, weight_decay=0.01)",
    cr.Muon: "Muon(learning_rate=0.001, beta=0.95, beta_1=0.9, beta_2=0.95, epsilon=1e-08, "
    "weight_decay=0.01)",
    lambda: cr.TimeDecay(0.1, 1): "TimeDecay(initial=0.1, decay=1.0, steps=None)",
    lambda: cr.ExponentialDecay(1, 0.5, 3, True): "ExponentialDecay(initial=1.0, factor=0.5, "
    "steps=3, staircase=True)",
    lambda: cr.CosineDecay(0.1): "CosineDecay(initial=0.1, final=0.0, steps=None, restarts=0, "
    "factor=1.0)",
    lambda: cr.OneCycle(0.1, 5): "OneCycle(maximum=0.1, steps=5, rise=0.3, initial=None, "
    "final=None)",
    lambda: cr.Warmup(0.1): "Warmup(then=0.1, steps=None)",
    lambda: cr.SGD(cr.Warmup(cr.TimeDecay(1, 2), 4)): "SGD(learning_rate=Warmup("
    "then=TimeDecay(initial=1.0, decay=2.0, steps=None), steps=4))",
}


@pytest.mark.parametrize("made", WRITTEN)
def test_optimizers_and_schedules_are_written_as_ever(made):
    assert made().in_words(in_words) == WRITTEN[made]


def test_a_class_that_was_renamed_is_written_as_before():
    class Brownian(cr.SGD):
        written_as = "SGD"

    assert Brownian(0.5).in_words(in_words) == cr.SGD(0.5).in_words(in_words)


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
