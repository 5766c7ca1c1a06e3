"""A small table, and what is trained on it in one process and by workers."""

import polars as pl

from chainrule.runs.config import RunConfig
from chainrule.runs.training import PreparedRun

TABLE = pl.DataFrame(
    {
        "a": [i % 13 / 13 for i in range(80)],
        "b": [i % 7 / 7 for i in range(80)],
        "y": ["yes" if (i % 13) + (i % 7) > 9 else "no" for i in range(80)],
    }
)


def prepared(**settings):
    given = {"target": "y", "epochs": 4, "layers": (6,), **settings}
    return PreparedRun.prepare(RunConfig.of(given), TABLE)
