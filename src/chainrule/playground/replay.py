"""The replay of a finished run: its training is determined by its table and its options."""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from chainrule.errors import ChainruleError, InvalidArgumentError
from chainrule.playground.models import sessions_of_model
from chainrule.playground.paths import without_folders
from chainrule.playground.session.experiment import Experiment
from chainrule.playground.session.sessions import Sessions
from chainrule.playground.session.trained import Trained
from chainrule.runs.folder import RunFolder
from chainrule.runs.loader import load
from chainrule.runs.repetition import Repetition
from chainrule.runs.run import Run
from chainrule.training.events import EpochEnded

_SAME = "The replayed network is identical to the saved model, to the bit."
_OWN_COLUMNS = ("epoch", "loss", "validation_loss", "penalty", "learning_rate", "gradient_norm")
_LONGEST_HISTORY = 2**26


def replay(folder: Path) -> Sessions:
    """Return the sessions that train the network of a run's folder again, for all pages.

    If that cannot be done, they show the curves of its history and its network, and say why.

    Raises
    ------
    InvalidModelFileError
        If the folder has no model.
    """
    model = load(folder)
    try:
        repetition = Repetition.of(folder)
    except (InvalidArgumentError, OSError) as error:
        history = read_history(RunFolder(folder).history)
        reason = without_folders(str(error))
        note = f"This is the final network of the run. Its training cannot be replayed: {reason}"
        return sessions_of_model(model, notes=(note,), history=history)
    return Sessions.of(Replay(repetition))


def replay_of_run(run: Run) -> Sessions:
    """Return the sessions that train the network of a run of this process again; see `replay`."""
    return Sessions.of(Replay(Repetition.of_run(run)))


class Replay(Experiment):
    """The training of a finished run, paced, and compared at its end with the saved model.

    Parameters
    ----------
    repetition : Repetition
    """

    def __init__(self, repetition: Repetition) -> None:
        self._repetition = repetition
        super().__init__(
            prepared=repetition.prepared,
            read_only=True,
            mode="replay",
            callbacks=repetition.callbacks,
        )

    def _ended(self, trained: Trained, wishes: Any, message: str, reason: str) -> None:
        try:
            self._repetition.check_uncalibrated(trained.plan.problem.parameters)
            note = _SAME
        except ChainruleError as error:
            note = without_folders(str(error))
        with self._lock:
            self._notes = (*(one for one in self._notes if one != note), note)
        super()._ended(trained, wishes, message, reason)
        self._describe_to_all()


def read_history(path: Path) -> list[EpochEnded]:
    """Return the epochs of a history.csv; none if there is no such file, or it is another.

    Parameters
    ----------
    path : Path
    """
    try:
        if path.stat().st_size > _LONGEST_HISTORY:
            return []
        with path.open(encoding="utf-8", newline="") as file:
            return [event for row in csv.DictReader(file) if (event := _epoch_of(row)) is not None]
    except (OSError, UnicodeDecodeError, csv.Error):
        return []


def _epoch_of(row: dict[str, Any]) -> EpochEnded | None:
    """Return the epoch of a row of a history; None if the row is none."""
    try:
        numbers = dict(_numbers(row))
        return EpochEnded(
            epoch=int(numbers["epoch"]),
            loss=numbers["loss"],
            penalty=numbers["penalty"],
            learning_rate=numbers["learning_rate"],
            gradient_norm=numbers["gradient_norm"],
            seconds=numbers["seconds"],
            validation_loss=numbers.get("validation_loss"),
            metrics={name: value for name, value in numbers.items() if _is_metric(name, "")},
            validation_metrics={
                name.removeprefix("validation_"): value
                for name, value in numbers.items()
                if _is_metric(name, "validation_")
            },
        )
    except (KeyError, ValueError, OverflowError):
        return None


def _numbers(row: dict[str, Any]) -> Iterator[tuple[str, float]]:
    for name, text in row.items():
        if isinstance(name, str) and isinstance(text, str):
            yield name, float(text)


def _is_metric(name: str, prefix: str) -> bool:
    if name in (*_OWN_COLUMNS, "seconds"):
        return False
    return name.startswith("validation_") == bool(prefix)
