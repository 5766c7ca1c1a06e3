"""Reads the rows of a run and divides them into training, validation and test rows."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from chainrule.errors import InvalidArgumentError, InvalidTableError
from chainrule.model.table_model import TableModel
from chainrule.runs.config import RunConfig
from chainrule.runs.options import DataOptions
from chainrule.runs.rows import TargetRows, TargetWords
from chainrule.runs.streamed_rows import StreamedRows, is_streamed, stream_of
from chainrule.settings.losses import CLASSIFICATION, REGRESSION
from chainrule.tables.columns import check_finite, column_named, ignored_columns
from chainrule.tables.missing_words import MISSING_IN_TEXT
from chainrule.tables.reader import TrainingTable, read_by, read_for_training
from chainrule.tables.row_numbers import NumberedTable, RowNumbers
from chainrule.tables.splits import split_rows
from chainrule.tables.table_notations import TableReading
from chainrule.tables.table_stream import TableStream
from chainrule.tables.target import TargetEncoder
from chainrule.tables.task import Class, Task, infer_task, task_of

if TYPE_CHECKING:
    import polars as pl

Table: TypeAlias = Any
"""A table in memory (of polars, pandas or Arrow) or the path of one."""

TEST_TABLE = "the test table"
"""What a config names in place of a file if the rows to test with are a table in memory."""

SHARES = (0.8, 0.1, 0.1)
"""Default shares of the training, validation and test rows."""
SHARES_WITHOUT_TEST = (0.9, 0.1)


@dataclass(frozen=True)
class Parts:
    """The rows of a run, with their task, classes and feature columns."""

    train: "pl.DataFrame"
    validation: "pl.DataFrame"
    test: "pl.DataFrame"
    features: tuple[str, ...]
    """The columns to predict from."""
    task: Task
    inferred: bool
    """Whether the task is the one inferred from the target's values."""
    classes: tuple[Class, ...]
    """All classes, in the order of the network's outputs; empty for a regression."""
    ignored: tuple[str, ...]
    shares: tuple[float, ...]
    notes: tuple[str, ...] = ()
    """Notes on rows and values that were left out."""
    merged: bool = False
    """Whether different spellings of a class were merged."""
    reading: TableReading = field(default_factory=lambda: TableReading({}))
    """How the table was read."""
    numbers: Mapping[str, RowNumbers] = field(default_factory=dict)
    """Where the rows of each part stand in their file."""
    stream: StreamedRows | None = None
    """All training rows, if they are read while training; `train` is then a sample of them."""

    @property
    def n_train(self) -> int:
        """The number of training rows."""
        return self.train.height if self.stream is None else self.stream.rows

    def heights(self) -> dict[str, int]:
        """Return the number of rows of each part, by name."""
        return {name: part.height for name, part in self.tables().items()} | {"train": self.n_train}

    def tables(self) -> dict[str, "pl.DataFrame"]:
        """Return the parts by name."""
        return {"train": self.train, "validation": self.validation, "test": self.test}


class NumberedRows(NamedTuple):
    """The rows of a table that have a target, notes, and where these rows stand in the file."""

    table: "pl.DataFrame"
    notes: tuple[str, ...]
    numbers: RowNumbers


def divide(config: RunConfig, table: Table | None = None, test: Table | None = None) -> Parts:
    """Read the table and divide its rows at random, by the config's seed.

    Parameters
    ----------
    config : RunConfig
    table : polars or pandas DataFrame, or Arrow table, optional
        The table; by default, the file named in the config is read.
    test : polars or pandas DataFrame, or Arrow table, optional
        The rows to test with; by default, the file that the config names to test with is read, or
        a part of the table is set aside. Where it is given, the config names `TEST_TABLE`.

    Raises
    ------
    InvalidTableError, InvalidArgumentError
        If a table or an option cannot be used.
    """
    options = config.data
    if table is None and is_streamed(options):
        stream = stream_of(config, options.split or _shares_of(options))
        found = read_for_training(stream.scan.kept, target=options.target)
        return _of_rows(config, found._replace(numbers=stream.scan.numbers), test, stream)
    found = read_for_training(
        options.table if table is None else table,
        skip_bad_rows=options.skip_bad_rows,
        target=options.target,
    )
    return _of_rows(config, found, test)


def _shares_of(options: DataOptions) -> tuple[float, ...]:
    return SHARES_WITHOUT_TEST if options.test else SHARES


def _of_rows(
    config: RunConfig, found: TrainingTable, test: Table | None, stream: TableStream | None = None
) -> Parts:
    """Divide the rows of a table that was read; of a stream, the rows that it keeps in memory."""
    options, by_loss = config.data, _task_of_loss(config)
    where = options.table or "the table"
    table, reading = found.table, found.reading
    notes = [
        f"{options.table}: {note}" if not note.column and options.table else str(note)
        for note in found.notes
        if note.column not in options.ignore
    ]
    features, ignored = _columns(table, options)
    with found.numbers.naming():
        check_finite(table.select(features))
    column = table[options.target]
    if column.dtype.is_numeric() and task_of(column, options.task) == "regression":
        reading, table, sentinels = reading.with_sentinels(table, options.target)
        notes += map(str, sentinels)
    rows, kept = TargetRows.decide(table, options, where)
    table, numbers = kept.table, found.numbers[kept.indices]
    notes += kept.notes
    column = table[options.target]
    asked_for = infer_task(column)
    # A text target has classes whatever the loss; a mismatched loss is reported as an error.
    by_loss = by_loss if column.dtype.is_numeric() else None
    task = by_loss or task_of(column, options.task)
    with numbers.naming():
        classes = TargetEncoder.fit(column, task).classes  # classes and errors of all rows

    shares = options.split or _shares_of(options)
    streamed = None
    if stream is None:
        with numbers.naming():
            split = split_rows(
                table.height,
                column.to_numpy() if classes else None,
                seed=config.training.seed,
                validation=shares[1],
                test=0.0 if options.test else shares[2],
                groups=table[options.group] if options.group else None,
                times=table[options.time] if options.time else None,
            )
    else:
        split = stream.scan.split.among(kept.indices)
        streamed = StreamedRows(stream, reading, rows, config.training.shuffle is not False)
        notes += streamed.notes(where, len(split.train), options.test == "")
    held_out, tested = table[split.test], numbers[split.test]
    if options.test:
        given = options.test if test is None else test
        held_out, told, tested = _tested(options, given, reading, rows)
        notes += told
    return Parts(
        table[split.train],
        table[split.validation],
        held_out,
        features,
        task,
        task == asked_for,
        classes,
        ignored,
        shares,
        tuple(notes),
        bool(options.merge_spellings) and all(isinstance(value, str) for value in classes or (0,)),
        reading,
        {"train": numbers[split.train], "validation": numbers[split.validation], "test": tested},
        streamed,
    )


def _columns(
    table: "pl.DataFrame", options: DataOptions
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the feature columns and the ignored columns."""
    column_named(table, options.target, " to use as the target")
    for name, option in ((options.group, "group"), (options.time, "time")):
        if name:
            column_named(table, name, f" for --{option}")
            if name == options.target:
                raise InvalidArgumentError(f"{option}: {name!r} is the target; name another column")
    ignored = ignored_columns(options.ignore, table.columns, options.target)
    # The group is an identifier: what a network learns about one group does not carry over to the
    # groups of the other parts.
    left_out = {*ignored, options.target, options.group}
    features = tuple(name for name in table.columns if name not in left_out)
    if not features:
        raise InvalidTableError(
            f"the table has no column other than the target {options.target!r} to predict it from"
        )
    return features, ignored


def _task_of_loss(config: RunConfig) -> Task | None:
    """Return the task that the loss implies, or None if there is no loss or it fits both.

    Raises
    ------
    InvalidArgumentError
        If a different task was given.
    """
    data, loss = config.data, config.training.loss
    asked: Task
    if loss in REGRESSION:
        asked = "regression"
    elif loss in CLASSIFICATION:
        asked = "classification"
    else:
        return None
    if data.task not in ("auto", asked):
        raise InvalidArgumentError(
            f"loss: {loss} is a loss of a {asked}, and --task says {data.task}; leave out "
            f"one of --loss {loss} and --task {data.task}"
        )
    return asked


def _tested(
    options: DataOptions, table: Table, reading: TableReading, rows: TargetRows
) -> NumberedRows:
    """Return the rows of the separate test table that have a target."""
    found = read_by(table, reading, skip_bad_rows=options.skip_bad_rows)
    column_named(found.table, options.target, f", the target, in {options.test}")
    kept = rows.of(found.table, options.test)
    notes = [*(f"{options.test}: {note}" for note in found.notes), *kept.notes]
    return NumberedRows(kept.table, tuple(notes), found.numbers[kept.indices])


def rows_with_target(
    path: str | Path, model: TableModel, *, skip_bad_rows: bool = False
) -> NumberedRows:
    """Read a table as a model does, and return the rows that have a target.

    A word such as NA is a missing value, unless it is one of the model's classes.

    Raises
    ------
    InvalidTableError
        If the table cannot be read, or its target column is missing or empty.
    """
    found = model.read(path, skip_bad_rows=skip_bad_rows)
    notes = [f"{path}: {note}" for note in found.notes]
    column_named(found.table, model.target.name, ", the target")
    kept = _target_rows(model).of(found.table, str(path))
    return NumberedRows(kept.table, (*notes, *kept.notes), found.numbers[kept.indices])


def row_with_target(
    path: str | Path, model: TableModel, number: int, argument: str, *, skip_bad_rows: bool = False
) -> "NumberedTable":
    """Read a table as a model does, and return one row, which must have a target.

    Parameters
    ----------
    path : str or Path
    model : TableModel
    number : int
        The row's number in the file, counted from 1.
    argument : str
        The name of the argument that gave it, for messages.
    skip_bad_rows : bool

    Raises
    ------
    InvalidTableError
        If the table cannot be read, its target column is missing, or the row has no target.
    InvalidArgumentError
        If there is no such row.
    """
    table, _, numbers = model.read(path, skip_bad_rows=skip_bad_rows)
    target = model.target.name
    column_named(table, target, ", the target, which the trace needs")
    index = numbers.index_of(number, argument, str(path))
    row = table[index : index + 1]
    if not _target_rows(model).has_target(row):
        raise InvalidTableError(
            f"{path}: {numbers.named(index)} has no value of {target!r}, the target, which the "
            "trace needs; choose another row, or use chainrule explain, which needs no target "
            "value"
        )
    return NumberedTable(row, numbers[index : index + 1])


def _target_rows(model: TableModel) -> TargetRows:
    target = model.target
    words = TargetWords(frozenset(MISSING_IN_TEXT - set(map(str, target.classes))))
    return TargetRows(target.name, words)
