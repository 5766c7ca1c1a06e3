"""The journal of a search: a line of JSON for each event, kept by one search at a time.

Optuna's own file backend locks its journal with a link beside it, which a process that is killed
leaves behind: the next one waits for a lock that nobody holds. And it cannot go on behind a line
that was cut short. Here the system holds the lock, and such a line is dropped.
"""

import contextlib
import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

from optuna.storages.journal import BaseJournalBackend

from chainrule.errors import InvalidArgumentError
from chainrule.files.locks import FileLock


class Journal(BaseJournalBackend):
    """What Optuna's `JournalStorage` reads and appends to; a context that has its file to itself.

    Parameters
    ----------
    path : Path
        Made if it is not there; the lock lies beside it while a search is at work.
    """

    def __init__(self, path: Path) -> None:
        # Whoever changes the working directory meanwhile changes nothing here.
        self.path = Path(os.path.abspath(path))
        self._name = str(path)
        self._lock = FileLock(self.path.with_name(self.path.name + ".in-use"))

    def __enter__(self) -> Self:
        """Take the journal, and read what it has.

        Raises
        ------
        CheckpointInUseError
            If another search has it.
        InvalidArgumentError
            If it is no journal.
        OSError
            If it cannot be read or written.
        """
        self._lock.acquire(self._name, argument="--out", user="search")
        try:
            if self.path.is_symlink():  # to a file that is something else
                raise self.unusable("it is a link")
            self._file = os.open(self.path, os.O_RDWR | os.O_CREAT | _FLAGS, 0o666)
            try:
                self._logs, self._end = self._read()
            except BaseException:
                os.close(self._file)
                raise
        except BaseException:
            self._lock.release()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """Let others have it."""
        os.close(self._file)
        self._lock.release()

    def _read(self) -> tuple[list[dict[str, Any]], int]:
        """Return the entries, and where the next one goes: in place of a last one cut short."""
        if not stat.S_ISREG(os.fstat(self._file).st_mode):
            raise self.unusable("it is no file")
        found: list[dict[str, Any]] = []
        end = 0
        with open(self._file, "rb", closefd=False) as file:
            for line in file:
                entry = _entry(line)
                if entry is None:
                    if file.read(1) or not _is_cut_short(line):
                        raise self.unusable(f"its line {len(found) + 1} is no entry of a journal")
                    break
                found.append(entry)
                end += len(line)
        return found, end

    def unusable(self, what: str) -> InvalidArgumentError:
        """Return the error that says why this journal cannot be gone on with."""
        return InvalidArgumentError(
            f"search: {self._name} cannot be gone on with: {what}. Remove it to begin anew, or "
            "choose another --out"
        )

    def read_logs(self, log_number_from: int) -> Iterator[dict[str, Any]]:
        """Return the entries from a number on; Optuna asks for what it has not heard of."""
        return iter(self._logs[log_number_from:])

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        """Write entries, and have them on the disk when this returns; or none of them."""
        lines = "".join(json.dumps(log, separators=(",", ":")) + "\n" for log in logs).encode()
        try:
            os.ftruncate(self._file, self._end)
            os.lseek(self._file, self._end, os.SEEK_SET)
            rest = memoryview(lines)
            while rest:
                rest = rest[os.write(self._file, rest) :]
            os.fsync(self._file)
        except BaseException:
            # A full disk must not leave half a line for the next one to begin behind.
            with contextlib.suppress(OSError):
                os.ftruncate(self._file, self._end)
            raise
        self._end += len(lines)
        self._logs += [json.loads(line) for line in lines.splitlines()]


def _entry(line: bytes) -> dict[str, Any] | None:
    if not line.endswith(b"\n"):
        return None
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return entry if isinstance(entry, dict) else None


def _is_cut_short(line: bytes) -> bool:
    """Whether this may be the beginning of an entry; where the power failed, of zeros instead."""
    line = line.rstrip(b"\0\n")
    return line[: len(_BEGINNING)] == _BEGINNING[: len(line)]


_BEGINNING = b'{"op_code":'

# What is no file is opened without waiting for whoever is at its other end.
_FLAGS = getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0)
