"""Small trained models of tables, for the tests of what is said about them."""

from functools import cache

import numpy as np
import polars as pl

import chainrule as cr
from chainrule.model.table_model import TableModel
from chainrule.tables.encoder import TableEncoder
from chainrule.tables.target import TargetEncoder
from chainrule.training.history import History


def trained(
    table: pl.DataFrame,
    target: str,
    *,
    hidden: tuple[int, ...] = (8,),
    epochs: int = 30,
    seed: int = 0,
) -> tuple[TableModel, dict[str, pl.DataFrame], History]:
    """Train on the first half of the rows, and return model, parts and history."""
    rows = table.height
    parts = {
        "train": table[: rows // 2],
        "validation": table[rows // 2 : 3 * rows // 4],
        "test": table[3 * rows // 4 :],
    }
    whole = TargetEncoder.fit(table[target])
    goal = TargetEncoder.fit(parts["train"][target], whole.task, whole.classes or None)
    encoder = TableEncoder().fit(parts["train"].drop(target))
    classes = whole.task == "classification"
    network = cr.Network(
        [
            encoder.n_inputs,
            *(cr.Dense(units, "relu") for units in hidden),
            cr.Dense(goal.n_outputs, "softmax" if classes else "identity"),
        ],
        cost="cross_entropy" if classes else "mse",
        seed=seed,
    )
    model = TableModel(network, encoder, goal)
    X, y = model.examples(parts["train"])
    history = network.fit(
        X,
        y,
        optimizer=cr.Adam(0.01),
        epochs=epochs,
        batch_size=32,
        validation_data=model.examples(parts["validation"]),
        metrics=["accuracy"] if classes else ["rmse"],
    )
    return model, parts, history


def binary_table(rows: int = 400, seed: int = 0) -> pl.DataFrame:
    """Whether a fruit is ripe: red ones are, large ones are, the noise says nothing."""
    generator = np.random.default_rng(seed)
    size = generator.normal(size=rows)
    red = generator.integers(2, size=rows)
    noise = generator.normal(size=rows)
    ripe = size + 1.5 * red + generator.normal(size=rows) * 0.5 > 0.75
    return pl.DataFrame(
        {
            "size": size,
            "colour": np.where(red == 1, "red", "green"),
            "noise": noise,
            "ripe": np.where(ripe, "yes", "no"),
        }
    )


def value_table(rows: int = 400, seed: int = 0) -> pl.DataFrame:
    """A price that bends with the area and falls with the distance."""
    generator = np.random.default_rng(seed)
    area, distance, noise = generator.normal(size=(3, rows))
    price = 300 + 40 * area**2 - 30 * distance + 10 * generator.normal(size=rows)
    return pl.DataFrame({"area": area, "distance": distance, "noise": noise, "price": price})


def many_classes_table(rows: int = 900, classes: int = 30, seed: int = 0) -> pl.DataFrame:
    """Kinds around centres of their own, each of them in every part."""
    generator = np.random.default_rng(seed)
    kinds = np.arange(rows) % classes
    centres = generator.normal(size=(classes, 4)) * 2
    values = centres[kinds] + generator.normal(size=(rows, 4))
    columns = {f"m{index}": values[:, index] for index in range(4)}
    return pl.DataFrame({**columns, "kind": [f"kind {number:02d}" for number in kinds]})


def pure_noise_table(rows: int = 400, seed: int = 0) -> pl.DataFrame:
    """A target that nothing predicts."""
    generator = np.random.default_rng(seed)
    return pl.DataFrame(
        {
            "a": generator.normal(size=rows),
            "b": generator.normal(size=rows),
            "coin": np.where(generator.integers(2, size=rows) == 1, "heads", "tails"),
        }
    )


@cache
def binary() -> tuple[TableModel, dict[str, pl.DataFrame], History]:
    return trained(binary_table(), "ripe")


@cache
def values() -> tuple[TableModel, dict[str, pl.DataFrame], History]:
    return trained(value_table(), "price", hidden=(16,), epochs=100)


@cache
def many_classes() -> tuple[TableModel, dict[str, pl.DataFrame], History]:
    return trained(many_classes_table(), "kind", hidden=(16,))


@cache
def pure_noise() -> tuple[TableModel, dict[str, pl.DataFrame], History]:
    return trained(pure_noise_table(), "coin", epochs=1)
