"""The output folder of a run."""

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
    """Optional files of a run, in addition to model, history, metrics, predictions and run.toml."""

    report: bool = True
    search: bool = False
    """Whether the run writes the journal of a search."""
    checkpoints: bool = False


@dataclass(frozen=True)
class RunFolder:
    """The paths of a run's files; a run replaces those of an earlier run only with `overwrite`."""

    path: Path

    @property
    def model(self) -> Path:
        """The model file."""
        return self.path / "model.safetensors"

    @property
    def history(self) -> Path:
        """The history, one row per epoch."""
        return self.path / "history.csv"

    @property
    def metrics(self) -> Path:
        """The scores of the training, validation and test rows."""
        return self.path / "metrics.json"

    @property
    def predictions(self) -> Path:
        """The predictions for the test and the validation rows."""
        return self.path / "test_predictions.csv"

    @property
    def config(self) -> Path:
        """The config of the run, run.toml."""
        return self.path / "run.toml"

    @property
    def report(self) -> Path:
        """The HTML report."""
        return self.path / "report.html"

    @property
    def search(self) -> Path:
        """The journal of a search."""
        return self.path / "search.journal"

    @property
    def checkpoint(self) -> Path:
        """The checkpoint from which an interrupted training resumes."""
        return self.path / "checkpoint"

    @property
    def live(self) -> Path:
        """The address of the page that shows the training while it runs (``train --live``)."""
        return self.path / "live.url"

    @property
    def lock(self) -> Path:
        """The lock file that keeps a second run out of the folder."""
        return lock_of(self.checkpoint)

    def files(self, outputs: Outputs) -> tuple[Path, ...]:
        """Return the files that a finished run leaves."""
        files = [self.model, self.history, self.metrics, self.predictions, self.config]
        return (*files, *[self.report] * outputs.report, *[self.search] * outputs.search)

    def written(self, outputs: Outputs) -> tuple[Path, ...]:
        """Return every file that a run writes, temporary files included."""
        checkpoint = files_of(self.checkpoint) if outputs.checkpoints else ()
        return (*self.files(outputs), *checkpoint, self.lock)

    def has_checkpoint(self) -> bool:
        """Whether there is a checkpoint to resume from: the latest or the previous one."""
        return any(begins_like_checkpoint(path) for path in files_of(self.checkpoint)[:2])

    @contextlib.contextmanager
    def alone(self, argument: str) -> Iterator[FileLock]:
        """Create the folder, and lock it against other runs inside the `with` block.

        Folders created here are removed on exit if they are still empty.

        Parameters
        ----------
        argument : str
            The name of the option that gave the folder, for error messages.

        Raises
        ------
        CheckpointInUseError
            If another run holds the lock.
        FileWriteError, OSError
            If the folder cannot be created or written to.
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
        remedy: str = "--overwrite",
    ) -> None:
        """Raise if the run would overwrite another run, finished or not, or a file of the user.

        A search may continue in its own folder: a folder with the journal of a search passes, and
        `holds_search` tells whether it is the same search. Empty files never are in the way.

        Parameters
        ----------
        argument : str
            The name of the option that gave the folder, for error messages.
        outputs : Outputs
            The optional files that the run writes.
        resume : bool
            Whether the run in the folder is this one.
        overwrite : bool
            Whether these files may be replaced too; a folder of the same name is still an error.
        remedy : str
            What the user gives to overwrite them, for error messages.

        Raises
        ------
        FileWriteError
            If a file or folder is in the way; the message names it and the remedy.
        """
        if self.has_checkpoint() and not (resume or overwrite):
            raise FileWriteError(
                f"{argument}: {self.path} has the checkpoint of an unfinished run; "
                f"{calling('resume', self.path)} continues it. To start again, give {remedy}, or "
                f"choose another {argument}"
            )
        checkpoint = files_of(self.checkpoint) if outputs.checkpoints else ()
        own = resume or (outputs.search and kind_of(self.search) == "a file")
        for path in (*self.files(outputs), *checkpoint):
            kind = kind_of(path)
            if kind is None or (kind != "a folder" and overwrite):
                continue
            if kind == "a file":
                if self._is_replaceable(path, resume):
                    if own or path.stat().st_size == 0 or path in checkpoint:
                        continue
                    raise self.holds_a_run(argument, remedy)
                kind = "there, and no run of chainrule wrote it"
            advice = f"move it away, or choose another {argument}"
            if not resume and kind != "a folder":
                advice = f"choose another {argument}, or give {remedy} to replace it"
            raise FileWriteError(f"{argument}: {path} is {kind}; {advice}")

    def holds_a_run(self, argument: str, remedy: str = "--overwrite") -> FileWriteError:
        """Return the error that another run is in the folder."""
        return FileWriteError(
            f"{argument}: {self.path} holds another run; choose another {argument}, or give "
            f"{remedy} to replace that run"
        )

    def _is_replaceable(self, path: Path, resume: bool) -> bool:
        """Return whether a run wrote this file, or, of a resumed run, this run."""
        latest, previous, partial = files_of(self.checkpoint)
        if path in (latest, previous, partial):
            # A resumed run falls back from a damaged checkpoint to the previous one.
            return resume or begins_like_checkpoint(path, cut_short=path == partial)
        # A resumed run has already read run.toml, so it may replace it even if a user wrote it.
        return (resume and path == self.config) or is_of_a_run(path)

    def clear(self, outputs: Outputs, *, keep_search: bool = False) -> None:
        """Remove what a run replaces: an earlier run's other files, checkpoints, links and pipes.

        Parameters
        ----------
        outputs : Outputs
            The optional files that the run writes.
        keep_search : bool
            Whether the journal is of the same search, which continues.
        """
        for path in files_of(self.checkpoint):
            if begins_like_checkpoint(path) or outputs.checkpoints:
                path.unlink(missing_ok=True)
        for path in self.files(outputs):
            if kind_of(path) in ("a link", "no file"):
                path.unlink()
        if outputs.search and not keep_search:
            self.search.unlink(missing_ok=True)
        # What the new run does not write would be taken for its own: a report, a journal.
        for path in {self.report, self.search} - set(self.files(outputs)):
            if kind_of(path) == "a file" and is_of_a_run(path):
                path.unlink()

    def forget_checkpoint(self) -> None:
        """Remove the checkpoint of a finished run."""
        for path in files_of(self.checkpoint):
            path.unlink(missing_ok=True)

    def write_config(self, config: RunConfig, command: str) -> None:
        """Write run.toml, with the equivalent command as a comment.

        A run on a table in memory has none, since no command can name the table.
        """
        if config.data.table:
            head = f"{command}\nTo repeat the run to the bit: chainrule train --config run.toml"
        else:
            test = " --test OTHER" if config.data.test else ""
            head = (
                f"chainrule train TABLE{test} --config run.toml\ntrains with these settings on a "
                f"file; the table of this run was in memory:\n{command}"
            )
        # A column name may contain a line break, which must not end the comment.
        lines = head.split("\n")
        head = "".join(f"# {printable(line)}\n" for line in lines)
        self._write(self.config, f"{head}\n{config.to_toml()}")

    def write_scores(self, scores: Mapping[str, Mapping[str, Any]]) -> None:
        """Write the metrics."""
        text = json.dumps(scores, indent=2, ensure_ascii=False, allow_nan=False)
        self._write(self.metrics, printable_json(text) + "\n")

    def _write(self, path: Path, text: str) -> None:
        with atomic_path(path) as temporary:
            temporary.write_text(text, encoding="utf-8")
