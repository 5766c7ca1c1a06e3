"""`train`: the command of this name, from Python."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import Field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from chainrule.checks import shown
from chainrule.ensembles.members import BEST
from chainrule.ensembles.progress import MemberProgress
from chainrule.errors import InvalidArgumentError
from chainrule.limits import FLAG
from chainrule.runs.config import RunConfig
from chainrule.runs.keywords import Settings
from chainrule.runs.options import SECTIONS, settings_of
from chainrule.runs.parts import TEST_TABLE, Table
from chainrule.runs.python_names import python_names
from chainrule.runs.run import Run
from chainrule.runs.run_fit import Interrupted
from chainrule.runs.training import PreparedRun
from chainrule.runs.values import from_python
from chainrule.suggestions import did_you_mean
from chainrule.training.events import Callback
from chainrule.training.progress import Progress
from chainrule.training.trackers.base import Tracker
from chainrule.workers.choice import workers_from

if TYPE_CHECKING:
    from distributed import Client


def train(
    table: Table = None,
    target: str | None = None,
    *,
    test: Table = None,
    config: str | Path | RunConfig | None = None,
    callbacks: Sequence[Callback] = (),
    workers: "int | str | Client | None" = None,
    verbose: bool = True,
    **settings: Unpack[Settings],
) -> Run:
    """Train a network on a table, as the command ``chainrule train`` does.

    Only the target is required. By default, 80 % of the rows are for training, 10 % for validation
    and 10 % for testing. The same file and settings give the same model as the command, to the bit.

    Parameters
    ----------
    table : path, polars or pandas DataFrame, or Arrow table
        The table to learn from; with `config`, by default the table that `config` names.
    target : str
        The column to predict; with `config`, by default the target that `config` names.
    test : path, polars or pandas DataFrame, or Arrow table, optional
        A table of test rows, instead of a part of `table`.
    config : str, Path or RunConfig, optional
        A run.toml to start from; other arguments override it.
    callbacks : list of callables, default ()
        Each is called with every event of the training; if one returns True after an `EpochEnded`,
        training stops.
    workers : int, str or distributed.Client, optional
        Who trains the networks of ``quality="best"``: so many processes, or a Dask cluster by the
        address of its scheduler (``"dask://host:8786"``) or by a client. By default the threads of
        this process. The result is the same.
    verbose : bool, default True
        Whether the progress of the training is shown.
    **settings
        The options of the command, with underscores: ``epochs=20``, ``layers=[64, 32]``,
        ``learning_rate=0.01``, ``group="patient"``, ``ignore=["name"]``. They are also the entries
        of run.toml; see the page on the command line.

    Returns
    -------
    Run
        The model, its history, scores and report; a notebook shows the verdict.

    Raises
    ------
    InvalidArgumentError
        If an argument is unknown or invalid.
    InvalidTableError
        If a table cannot be read, or a column is missing or cannot be used.
    TrainingDivergedError
        If the loss is not finite from the first epoch on.
    WorkersError
        If the workers cannot be reached, were lost, or would not compute the same bits.
    RunInterrupted
        On Ctrl-C, a kind of KeyboardInterrupt: its attribute `run` is the run so far, with the best
        weights.

    Examples
    --------
    >>> import polars as pl, chainrule as cr
    >>> table = pl.DataFrame({"size": range(100), "price": [3.0 * i + 5 for i in range(100)]})
    >>> run = cr.train(table, target="price", epochs=2, verbose=False)
    >>> run.command
    "chainrule.train(table, target='price', epochs=2)"
    """
    _check_callbacks(callbacks)
    FLAG.require(verbose, "verbose: expected")
    chosen = _config(table, target, test, config, settings)
    elsewhere = workers_from(workers)
    if elsewhere is not None and chosen.training.quality != BEST:
        raise InvalidArgumentError(
            "workers: expected none without quality='best': a single network is trained by the "
            f"threads of one process; got {shown(workers)}"
        )
    with python_names():
        prepared = PreparedRun.prepare(chosen, _in_memory(table), _in_memory(test))
        for callback in callbacks:
            if isinstance(callback, Tracker):
                callback.describe(_flat(prepared.config))
        progress: Progress | MemberProgress | None = None
        if verbose:
            progress = MemberProgress() if prepared.is_ensemble else Progress()
        consumers: list[Callback] = [*callbacks]
        told = progress if isinstance(progress, MemberProgress) else None
        if isinstance(progress, Progress):
            consumers.insert(0, progress)
        try:
            return prepared.fit(consumers, told=told, workers=elsewhere)
        except Interrupted as interrupt:
            if isinstance(interrupt.interrupt, SystemExit):
                raise interrupt.interrupt from None
            raise RunInterrupted(prepared, interrupt) from None
        finally:
            if progress is not None:
                progress.close()


class RunInterrupted(KeyboardInterrupt):
    """Ctrl-C interrupted `train`; the attribute `run` is the run so far.

    Parameters
    ----------
    prepared : PreparedRun
    interrupt : Interrupted
    """

    def __init__(self, prepared: PreparedRun, interrupt: Interrupted) -> None:
        epochs = len(interrupt.fitted.history)
        super().__init__(
            f"interrupted after {epochs} epoch{'' if epochs == 1 else 's'}; this exception's `run` "
            "is the run so far (in a notebook: import sys; run = sys.last_value.run)"
        )
        self._prepared, self._interrupt = prepared, interrupt

    @cached_property
    def run(self) -> Run:
        """The run so far: its network has the best weights, or those of the last finished step."""
        return self._prepared.judged(self._interrupt.fitted, ("The training was interrupted.",))


def _config(
    table: Table,
    target: str | None,
    test: Table,
    config: str | Path | RunConfig | None,
    settings: Mapping[str, Any],
) -> RunConfig:
    """Return the configuration that the arguments of `train` ask for."""
    begun = config
    if config is None:
        begun = RunConfig()
    elif isinstance(config, str | Path):
        begun = RunConfig.read(config)
    if not isinstance(begun, RunConfig):
        raise InvalidArgumentError(
            f"config: expected the path of a run.toml, or a RunConfig; got {shown(config)}"
        )
    values = _values(settings)
    if target is not None:
        values["target"] = from_python(_known()["target"], target)
    if table is not None:
        values["table"] = _path(table)
    if test is not None:
        values["test"] = _path(test) or TEST_TABLE
        # A division of another table, or of this one alone, is not what the file is about any more.
        values.setdefault("split", None)
    with python_names():
        begun = begun.updated(values)
    if not begun.data.target:
        raise InvalidArgumentError("target: expected the name of the column to predict; got none")
    if table is None and not begun.data.table:
        raise InvalidArgumentError("table: expected a table or the path of one; got none")
    if begun.training.time_limit is not None and begun.training.quality != BEST:
        raise InvalidArgumentError(
            "time_limit: expected none without quality='best', which alone has a time limit; got "
            f"{shown(begun.training.time_limit)}"
        )
    if test is None and begun.data.test == TEST_TABLE:
        raise InvalidArgumentError(
            "test: expected the test table of the run in config, which was in memory; got none"
        )
    return begun


def _values(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings that were given, each of the type that a configuration has."""
    known = _known()
    own = [name for name in inspect.signature(train).parameters if name != "settings"]
    for name in settings:
        if name not in known:
            hint = did_you_mean(name, [*known, *own])
            raise InvalidArgumentError(f"{name}: train has no such argument{hint}")
    return {
        name: from_python(known[name], value)
        for name, value in settings.items()
        if value is not None
    }


def _known() -> dict[str, "Field[Any]"]:
    return {one.name: one for section in SECTIONS for one in settings_of(section)}


def _path(table: Table) -> str:
    """Return the path of a table; "" if it is one in memory."""
    return str(table) if isinstance(table, str | Path) else ""


def _in_memory(table: Table) -> Table | None:
    return None if isinstance(table, str | Path) else table


def _flat(config: RunConfig) -> dict[str, Any]:
    return {name: value for entries in config.values().values() for name, value in entries.items()}


def _check_callbacks(callbacks: Any) -> None:
    wrong = (
        [one for one in callbacks if not isinstance(one, Callable)]  # type: ignore[arg-type]
        if isinstance(callbacks, Sequence)
        else [callbacks]
    )
    if wrong:
        raise InvalidArgumentError(
            f"callbacks: expected a list of functions that take an event; got {shown(wrong[0])}"
        )
