"""The journal of a search: one JSON line per event, locked by one search at a time.

Optuna's own file backend locks its journal with a link beside it. A killed process leaves the link
behind, and the next process waits for a lock that nobody holds. That backend also cannot append
after a truncated line. Here the operating system holds the lock, and a truncated last line is
dropped.
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
    """A backend of Optuna's `JournalStorage`; a context manager with exclusive use of its file.

    Parameters
    ----------
    path : Path
        The journal file, created if missing; its lock file is beside it while a search runs.
    """

    def __init__(self, path: Path) -> None:
        # An absolute path, so that a later change of the working directory has no effect.
        self.path = Path(os.path.abspath(path))
        self._name = str(path)
        self._lock = FileLock(self.path.with_name(self.path.name + ".in-use"))

    def __enter__(self) -> Self:
        """Lock the journal, and read its entries.

        Raises
        ------
        CheckpointInUseError
            If another search holds the lock.
        InvalidArgumentError
            If the file is not a journal.
        OSError
            If the file cannot be read or written.
        """
        self._lock.acquire(self._name, argument="--out", user="search")
        try:
            if self.path.is_symlink():  # its target may not be a journal
                raise self.unusable("it is a link")
            self._file = os.open(self.path, os.O_RDWR | os.O_CREAT | OPENING_FLAGS, 0o666)
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
        """Close the journal and release its lock."""
        os.close(self._file)
        self._lock.release()

    def _read(self) -> tuple[list[dict[str, Any]], int]:
        """Return the entries and the offset of the next one; it replaces a truncated last line."""
        if not stat.S_ISREG(os.fstat(self._file).st_mode):
            raise self.unusable("it is no file")
        found: list[dict[str, Any]] = []
        end = 0
        with open(self._file, "rb", closefd=False) as file:
            for line in file:
                entry = entry_of(line)
                if entry is None:
                    if file.read(1) or not is_cut_short(line):
                        raise self.unusable(f"its line {len(found) + 1} is no entry of a journal")
                    break
                found.append(entry)
                end += len(line)
        return found, end

    def unusable(self, what: str) -> InvalidArgumentError:
        """Return the error that says why this journal cannot be resumed."""
        return InvalidArgumentError(
            f"search: {self._name} cannot be gone on with: {what}. Remove it to begin anew, or "
            "choose another --out"
        )

    def read_logs(self, log_number_from: int) -> Iterator[dict[str, Any]]:
        """Return the entries from an index on; Optuna requests those it has not read yet."""
        return iter(self._logs[log_number_from:])

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        """Append entries and flush them to disk: all of them, or none if an error occurs."""
        lines = "".join(json.dumps(log, separators=(",", ":")) + "\n" for log in logs).encode()
        try:
            os.ftruncate(self._file, self._end)
            os.lseek(self._file, self._end, os.SEEK_SET)
            rest = memoryview(lines)
            while rest:
                rest = rest[os.write(self._file, rest) :]
            os.fsync(self._file)
        except BaseException:
            # A full disk must not leave half a line, after which the next entry would be appended.
            with contextlib.suppress(OSError):
                os.ftruncate(self._file, self._end)
            raise
        self._end += len(lines)
        self._logs += [json.loads(line) for line in lines.splitlines()]


def entry_of(line: bytes) -> dict[str, Any] | None:
    """Return the entry of a whole line; None if it has none."""
    if not line.endswith(b"\n"):
        return None
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return entry if isinstance(entry, dict) else None


def is_cut_short(line: bytes) -> bool:
    """Return whether a line is a truncated entry; a power failure may leave zero bytes instead."""
    line = line.rstrip(b"\0\n")
    return line[: len(_BEGINNING)] == _BEGINNING[: len(line)]


_BEGINNING = b'{"op_code":'

# O_NONBLOCK: opening a pipe must not wait for a process at its other end.
OPENING_FLAGS = (
    getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0)
)
