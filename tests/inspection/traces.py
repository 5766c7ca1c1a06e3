"""Traces that the tests of their forms look at."""

import numpy as np

import chainrule as cr

X = np.array([[0.5, -1.25, 2.0], [1.5, 0.0, -0.75]])
Y = [0, 1]


def trace_of(layers=(4, 2), activation="tanh", examples=(X, Y), **arguments):
    *hidden, outputs = layers
    net = cr.Network(
        [3, *(cr.Dense(n, activation) for n in hidden), cr.Dense(outputs, "softmax")],
        cost="cross_entropy", seed=0,
    )  # fmt: skip
    return net.trace(*examples, **arguments)


def large_trace(m=50, **arguments):
    inputs = np.random.default_rng(0).standard_normal((m, 3))
    return trace_of((40, 2), examples=(inputs, [0] * m), **arguments)


def overflowing_trace():
    net = cr.Network([1, cr.Dense(1, "identity")], cost="mse", seed=0)
    net.weights[0][...] = 1e30
    with np.errstate(all="ignore"):
        return net.trace([[1e10]], [0.0])
