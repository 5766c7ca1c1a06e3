"""The folder that a run leaves behind."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chainrule.files.atomic import atomic_path
from chainrule.runs.config import RunConfig


@dataclass(frozen=True)
class RunFolder:
    """Where the files of a run lie; each is replaced whole by the next run in the same folder."""

    path: Path

    @property
    def model(self) -> Path:
        """The model file."""
        return self.path / "model.safetensors"

    @property
    def history(self) -> Path:
        """The history, a row an epoch."""
        return self.path / "history.csv"

    @property
    def metrics(self) -> Path:
        """The scores of the training, validation and test rows."""
        return self.path / "metrics.json"

    @property
    def config(self) -> Path:
        """Everything that decided the run."""
        return self.path / "run.toml"

    @property
    def report(self) -> Path:
        """The page for people."""
        return self.path / "report.html"

    @property
    def search(self) -> Path:
        """The journal of a search."""
        return self.path / "search.journal"

    @property
    def checkpoint(self) -> Path:
        """What a training that was cut short goes on from."""
        return self.path / "checkpoint"

    def has_checkpoint(self) -> bool:
        """Whether there is a checkpoint to go on from: the latest, or the one before it."""
        previous = self.path / f"{self.checkpoint.name}.previous"
        return self.checkpoint.exists() or previous.exists()

    def forget_checkpoint(self) -> None:
        """Remove the checkpoint of a run that is finished, and what lies beside it."""
        for path in self.path.glob(f"{self.checkpoint.name}*"):
            path.unlink(missing_ok=True)

    def create(self) -> None:
        """Make the folder if it is not there."""
        self.path.mkdir(parents=True, exist_ok=True)

    def write_config(self, config: RunConfig, command: str) -> None:
        """Write run.toml, with the command that gives it as a comment."""
        # A column's name may have a line end, which must not end the comment.
        lines = [*command.splitlines(), "Again, to the bit: chainrule train --config run.toml"]
        head = "".join(f"# {_printable(line)}\n" for line in lines)
        self._write(self.config, f"{head}\n{config.to_toml()}")

    def write_scores(self, scores: Mapping[str, Mapping[str, Any]]) -> None:
        """Write the metrics."""
        self._write(
            self.metrics, json.dumps(scores, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
        )

    def _write(self, path: Path, text: str) -> None:
        with atomic_path(path) as temporary:
            temporary.write_text(text, encoding="utf-8")


def _printable(line: str) -> str:
    return "".join(letter if letter.isprintable() else "�" for letter in line)
