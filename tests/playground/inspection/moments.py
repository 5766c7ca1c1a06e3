"""Moments of small trainings, caught between two of their steps."""

from dataclasses import dataclass

import numpy as np

import chainrule as cr
from chainrule.engines.base import Examples
from chainrule.playground.inspection.requests import REQUESTS, Inspected
from chainrule.playground.session.snapshot import Snapshot
from chainrule.tables.target import TargetEncoder

FEATURES = ("x1", "x2")
CLASSES = ("red", "green", "blue")


@dataclass
class Catcher:
    """Keeps snapshots after some steps of a training, and the parameters after every step."""

    steps: tuple[int, ...]
    test: Examples | None = None

    def __post_init__(self):
        self.caught, self.after = {}, {}

    def training_begins(self, training):
        self.training = training

    def __call__(self, event):
        return None

    def steps_left(self, done):
        return 0 if done not in self.after else 1

    def between_steps(self, moment):
        state, plan = self.training.state, self.training.plan
        self.after[moment.step] = state.moving.copy() if state.memory else state.parameters.copy()
        if moment.step not in self.steps or moment.rows is None:
            return
        self.caught[moment.step] = Snapshot(
            plan,
            moment.epoch - 1,
            moment.step,
            state.parameters.copy(),
            state.optimizer,
            state.memory.copy(),
            state.penalties,
            state.noise_key,
            moment.rows.copy(),
            moment.learning_rate,
            None,
            self.test,
        )


def data(m=23, outputs=3, seed=0):
    random = np.random.default_rng(seed)
    X = random.standard_normal((m, 2))
    if outputs == 1:
        return X, (X[:, 0] * X[:, 1] > 0).astype(float)[:, None]
    return X, np.eye(outputs)[random.integers(outputs, size=m)]


def target(outputs=3, task="classification"):
    if task == "regression":
        return TargetEncoder("regression", "price", (), mean=10.0, std=2.0)
    return TargetEncoder("classification", "colour", CLASSES[: max(2, outputs)])


def training(
    layers=("tanh", "softmax"),
    cost="cross_entropy",
    outputs=3,
    optimizer=None,
    at=7,
    test=None,
    dtype="float64",
    extra=(),
    **settings,
):
    """Train a 2-3-outputs network; return the snapshot before step `at` + 1 and the catcher."""
    hidden, output = layers
    net = cr.Network(
        [2, cr.Dense(3, hidden), *extra, cr.Dense(outputs, output)], cost=cost, seed=1, dtype=dtype
    )
    X, Y = data(outputs=outputs)
    catcher = Catcher((at,), test)
    net.fit(
        X,
        Y,
        epochs=4,
        batch_size=5,
        optimizer=optimizer or cr.SGD(learning_rate=0.1),
        callbacks=[catcher],
        verbose=False,
        **settings,
    )
    return catcher.caught[at], catcher


def by_hand():
    """Return a moment of one sigmoid unit with chosen weights, and one example."""
    net = cr.Network([2, cr.Dense(1, "sigmoid")], cost="binary_cross_entropy", dtype="float64")
    net.parameters[...] = [2.0, -1.0, 0.5]
    catcher = Catcher((0,))
    net.fit(
        [[1.0, 3.0]],
        [[1.0]],
        epochs=1,
        optimizer=cr.SGD(learning_rate=0.1),
        callbacks=[catcher],
        verbose=False,
    )
    return catcher.caught[0]


def ask(kind, snapshot, message=None, outputs=3, task="classification", **more):
    """Return the answer to a page's request."""
    inspected = Inspected(
        snapshot,
        FEATURES,
        target(outputs, task),
        lambda index: snapshot.examples.take(np.array([index])),
        **more,
    )
    return REQUESTS[kind](inspected, message or {})
