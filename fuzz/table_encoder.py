"""Fuzzes `TableEncoder.from_file` and `TargetEncoder.from_file`: what a file says of its table."""

import json
import os
import random

import atheris

os.environ.setdefault("POLARS_MAX_THREADS", "1")

with atheris.instrument_imports(include=["chainrule"]):
    import chainrule.tables.encoder as inputs
    import chainrule.tables.target as target
    from chainrule.errors import ChainruleError, InvalidModelFileError

import numpy as np
import polars as pl

import written
from documents import edited, seeds, text_of
from harness import fuzz

SEEDS = [seed.partition(b"\n\n") for seed in seeds("table_encoder")]
TABLE = pl.DataFrame(
    {
        "number": [1.0, None, -4.5e300],
        "whole": [3, 3, 2**62],
        "kind": ["red", None, "blue"],
        "day": ["2024-02-29", "x", None],
        "yes": [True, False, None],
        "t": ["x", "y", "x"],
    }
)


def one(data: bytes) -> None:
    """Read encoders; whatever is accepted encodes a table, or says why not."""
    source = random.Random(data)
    header, _, numbers = source.choice(SEEDS)
    headers = edited(json.loads(header), source)
    if data.startswith(b"{"):
        try:
            headers = json.loads(data)
        except (ValueError, RecursionError):
            return
    if not isinstance(headers, dict):
        return
    values = np.frombuffer(numbers, np.float64).copy()
    if source.random() < 0.3:
        odd = (np.nan, np.inf, -1.0, 0.0, 1e308, 5e-324)
        values[source.randrange(len(values))] = source.choice(odd)
    metadata = {key: text_of(headers[key]) for key in ("encoder", "target") if key in headers}
    arrays = {"encoder.numbers": values[:-2], "target.numbers": values[-2:]}
    try:
        encoder = inputs.TableEncoder.from_file(metadata, arrays)
        aim = target.TargetEncoder.from_file(metadata, arrays)
    except InvalidModelFileError:
        return
    again = inputs.TableEncoder.from_file(*encoder.to_file())
    assert again.to_file()[0] == encoder.to_file()[0]
    try:
        # Two tables: of values, and as people write them.
        texts = {name: written.column(source, 3) for name in TABLE.columns if name != "t"}
        table = TABLE if source.random() < 0.5 else TABLE.with_columns(pl.DataFrame(texts))
        rows = encoder.transform(table)
    except ChainruleError:
        rows = None
    assert rows is None or (rows.shape == (3, encoder.n_inputs) and np.isfinite(rows).all())
    if aim.n_outputs <= 100:
        aim.decode(np.full((3, aim.n_outputs), 0.5, np.float32))


if __name__ == "__main__":
    fuzz(one, "table_encoder")
