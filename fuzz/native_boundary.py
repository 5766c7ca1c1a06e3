"""Fuzzes the compiled core's own boundary: any plan, any arrays, any settings.

The package never hands it most of these; that it survives them is what lets a bug above it be an
exception and not a crash.
"""

import os
import random

os.environ.setdefault("CHAINRULE_THREADS", "2")

import numpy as np

from chainrule import _native as native
from chainrule.engines.optimizers import OPTIMIZERS
from harness import fuzz

DTYPES = (np.float32, np.float64, np.int32, np.int64, np.float16, np.bool_, np.complex64)
EXPECTED = (ValueError, TypeError, MemoryError, OverflowError)
EXTREMES = (0, 1, -1, 2**31 - 1, -(2**31), 2**31, 2**63 - 1, -(2**63), 2**64 - 1)
NORMALS = np.random.default_rng(0).standard_normal(5000)
REALS = (0.0, 1.0, -1.0, 1e-300, 1e300, float("inf"), float("nan"), 0.5, 0.999999)


class Draw:
    """Draws arguments, all from one input: mostly such as fit, now and then any.

    The core leaves libFuzzer no trace of where it went, so an input is the seed of a generator
    rather than a list of decisions: each one goes all the way.
    """

    def __init__(self, data: bytes) -> None:
        self.random = random.Random(data)
        self.rate = self.random.choice((0, 0.005, 0.02, 0.1))

    def small(self, least: int, most: int) -> int:
        """A whole number in a range."""
        return least + int(self.random.random() * (most - least + 1))

    def odd(self) -> bool:
        """Whether to do something that does not fit."""
        return self.random.random() < self.rate

    def number(self, least: int, most: int) -> int:
        """A whole number in a range, or an extreme one."""
        if self.odd():
            return self.random.choice(EXTREMES)
        return self.small(least, most)

    def real(self, least: float = 0.0, most: float = 1.0) -> float:
        """A number in a range, or an extreme one."""
        if self.odd():
            return self.random.choice(REALS)
        return self.random.uniform(least, most)

    def array(self, shape, dtype, most: int | None = None):
        """An array of that shape and type, or of another, or laid out in another way."""
        if self.odd():
            shape = tuple(self.small(0, 9) for _ in range(self.small(0, 3)))
        if self.odd():
            dtype = self.random.choice(DTYPES)
        if max(shape, default=0) > 10_000 or np.prod(shape, dtype=float) > 100_000:
            shape = tuple(min(n, 100) for n in shape)
        if np.dtype(dtype).kind in "iu":
            high = 127 if most is None else max(1, most)
            numbers = np.arange(np.prod(shape, dtype=int)) * self.small(0, 99) % high
            array = numbers.reshape(shape).astype(dtype)
            if self.odd() and array.size:
                array.flat[self.small(0, array.size - 1)] = self.number(0, high) % 2**31
        else:
            start = self.small(0, len(NORMALS) - 1)
            numbers = np.take(NORMALS, range(start, start + np.prod(shape, dtype=int)), mode="wrap")
            array = numbers.reshape(shape).astype(dtype)
            if self.odd():
                array = (array * self.random.choice(REALS)).astype(dtype)
        if self.odd():
            array = np.asfortranarray(array)
        if self.odd() and array.ndim:
            array = array[::-1]
        if self.odd():
            array.setflags(write=False)
        if self.odd():
            return None
        return array


NAMES = native.names()
GROUPS = ("weights", "biases", "scale", "embeddings", "statistics", "")


def name(draw, what):
    """A name of one of the core's lists, or another."""
    return (
        draw.random.choice(("", "dence", "softmax", "mse"))
        if draw.odd()
        else draw.random.choice(list(NAMES[what]))
    )


def chosen(draw, what):
    """An activation, a cost or an optimizer, and its settings."""
    own = name(draw, what)
    settings = {key: draw.real() for key in NAMES[what].get(own, ())}
    if draw.odd():
        settings[draw.random.choice(("slope", "gamma", "x"))] = draw.real()
    return own, settings


def embeddings(draw, n_in):
    """Return column, codes and dimension of some tables."""
    columns = draw.random.sample(range(min(max(n_in, 1), 40)), k=1 + draw.small(0, 1) * (n_in > 1))
    return [(draw.number(c, c), draw.number(1, 60), draw.number(1, 9)) for c in columns]


def put_codes(draw, X, tables) -> None:
    """Write codes into their columns, nearly all of which have a row."""
    if X is None or X.ndim != 2 or not X.flags.writeable or X.dtype.kind != "f":
        return
    for column, codes, _ in tables:
        if 0 <= column < X.shape[1] and 0 < codes < 100:
            X[:, column] = np.arange(len(X)) * 7 % codes
            if draw.odd() and len(X):
                X[draw.small(0, len(X) - 1), column] = draw.random.choice((*REALS, codes, -codes))


def blocks_of(kind, n_in, n_out, tables):
    """Rows, columns and group of each array of parameters."""
    if kind == "dense":
        return [(n_out, n_in, "weights"), (n_out, 1, "biases")]
    if kind == "batch_norm":
        return [(n_out, 1, "scale"), (n_out, 1, "scale")] + [(n_out, 1, "statistics")] * 2
    if kind == "scale":
        return [(n_out, 1, "scale")]
    return [(codes, dimension, "embeddings") for _, codes, dimension in tables]


class Layers:
    """Layers as the core is told of them, each block with its place."""

    def __init__(self, draw) -> None:
        self.draw, self.told, self.count = draw, [], 0

    def add(self, kind, n_in, n_out, tables=(), activation=("identity", {})) -> None:
        draw, blocks = self.draw, []
        for rows, columns, group in blocks_of(kind, n_in, n_out, tables):
            if draw.odd():
                group = draw.random.choice(GROUPS)
            place = draw.number(self.count, self.count)
            rate = draw.real() if draw.odd() else 1.0
            hidden = draw.small(0, 4) if draw.odd() or group == "weights" else 0
            blocks.append((place, rows, columns, group, rate, hidden))
            self.count += rows * columns
        settings = {key: [draw.real()] for key in NAMES["layers"].get(kind, ())}
        if kind == "category_embedding":
            settings = {"columns": [float(column) for column, *_ in tables]}
        if draw.odd():
            settings[draw.random.choice(("rate", "columns", "x"))] = [draw.real()] * draw.small(
                0, 3
            )
        self.told.append((kind, n_in, n_out, activation, settings, blocks))


def one(data: bytes) -> None:
    """Build a plan, and run what it offers on arrays that fit it, or nearly."""
    draw = Draw(data)
    sizes = [draw.number(1, 40)]
    layers = Layers(draw)
    tables = embeddings(draw, sizes[0]) if draw.small(0, 2) == 0 else []
    if tables:
        n_out = draw.number(1, 40) if draw.odd() else sizes[0] + sum(d - 1 for _, _, d in tables)
        layers.add("category_embedding", sizes[0], n_out, tables)
        sizes.append(n_out)
    for _ in range(draw.small(0, 4)):
        kind = name(draw, "layers")
        if kind == "category_embedding" and not draw.odd():
            kind = "dense"
        n_out = draw.number(1, 40) if kind == "dense" or draw.odd() else sizes[-1]
        own = ("identity", {}) if kind in ("dropout", "scale") else chosen(draw, "activations")
        layers.add(kind, sizes[-1], n_out, (), own)
        sizes.append(n_out)
    n_out = draw.number(1, 12)
    layers.add("dense", sizes[-1], n_out)
    heads, left = [], n_out
    whole = draw.small(0, 3) > 0
    while 0 < left <= 100 and len(heads) < 12:
        units = left if whole else draw.number(1, left)
        heads.append((units, chosen(draw, "activations"), chosen(draw, "costs"), draw.real()))
        left -= units
    threads = draw.number(-3, 3)
    try:
        plan = native.Plan(layers.told, heads, bool(draw.small(0, 1)), threads)
    except EXPECTED:
        return
    count = layers.count
    dtype = draw.random.choice((np.float32, np.float64))
    m = draw.small(1, 70)
    theta = draw.array((count,), dtype)
    X = draw.array((m, sizes[0]), dtype)
    put_codes(draw, X, tables)
    Y = draw.array((m,), np.int32, n_out) if draw.small(0, 1) else draw.array((m, n_out), dtype)
    weights = None if draw.small(0, 1) else draw.array((m,), dtype)
    threads = draw.number(-3, 3)
    for _call in range(draw.small(1, 3)):
        try:
            what = draw.small(0, 5)
            if what == 0:
                plan.predict(theta, X, precision(draw))
            elif what == 1:
                out = draw.array((m, n_out), dtype)
                plan.forward(theta, X, out, threads, precision(draw))
            elif what == 2:
                gradient = draw.array((count,), dtype) if draw.small(0, 1) else None
                objective = (draw.real(), draw.real(), False, draw.real())
                examples = (X, Y, weights)
                plan.loss(theta, examples, objective, gradient, threads, precision(draw))
            elif what == 3:
                train(draw, plan, theta, X, Y, weights, m, count, dtype, threads)
            elif what == 4:
                orders = draw.array((draw.small(1, 3), m), np.int32)
                native.epoch_orders(draw.number(0, 99), draw.number(0, 99), orders)
                native.all_finite(draw.array((m,), dtype))
            else:
                A, D = draw.array((16 * (m % 5),), dtype), draw.array((16 * (m % 5),), dtype)
                native.activation(chosen(draw, "activations"), A, D)
        except EXPECTED:
            pass


def precision(draw) -> str:
    """Return the name of a precision, or another."""
    return draw.random.choice(["full", "mixed", "split", "half" if draw.odd() else "full"])


def train(draw, plan, theta, X, Y, weights, m, count, dtype, threads) -> None:
    """Take a few steps."""
    optimizer, settings = chosen(draw, "optimizers")
    slots = OPTIMIZERS[optimizer].slots if optimizer in OPTIMIZERS else 1
    epochs, length = draw.small(1, 2), draw.small(1, 80)
    batch = draw.number(1, 80)
    steps = epochs * max(1, -(-length // batch)) if batch > 0 else 1
    records = [draw.array((steps,), np.float64) for _ in range(3)]
    if draw.small(0, 1):
        records[2] = None
    plan.train(
        theta, draw.array((slots, count), dtype), (X, Y, weights),
        draw.array((epochs, length), np.int32, m), draw.array((steps,), np.float64),
        tuple(records), (optimizer, settings, draw.number(0, 9)),
        (draw.real(), draw.real(), bool(draw.small(0, 1)), draw.real()), batch,
        draw.number(0, 99), threads, precision(draw),
    )  # fmt: skip


if __name__ == "__main__":
    fuzz(one, "native_boundary")
