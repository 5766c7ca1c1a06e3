"""The folder that a run leaves behind."""

import contextlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chainrule.errors import FileWriteError
from chainrule.files.atomic import atomic_path
from chainrule.files.checkpoint import begins_like_checkpoint
from chainrule.files.checkpoint_store import files_of, lock_of
from chainrule.files.locks import FileLock
from chainrule.printable import printable, printable_json
from chainrule.runs.config import RunConfig
from chainrule.runs.leavings import is_of_a_run, kind_of
from chainrule.runs.program_name import calling


@dataclass(frozen=True)
class Outputs:
    """What a run writes beside its model, its history, its metrics and run.toml."""

    report: bool = True
    search: bool = False
    """The journal of a search."""
    checkpoints: bool = False


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

    @property
    def lock(self) -> Path:
        """What keeps two runs out of one folder."""
        return lock_of(self.checkpoint)

    def files(self, outputs: Outputs) -> tuple[Path, ...]:
        """Return the files that a run leaves."""
        files = [self.model, self.history, self.metrics, self.config]
        return (*files, *[self.report] * outputs.report, *[self.search] * outputs.search)

    def written(self, outputs: Outputs) -> tuple[Path, ...]:
        """Return every file that a run writes, those included that it removes again."""
        checkpoint = files_of(self.checkpoint) if outputs.checkpoints else ()
        return (*self.files(outputs), *checkpoint, self.lock)

    def has_checkpoint(self) -> bool:
        """Whether there is a checkpoint to go on from: the latest, or the one before it."""
        return any(begins_like_checkpoint(path) for path in files_of(self.checkpoint)[:2])

    @contextlib.contextmanager
    def alone(self, argument: str) -> Iterator[FileLock]:
        """Make the folder, and keep other runs out of it in the block.

        A folder that was made and stays empty is removed again.

        Parameters
        ----------
        argument : str
            What asked for the folder, for messages.

        Raises
        ------
        CheckpointInUseError
            If another run has it.
        FileWriteError, OSError
            If it cannot be made or written to.
        """
        missing = [one for one in (self.path, *self.path.parents) if not one.exists()]
        lock = FileLock(self.lock)
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            lock.acquire(str(self.path), argument=argument)
            yield lock
        finally:
            lock.release()
            with contextlib.suppress(OSError):
                for folder in missing:
                    folder.rmdir()

    def check(
        self,
        argument: str,
        outputs: Outputs,
        *,
        resume: bool = False,
        overwrite: bool = False,
    ) -> None:
        """Raise if a run would cost someone a file: another run's checkpoint, or no run's at all.

        What a finished run left is replaced.

        Parameters
        ----------
        argument : str
            What asked for the folder, for messages.
        outputs : Outputs
            What the run writes.
        resume : bool
            Whether the checkpoint is this run's own.
        overwrite : bool
            Whether all of that may be replaced; folders stay in the way.

        Raises
        ------
        FileWriteError
            If something is in the way; the message says what, and what can be done.
        """
        if self.has_checkpoint() and not (resume or overwrite):
            raise FileWriteError(
                f"{argument}: {self.path} has the checkpoint of an unfinished run; "
                f"{calling('resume', self.path)} goes on with it. To begin anew, give --overwrite, "
                f"or choose another {argument}"
            )
        checkpoint = files_of(self.checkpoint) if outputs.checkpoints else ()
        for path in (*self.files(outputs), *checkpoint):
            kind = kind_of(path)
            if kind is None or (kind != "a folder" and overwrite):
                continue
            if kind == "a file":
                if self._is_replaceable(path, resume):
                    continue
                kind = "there, and no run of chainrule wrote it"
            remedy = f"move it away, or choose another {argument}"
            if not resume and kind != "a folder":
                remedy = f"choose another {argument}, or give --overwrite to replace it"
            raise FileWriteError(f"{argument}: {path} is {kind}; {remedy}")

    def _is_replaceable(self, path: Path, resume: bool) -> bool:
        """Tell whether a run may replace a file of that name without being told to."""
        latest, previous, partial = files_of(self.checkpoint)
        if path in (latest, previous, partial):
            # A damaged one gives way to the one before it.
            return resume or begins_like_checkpoint(path, cut_short=path == partial)
        # A resumed run has read its run.toml, whoever wrote it.
        return (resume and path == self.config) or is_of_a_run(path)

    def clear(self, outputs: Outputs) -> None:
        """Remove what is in the way of a run that may replace it: checkpoints, links, pipes."""
        for path in files_of(self.checkpoint):
            if begins_like_checkpoint(path) or outputs.checkpoints:
                path.unlink(missing_ok=True)
        for path in self.files(outputs):
            foreign = kind_of(path) == "a file" and path == self.search and not is_of_a_run(path)
            if kind_of(path) in ("a link", "no file") or foreign:
                path.unlink()

    def forget_checkpoint(self) -> None:
        """Remove the checkpoint of a run that is finished."""
        for path in files_of(self.checkpoint):
            path.unlink(missing_ok=True)

    def write_config(self, config: RunConfig, command: str) -> None:
        """Write run.toml, with the command that gives it as a comment."""
        # A column's name may have a line end, which must not end the comment.
        lines = [*command.split("\n"), "Again, to the bit: chainrule train --config run.toml"]
        head = "".join(f"# {printable(line)}\n" for line in lines)
        self._write(self.config, f"{head}\n{config.to_toml()}")

    def write_scores(self, scores: Mapping[str, Mapping[str, Any]]) -> None:
        """Write the metrics."""
        text = json.dumps(scores, indent=2, ensure_ascii=False, allow_nan=False)
        self._write(self.metrics, printable_json(text) + "\n")

    def _write(self, path: Path, text: str) -> None:
        with atomic_path(path) as temporary:
            temporary.write_text(text, encoding="utf-8")
