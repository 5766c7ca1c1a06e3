"""Fuzzes `TableEncoder.from_file`: what a model file says of its table."""

import json
import random

import atheris

with atheris.instrument_imports(include=["chainrule"]):
    from chainrule.errors import InvalidModelFileError
    from chainrule.tables.encoder import KEY, TableEncoder

import numpy as np

from documents import edited, seeds, text_of
from harness import fuzz

SEEDS = [seed.partition(b"\n\n") for seed in seeds("table_encoder")]


def one(data: bytes) -> None:
    """Read an encoder from a header of JSON and arrays of the length that it needs, or another."""
    header, _, numbers = data.partition(b"\n\n")
    text = header.decode("utf-8", "surrogateescape")
    if not data.startswith(b"{"):
        source = random.Random(data)
        header, _, numbers = source.choice(SEEDS)
        text = text_of(edited(json.loads(header), source))
    values = np.frombuffer(numbers[: len(numbers) // 16 * 16], np.float64)
    half = len(values) // 2
    arrays = {f"{KEY}.mean": values[:half], f"{KEY}.std": values[half:]}
    try:
        encoder = TableEncoder.from_file({KEY: text}, arrays)
    except InvalidModelFileError:
        return
    encoder.to_file()
    assert encoder.n_outputs > 0


if __name__ == "__main__":
    fuzz(one, "table_encoder")
