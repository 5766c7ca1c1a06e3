"""Small networks in float64 whose outputs are explained."""

import numpy as np

import chainrule as cr
from chainrule.inspection.output import Output


def network(activation="tanh", output="softmax", normalised=False):
    hidden = (
        [cr.Dense(6, "identity"), cr.BatchNorm(activation)]
        if normalised
        else [cr.Dense(6, activation)]
    )
    cost = "cross_entropy" if output == "softmax" else "mse"
    layers = [4, *hidden, cr.Dropout(0.5), cr.Dense(3, output)]
    return cr.Network(layers, cost=cost, seed=3, dtype="float64")


def output_of(net, direction, offset=0.0):
    return Output.of(net.spec, net.parameters, np.asarray(direction, float), offset)
