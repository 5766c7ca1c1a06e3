"""Plans of small networks as the compiled core is told of them, right ones and wrong ones."""

from typing import NamedTuple

from chainrule.engines import extension

ADAM = {"beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-8, "plain_epsilon": 0.0}
PLAIN = (0.0, 0.0, False, float("inf"))
"""An objective without penalties and clipping."""


class Layer(NamedTuple):
    """A layer before it has its place in the flat vector."""

    kind: str
    n_in: int
    n_out: int
    activation: tuple[str, dict[str, float]]
    settings: dict[str, list[float]]
    blocks: list[tuple[int, int, str] | tuple[int, int, str, int]]
    """Rows, columns, group, and of how many hidden matrices it consists, if of any."""


def layer(kind, n_in, n_out, settings=None, blocks=(), activation="identity"):
    return Layer(kind, n_in, n_out, (activation, {}), settings or {}, list(blocks))


def dense(n_in, n_out, activation="identity"):
    blocks = [(n_out, n_in, "weights"), (n_out, 1, "biases")]
    return layer("dense", n_in, n_out, blocks=blocks, activation=activation)


def grouped(n_in, n_out, seen, group="weights"):
    """Each unit sees so many units below."""
    blocks = [(n_out, seen, group), (n_out, 1, "biases")]
    return layer("grouped_dense", n_in, n_out, blocks=blocks)


def batch_ensemble(n_in, n_out, members, seen, factors=None, group="scale"):
    """The members have so many factors of their inputs together; by default one for each."""
    blocks = [
        (n_out // members, seen, "weights"),
        (members * seen if factors is None else factors, 1, group),
        (n_out, 1, "scale"),
        (n_out, 1, "biases"),
    ]
    return layer("batch_ensemble", n_in, n_out, blocks=blocks)


def dropout(n_in, rate=0.5, n_out=None):
    return layer("dropout", n_in, n_out or n_in, {"rate": [rate]})


def norm(n_in, momentum=0.9, epsilon=1e-5, n_out=None, activation="identity"):
    groups = ("scale", "scale", "statistics", "statistics")
    return layer(
        "batch_norm",
        n_in,
        n_out or n_in,
        {"momentum": [momentum], "epsilon": [epsilon]},
        [(n_in, 1, group) for group in groups],
        activation,
    )


def embedding(n_in, tables, n_out=None, activation="identity"):
    """Tables are (column, codes, dimension)."""
    return layer(
        "category_embedding",
        n_in,
        n_out or n_in + sum(dimension - 1 for *_, dimension in tables),
        {"columns": [float(column) for column, *_ in tables]},
        [(codes, dimension, "embeddings") for _, codes, dimension in tables],
        activation,
    )


def periodic(n_in, columns, n_out=None, groups="weights", activation="identity"):
    """Two cosines and three values of each column; none: of all."""
    k = len(columns) or n_in
    return layer(
        "periodic_embedding",
        n_in,
        n_out or n_in + 3 * k,
        {"columns": columns},
        [(k, 2, "weights"), (k, 2, "weights"), (k, 6, groups), (k, 3, "weights")],
        activation,
    )


def bins(n_in, columns, lower=None, width=None, n_out=None, **given):
    """Bins of width 1 from 0, one for each of columns."""
    settings = {
        "columns": columns,
        "lower": [0.0] * len(columns) if lower is None else lower,
        "width": [1.0] * len(columns) if width is None else width,
    }
    n_out = n_out or n_in + len(columns)
    return layer("piecewise_linear_embedding", n_in, n_out, settings, **given)


def head(units, activation="identity", cost=None, weight=1.0):
    return (
        units,
        (activation, {}),
        (cost or ("cross_entropy" if activation == "softmax" else "mse"), {}),
        weight,
    )


def placed(layers, first=0):
    """Return layers as the core takes them: each block with its offset."""
    at, result = first, []
    for own in layers:
        blocks = []
        for rows, columns, group, *hidden in own.blocks:
            blocks.append((at, rows, columns, group, 1.0, *(hidden or [0])))
            at += rows * columns
        result.append((*own[:-1], blocks))
    return result


def network(*layers, heads=None, fused=True, threads=1, first=0):
    """Return the core's plan of layers; by default its one head is of the identity and mse."""
    if heads is None:
        heads = [head(layers[-1].n_out)] if layers else []
    return extension.native.Plan(placed(layers, first), heads, fused, threads)
