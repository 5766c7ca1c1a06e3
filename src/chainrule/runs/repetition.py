"""Repeats the training of a finished run, which gives the same network, to the bit."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from chainrule.checks import shown
from chainrule.errors import ChainruleError, InvalidArgumentError
from chainrule.runs.config import RunConfig
from chainrule.runs.loader import load, model_file
from chainrule.runs.parts import TEST_TABLE, Table
from chainrule.runs.run import Run
from chainrule.runs.run_fit import FittedNetwork
from chainrule.runs.table_model import TableModel
from chainrule.runs.training import PreparedRun, versions
from chainrule.training.events import Callback, EpochEnded, Event


def repeated(
    folder: str | Path, callbacks: Sequence[Callback] = (), table: Table | None = None
) -> tuple[PreparedRun, FittedNetwork]:
    """Train the network of a finished run again, and check that it is the same to the bit.

    Parameters
    ----------
    folder : str or Path
        The folder of the run, or its model file.
    callbacks : list of callables
        Each is called with every event of the training.
    table : path, polars or pandas DataFrame, or Arrow table, optional
        The run's table; by default it is read from where the run found it.

    Returns
    -------
    prepared : PreparedRun
    fitted : FittedNetwork

    Raises
    ------
    InvalidModelFileError
        If there is no model.
    InvalidArgumentError
        If the run cannot be repeated: it is not finished, its table is missing or has changed, or
        this machine computes other bits. The message says which.
    """
    repetition = Repetition.of(folder, table)
    fitted = repetition.prepared.train([*callbacks, *repetition.callbacks])
    repetition.check(fitted.network.parameters)
    return repetition.prepared, fitted


@dataclass(frozen=True)
class Repetition:
    """A finished run, ready to be trained once more.

    Parameters
    ----------
    model : TableModel
        The model of the run.
    prepared : PreparedRun
    table : path, polars or pandas DataFrame, or Arrow table, optional
        The table, if it was given.
    """

    model: TableModel
    prepared: PreparedRun
    table: Table | None = None

    def __post_init__(self) -> None:
        if self.prepared.is_ensemble:
            raise InvalidArgumentError(
                "quality: the run trained many networks at the same time (quality best), which "
                "cannot be shown as one training; train one network, with quality standard"
            )

    @classmethod
    def of(cls, folder: str | Path, table: Table | None = None) -> Self:
        """Read the run in a folder; see `repeated`."""
        model = load(folder)
        if not isinstance(model, TableModel) or not {"config", "rows"} <= model.details.keys():
            raise InvalidArgumentError(
                f"{model_file(folder)}: is not the model of a finished run of chainrule train or "
                "chainrule.train, so it cannot be repeated; record another training with a "
                "Recorder"
            )
        return cls.of_model(model, table)

    @classmethod
    def of_model(cls, model: TableModel, table: Table | None = None) -> Self:
        """Prepare the run that a model comes from, by its details; see `repeated`."""
        details = model.details
        prepared = _prepared(details, table)
        rows = {name: part.height for name, part in prepared.parts.tables().items()}
        if rows != details["rows"]:
            raise InvalidArgumentError(
                f"table: {_place(details, table)} has changed since the run: it has {_words(rows)} "
                f"rows now, and had {_words(details['rows'])}"
            )
        return cls(model, prepared, table)

    @classmethod
    def of_run(cls, run: Run) -> Self:
        """Prepare a run of this process; its rows are still there."""
        return cls(run.model, PreparedRun.of_parts(run.config, run.parts))

    @property
    def epochs(self) -> int:
        """The epochs after which the run ended."""
        return int(self.model.details["epochs"])

    @property
    def callbacks(self) -> tuple[Callback, ...]:
        """What ends the training where a callback or Ctrl-C ended the run early."""
        planned = self.prepared.config.training.epochs or 0
        return (_EndsAfter(self.epochs),) if self.epochs < planned else ()

    def check(self, parameters: NDArray[np.floating]) -> None:
        """Raise an InvalidArgumentError, with the reason, unless these are the run's parameters."""
        if not np.array_equal(parameters, self.model.network.parameters):
            raise InvalidArgumentError(_difference(self.model.details, self.table))

    def check_uncalibrated(self, parameters: NDArray[np.floating]) -> None:
        """Do the same with parameters before temperature scaling."""
        description = self.prepared.description()
        network = description.network()
        if network.parameters.shape == parameters.shape:
            network.parameters = parameters.copy()
            description.calibrated(network)
        self.check(network.parameters)


class _EndsAfter:
    """Ends a training after some epochs, as an interruption or a callback ended the run."""

    def __init__(self, epochs: int) -> None:
        self._epochs = epochs

    def __call__(self, event: Event) -> bool:
        return isinstance(event, EpochEnded) and event.epoch >= self._epochs


def _prepared(details: Mapping[str, Any], table: Table | None) -> PreparedRun:
    values = {name: value for part in details["config"].values() for name, value in part.items()}
    values = {
        name: tuple(value) if isinstance(value, list) else value for name, value in values.items()
    }
    if isinstance(table, str | Path):
        values["table"] = str(table)
    config = RunConfig.of(values)
    in_memory = None if isinstance(table, str | Path) else table
    if not config.data.table and in_memory is None:
        raise InvalidArgumentError(
            "table: expected the table of the run, which was in memory; got none"
        )
    if config.data.test == TEST_TABLE:
        raise InvalidArgumentError(
            "table: the test table of the run was in memory, so the run cannot be repeated; record "
            "the training with a Recorder"
        )
    try:
        return PreparedRun.prepare(config, in_memory)
    except (ChainruleError, OSError) as error:
        raise InvalidArgumentError(
            f"table: the run cannot be repeated, since its table cannot be read again ({error}); "
            f"go to the folder where it was trained (this is {Path.cwd()}), or put the table back; "
            "animate also takes its new path, as table"
        ) from error


def _difference(details: Mapping[str, Any], table: Table | None) -> str:
    """Return why a network may have other bits than that of the run."""
    before, now = details.get("versions", {}), versions()
    changed = [
        f"{name} {before.get(name, 'unknown')} then, {now[name]} now"
        for name in now
        if before.get(name) != now[name]
    ]
    because = (
        f"these differ: {'; '.join(changed)}"
        if changed
        else f"{_place(details, table)} has changed since then, or a callback or an interruption "
        "within an epoch ended the run"
    )
    return (
        f"table: training the run again gave a different network, so the training cannot be "
        f"shown; {because}. Record a new training with callbacks=[Recorder()]"
    )


def _place(details: Mapping[str, Any], table: Table | None) -> str:
    if isinstance(table, str | Path):
        return str(table)
    if table is not None:
        return shown(type(table).__name__)
    return str(details["config"].get("data", {}).get("table", "the table"))


def _words(rows: dict[str, int]) -> str:
    parts = ("train", "validation", "test")
    return ", ".join(f"{rows[name]:,} {name}" for name in parts if name in rows)
