"""Models to export, and tables for them with missing values and categories never seen before."""

import datetime
from dataclasses import replace

import numpy as np
import polars as pl

import chainrule as cr
from chainrule.model.table_model import TableModel
from chainrule.network.registry.activations import ACTIVATIONS
from chainrule.tables.encoder import TableEncoder
from chainrule.tables.target import TargetEncoder
from chainrule.tables.transform import made

TEXTS = ["red", "blü", "green", 'q"uote\\', "a,b\n*/", "??/"]
"""Categories that are hard to write into a program."""


def table(rows, seed, unknown=False):
    """Make a table of every kind of column; `unknown` adds categories that training lacks."""
    random = np.random.default_rng(seed)
    texts = [*TEXTS, "never seen", "RED", "red "] if unknown else TEXTS
    numbers = [10, 20, 30, 77] if unknown else [10, 20, 30]
    seconds = random.uniform(0, 240 * 365.25 * 86400, rows)
    begin = datetime.datetime(1896, 2, 28, 23, 59, 59, 999_999)
    times = [begin + datetime.timedelta(seconds=float(s)) for s in seconds]

    def some(values):
        return [
            None if u < 0.1 else v for v, u in zip(values, random.uniform(size=rows), strict=True)
        ]

    return pl.DataFrame(
        {
            "size": some((1e6 + random.standard_normal(rows)).tolist()),
            "count": random.integers(0, 50, rows).tolist(),
            "is it?": some(random.integers(0, 2, rows).astype(bool).tolist()),
            "int": some([texts[i] for i in random.integers(0, len(texts), rows)]),
            "2nd code": some(random.choice(numbers, rows).tolist()),
            "when": some(times),
            "däy": [time.date() for time in times],
            "written": some([time.strftime("%d.%m.%Y %H:%M:%S") for time in times]),
        },
        schema_overrides={"is it?": pl.Boolean},
    )


CLASSES = {
    "text": ("no", "yes", "ç\"'"),
    "numbers": (3, 5, 9),
    "fractions": (0.5, 1.5),
    "true or false": (False, True),
    "two": ("b", "a"),
}


def table_model(target="text", seed=0, dtype="float32", single=False, **settings):
    """Return a model of `table`; its target is one of CLASSES or "value"."""
    random = np.random.default_rng(seed)
    rows = table(400, seed)
    encoder = TableEncoder(categorical=["2nd code"], **settings).fit(rows)
    layers = [cr.Dense(8, "gelu"), cr.Dense(6, "identity"), cr.BatchNorm("silu"), cr.Dropout(0.2)]
    if target == "value":
        column = pl.Series("y", random.normal(1000, 200, len(rows)))
        layers, cost = [*layers, cr.Dense(1, "identity")], "mse"
    else:
        column = pl.Series("y", random.choice(np.array(CLASSES[target]), len(rows)).tolist())
        n = len(CLASSES[target])
        output = cr.Dense(1, "sigmoid") if single else cr.Dense(n, "softmax")
        layers, cost = [*layers, output], "binary_cross_entropy" if single else "cross_entropy"
    encoded = TargetEncoder.fit(column, "regression" if target == "value" else "classification")
    net = cr.Network([encoder.n_inputs, *layers], cost, seed=seed, dtype=dtype)
    net.fit(encoder.transform(rows), encoded.encode(column), epochs=3)
    return TableModel(net, encoder, encoded)


def every_kind(dtype="float32"):
    """Return a network with every activation and every kind of layer, and heads."""
    hidden = [
        cr.Dense(6, name)
        for name in (*ACTIVATIONS, "leaky_relu(slope=0.25)", "elu(alpha=-0.5)")
        if name not in ("softmax", "exponential")
    ]
    net = cr.Network(
        [
            4,
            cr.PeriodicEmbedding(frequencies=2, size=2),
            cr.PiecewiseLinearEmbedding([(2, [-1.0, -0.25, 0.5]), (0, [-0.5, 2.0])]),
            *hidden,
            cr.GroupedDense(9, 3, "gelu"),
            cr.GroupedDense(6, 3, "identity"),
            cr.BatchEnsemble(6, 3, "tanh", shared_input=True),
            cr.BatchEnsemble(9, 3, "identity"),
            cr.Scale(),
            cr.Dropout(0.5),
            cr.Dense(5, "identity"),
            cr.ParametricActivation("leaky_relu(slope=0.5)", 0.75),
            cr.PeriodicEmbedding([3, 0], frequencies=3, size=3, scale=1.0),
            cr.Scale(2.0),
            cr.BatchNorm("softmax"),
            cr.BatchNorm("tanh", momentum=0.5, epsilon=0.1),
            cr.Dense(7, "heads(softmax:3, exponential:1, identity:2, leaky_relu(slope=0.2):1)"),
        ],
        "heads(cross_entropy:3, mse:1, huber:2, mse:1)",
        seed=1,
        dtype=dtype,
    )
    random = np.random.default_rng(0)
    # Variances stay positive, and batch normalisation is not the identity.
    net.parameters += np.abs(random.normal(0, 0.1, net.parameters.size)).astype(dtype)
    return net


def inputs(net, rows=50):
    """Draw inputs of a network."""
    random = np.random.default_rng(rows)
    return random.standard_normal((rows, net.spec.n_features)).astype(net.spec.dtype)


def long_tailed_model(kind, dtype="float32"):
    """Return a table's model that learned a transform of its target, undone with residuals."""
    model = table_model("value", dtype=dtype)
    random = np.random.default_rng(7)
    values = 10 ** random.uniform(-2, 4, 400)
    column = pl.Series("y", values if kind == "log" else values * random.choice([-1, 1], 400))
    encoded = TargetEncoder.fit(column, "regression").transformed(
        made("y", kind, column.to_numpy()), column.to_numpy()
    )
    residuals = random.normal(0, 0.5, 300)
    encoded = replace(encoded, transform=encoded.transform.smeared(residuals))
    return TableModel(model.network, model.encoder, encoded)
