"""The sessions that a server is started with: experiments, a model, or the run of a folder."""

import contextlib
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from chainrule.engines import engine_for
from chainrule.engines.base import Examples, Problem
from chainrule.engines.optimizers import SGD
from chainrule.errors import InvalidArgumentError
from chainrule.model.table_model import TableModel
from chainrule.playground.data.tables import OwnTable, OwnTables, printable_name, target_in
from chainrule.playground.session.catalog import catalog
from chainrule.playground.session.experiment import Experiment
from chainrule.playground.session.sessions import Sessions
from chainrule.playground.session.snapshot import Snapshot
from chainrule.playground.session.state import wanted
from chainrule.playground.session.subject import Subject
from chainrule.playground.session.viewer import Viewer
from chainrule.tables.frames import as_frame
from chainrule.tables.reader import read_by
from chainrule.training.plan import Plan


def sessions_for_play(
    table: Any = None,
    target: str | None = None,
    state: Mapping[str, Any] | None = None,
) -> Sessions:
    """Return the sessions of a playground: each page has an experiment of its own.

    Parameters
    ----------
    table : path, polars or pandas DataFrame, or Arrow table, optional
        The table that pages begin with; None: toy data.
    target : str, optional
        The column to predict; by default, one that looks like a target.
    state : dict, optional
        What is trained first: "data", "inputs" and "settings".

    Raises
    ------
    InvalidTableError
        If the table cannot be read.
    InvalidArgumentError
        If target or state cannot be used.
    """
    begun: dict[str, Any] = {**(state or {})}
    with contextlib.ExitStack() as stack:  # deletes the copy of a table if anything is wrong
        start: tuple[OwnTable, ...] = ()
        if table is not None:
            if "data" in begun:
                raise InvalidArgumentError(
                    "data: expected none together with a table; give only one of the two"
                )
            own = _own_table(table, stack)
            column = own.suggested_target if target is None else target_in(own, target)
            begun["data"] = {"kind": "table", "table": own.identity, "target": column}
            start = (own,)
        elif target is not None:
            raise InvalidArgumentError("target: expected a table with this column; got no table")
        if begun:
            wanted(begun, OwnTables(*start))  # a mistake is told before a server starts
        kept = stack.pop_all()
    # Its points and names take a moment, which the first page need not wait for.
    threading.Thread(target=catalog, daemon=True).start()
    return _Sessions(start, begun or None, kept)


def _own_table(table: Any, stack: contextlib.ExitStack) -> OwnTable:
    """Read a table; one in memory is copied to a file, as sessions read it again and again."""
    if isinstance(table, str | Path):
        path = Path(table)
        return OwnTable.read(path, printable_name(path.name))
    frame = as_frame(table)
    folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="chainrule-play-"))
    path = Path(folder) / "table.parquet"
    frame.write_parquet(path)
    return OwnTable.read(path, "table.parquet")


class _Sessions(Sessions):
    """Sessions with an experiment for each page."""

    def __init__(
        self,
        start: tuple[OwnTable, ...],
        state: Mapping[str, Any] | None,
        kept: contextlib.ExitStack,
    ) -> None:
        super().__init__(lambda: Experiment(OwnTables(*start), state))
        self._kept_until_closed = kept

    def close(self) -> None:
        """Close all sessions, and delete the copy of a table from memory."""
        super().close()
        self._kept_until_closed.close()


def model_viewer(model: TableModel, table: Any = None, notes: tuple[str, ...] = ()) -> Viewer:
    """Return a session that shows a model.

    Parameters
    ----------
    model : TableModel
    table : path, polars or pandas DataFrame, or Arrow table, optional
        Rows with targets, which are drawn and measured.
    notes : tuple of str

    Raises
    ------
    InvalidTableError
        If the table cannot be read, or lacks a column.
    """
    frame = None
    if table is not None:
        frame = read_by(table, model.encoder.reading).table
        frame = frame.filter(frame[model.target.name].is_not_null())
    subject = Subject.of_model(model, frame)
    network, spec = model.network, model.network.spec
    examples = Examples(np.empty((0, spec.n_features), spec.dtype), np.empty((0, 1), spec.dtype))
    if frame is not None:
        examples = _examples(model, subject, frame)
    plan = Plan(
        Problem(spec, network.parameters.copy(), examples),
        optimizer=SGD(),
        engine=engine_for(spec, "auto"),
        epochs=0,
        batch_size=max(1, len(examples.X)),
        seed=0,
    )
    viewer = Viewer(subject, "replay", notes)
    viewer.show(
        Snapshot(
            plan=plan,
            epoch=network.epochs_trained,
            step=0,
            parameters=network.parameters.copy(),
            optimizer=None,
            memory=None,
            penalties=plan.problem.penalties,
            noise_key=0,
            rows=None,
            learning_rate=None,
            ended=None,
            test=examples if len(examples.X) else None,
        )
    )
    viewer.ended("a trained model")
    return viewer


def _examples(model: TableModel, subject: Subject, frame: Any) -> Examples:
    """Return the rows of a table as the engines take them."""
    spec, part = model.network.spec, subject.parts[1]
    encoded = model.target.encode(frame[model.target.name])
    if subject.classes and spec.n_outputs > 1:
        return Examples(part.X, encoded.astype(np.int32))
    return Examples(part.X, np.ascontiguousarray(encoded.astype(spec.dtype)[:, None]))
