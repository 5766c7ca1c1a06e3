"""Small tables in Parquet files, for the tests of streams."""

from itertools import pairwise

import numpy as np
import polars as pl


def numbers(rows=600, seed=0):
    """Return a table of two numbers and a class of 0 and 1 that follows from them."""
    random = np.random.default_rng(seed)
    a, b = random.normal(size=(2, rows)).astype(np.float32)
    return pl.DataFrame({"a": a, "b": b, "y": (a > b).astype(np.int8)})


def mixed(rows=600, seed=0):
    """Return a table of a number with gaps, a category, and a class in words."""
    random = np.random.default_rng(seed)
    size = random.normal(size=rows)
    kind = random.choice(["red", "green", "blue"], rows)
    label = np.where(size + (kind == "red") > 0.3, "yes", "no")
    gaps = [None if row % 17 == 0 else value for row, value in enumerate(size)]
    return pl.DataFrame({"size": gaps, "kind": kind, "label": label})


def write(folder, table, files=3, group=50):
    """Write a table to files with row groups of `group` rows; return the pattern."""
    folder.mkdir(exist_ok=True)
    step = -(-table.height // files)
    for number in range(files):
        part = table[number * step : (number + 1) * step]
        part.write_parquet(folder / f"part{number}.parquet", row_group_size=group)
    return str(folder / "*.parquet")


def as_ranks_take(table, ranks, batch):
    """Return the rows of a table in the order in which so many ranks take them, batch by batch.

    Rank r has the rows from ⌊N r/K⌋ to ⌊N (r+1)/K⌋, and takes `batch` of them in each step.
    """
    ends = [table.height * rank // ranks for rank in range(ranks + 1)]
    own = [list(range(*pair)) for pair in pairwise(ends)]
    taken = []
    while any(own):
        for rows in own:
            taken += rows[:batch]
            del rows[:batch]
    return table[taken]
