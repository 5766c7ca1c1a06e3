"""The summary of a network: its layers, their shapes and their parameters."""

from collections.abc import Sequence
from math import prod

import numpy as np

from chainrule.network.layers import Layer
from chainrule.network.parameters import parameter_count
from chainrule.network.spec import NetworkSpec
from chainrule.pictures.tables import Tables, TextTable
from chainrule.tables.encoder import TableEncoder
from chainrule.tables.target import TargetEncoder

# Wider tables are summarised by their first columns; `encoder.columns_` lists all.
_MOST_COLUMNS = 30


def network_summary(spec: NetworkSpec, epochs_trained: int) -> Tables:
    """Return a table of a network's layers, with the totals below."""
    return Tables(_parts(spec, epochs_trained))


def table_summary(
    spec: NetworkSpec, epochs_trained: int, encoder: TableEncoder, target: TargetEncoder
) -> Tables:
    """Return the summary of a network on tables: its columns, its target and its layers."""
    columns = encoder.columns_
    names = iter(encoder.get_feature_names_out())
    rows = []
    for column in columns:
        inputs = [str(next(names)) for _ in range(column.width)]
        rows.append((column.name, column.kind, f"{column.width}", _shortened(", ".join(inputs))))
    if target.task == "classification":
        classes = ", ".join(map(str, target.classes))
        sentence = f"Predicts the class of {target.name}, one of {len(target.classes)}: {classes}"
    else:
        sentence = f"Predicts the value of {target.name}"
    left_out = len(rows) - _MOST_COLUMNS
    more = [f"and {left_out:,} more columns"] if left_out > 0 else []
    return Tables(
        [
            _shortened(sentence),
            f"{len(columns):,} columns become {encoder.n_inputs:,} inputs:",
            TextTable(
                ("column", "kind", ">inputs", "names of the inputs"),
                tuple(rows[:_MOST_COLUMNS]),
                flexible=3,
            ),
            *more,
            *_parts(spec, epochs_trained),
        ]
    )


def _parts(spec: NetworkSpec, epochs_trained: int) -> list[str | TextTable]:
    rows = [("0", "inputs", f"{spec.n_features:,}", "", "")]
    trained = 0
    for number, (layer, units, blocks) in enumerate(
        zip(spec.layers, spec.sizes[1:], spec.blocks(), strict=True), 1
    ):
        shapes = ", ".join(f"{block.name} {_shape(block.shape)}" for block in blocks)
        count = sum(prod(block.shape) for block in blocks)
        trained += sum(prod(block.shape) for block in blocks if block.has_gradient)
        rows.append((f"{number}", _described(layer), f"{units:,}", shapes, f"{count:,}"))
    total = parameter_count(spec)
    statistics = f", {total - trained:,} of them running statistics" if trained < total else ""
    size = total * np.dtype(spec.dtype).itemsize
    epochs = f"{epochs_trained:,} epoch{'' if epochs_trained == 1 else 's'}"
    return [
        TextTable(("layer", "kind", ">units", "parameters", ">number"), tuple(rows), flexible=3),
        f"{total:,} parameters{statistics}; {_bytes(size)} in {spec.dtype}",
        f"cost {spec.cost}; trained for {epochs}",
    ]


def _shortened(text: str, length: int = 200) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"


def _described(layer: Layer) -> str:
    return f"{layer.kind.replace('_', ' ')} {layer.detail}".strip()


def _shape(shape: Sequence[int]) -> str:
    return "×".join(f"{size}" for size in shape)


def _bytes(size: int) -> str:
    for unit in ("bytes", "kB", "MB"):
        if size < 1000:
            return f"{size:.3g} {unit}"
        size = size / 1000  # type: ignore[assignment]
    return f"{size:.3g} GB"
