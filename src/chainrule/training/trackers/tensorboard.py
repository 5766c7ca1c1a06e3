"""TensorBoard."""

import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from chainrule.checks import file_path
from chainrule.printable import printable
from chainrule.training.trackers.base import End, Tracker


class TensorBoard(Tracker):
    """Writes a training to a folder for TensorBoard: ``tensorboard --logdir FOLDER`` shows it.

    Each number of the history is a curve over the epochs; the settings and how the training ended
    are texts. The files are written by tensorboardX, which writes the same format and has a
    fiftieth of the size of tensorboard: ``pip install "chainrule[tensorboard]"``.

    Parameters
    ----------
    folder : str or Path
        A folder for this training, usually below a common one. A later training of the same network
        with the same folder continues its curves.
    settings : mapping, optional
        More settings to record in addition to those of the training.

    Raises
    ------
    InvalidArgumentError
        If tensorboardX is not installed.
    """

    package, extra = "tensorboardX", "tensorboard"

    def __init__(self, folder: str | Path, settings: Mapping[str, Any] | None = None) -> None:
        super().__init__(settings)
        self.folder = file_path("folder", folder)
        self._writer: Any = None

    def _begin(self, settings: Mapping[str, Any]) -> None:
        from tensorboardX import SummaryWriter

        # Its file is named by the second; a second training in the same one would replace it.
        suffix = f".{time.time_ns()}.{os.getpid()}"
        self._writer = SummaryWriter(str(self.folder), flush_secs=10, filename_suffix=suffix)
        self._writer.add_text("settings", _table(settings))

    def _log(self, epoch: int, row: Mapping[str, float]) -> None:
        for name, value in row.items():
            self._writer.add_scalar(name, value, epoch)

    def _summarise(self, facts: Mapping[str, Any]) -> None:
        self._writer.add_text("end", _table(facts))

    def _close(self, end: End) -> None:
        if end != "finished":
            self._writer.add_text("end", end)
        self._writer.close()
        self._writer = None


def _table(entries: Mapping[str, Any]) -> str:
    """Return names and values as a table in Markdown."""
    rows = [
        f"| {_cell(name)} | {_cell(value)} |"
        for name, value in entries.items()
        if value is not None
    ]
    return "\n".join(["| name | value |", "|---|---|", *rows])


def _cell(value: object) -> str:
    return printable(value).replace("|", "\\|")
