"""The journal of a search that several processes share, on one machine or on several.

Each process appends its entries under a lock, and reads those of the others. The lock is Optuna's
`JournalFileOpenLock`, a file beside the journal that only one process can create (O_EXCL, from
NFSv3 on): locks of the operating system may be local to a machine on a network drive, and Optuna's
symbolic link waits for ever after a kill if machines have the drive at different paths. A killed
process may leave the file; the next one removes it when it has been there for `_GRACE` seconds.

Source: Optuna, `optuna.storages.journal`, "Distributed Optimization via NFS".
"""

import contextlib
import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from optuna.storages.journal import BaseJournalBackend, JournalFileOpenLock

from chainrule.errors import InvalidArgumentError
from chainrule.runs.journal import OPENING_FLAGS, entry_of, is_cut_short
from chainrule.runs.journal_entries import Entries, EntryError

_GRACE = 15
"""Seconds; an entry is written in milliseconds, and by a slow network drive in one or two."""


class SharedJournal(BaseJournalBackend):
    """A backend of Optuna's `JournalStorage` for several processes; it checks every entry.

    Parameters
    ----------
    path : Path
        The journal file, created if missing.

    Raises
    ------
    InvalidArgumentError
        If it is no journal.
    OSError
        If the file cannot be read or written.
    """

    def __init__(self, path: Path) -> None:
        # An absolute path, so that a later change of the working directory has no effect.
        self.path = Path(os.path.abspath(path))
        self._name = str(path)
        self._lock = JournalFileOpenLock(str(self.path), _GRACE)
        self._is_locked = False
        self._logs: list[dict[str, Any]] = []
        self._entries, self._end = Entries(), 0
        self._place: dict[int, int] = {}
        self._first: os.stat_result | None = None
        os.close(self._opened(os.O_RDWR | os.O_CREAT))

    def place_of(self, trial_id: int) -> int:
        """Return how many trials ended before a trial that has ended: alike in all processes."""
        return self._place[trial_id]

    def read_logs(self, log_number_from: int) -> Iterator[dict[str, Any]]:
        """Return the entries from an index on, those of other processes included."""
        if not self._read_more():
            # What another process is writing may arrive in parts over a network drive. Under the
            # lock, nobody writes.
            with self.locked():
                if not self._read_more():
                    raise self.unusable(f"its line {len(self._logs) + 1} is no entry of a journal")
        return iter(self._logs[log_number_from:])

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        """Append entries: all of them, or none if an error occurs."""
        lines = "".join(json.dumps(log, separators=(",", ":")) + "\n" for log in logs).encode()
        with self.locked():
            descriptor = self._opened(os.O_RDWR | os.O_APPEND)
            try:
                end = os.lseek(descriptor, 0, os.SEEK_END)
                try:
                    rest = memoryview(lines)
                    while rest:
                        rest = rest[os.write(descriptor, rest) :]
                except BaseException:
                    # A full disk must not leave half a line, after which the next would follow.
                    with contextlib.suppress(OSError):
                        os.ftruncate(descriptor, end)
                    raise
            finally:
                os.close(descriptor)

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Lock the journal in the block, and flush its entries to disk at the end.

        Whoever waits for the lock looks for it seldom, so a process with many entries appends them
        in one block.
        """
        if self._is_locked:
            yield
            return
        self._lock.acquire()
        self._is_locked = True
        try:
            self._repair()
            yield
            descriptor = self._opened(os.O_RDWR)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        finally:
            self._is_locked = False
            # It is gone if this process was stopped for so long that another one removed it.
            with contextlib.suppress(RuntimeError):
                self._lock.release()

    def unusable(self, what: str) -> InvalidArgumentError:
        """Return the error that says why this journal cannot be resumed."""
        return InvalidArgumentError(
            f"search: {self._name} cannot be gone on with: {what}. Choose another --out to begin "
            "anew"
        )

    def _opened(self, flags: int) -> int:
        """Open the file anew, which makes a network drive show what others have written."""
        if self.path.is_symlink():  # its target may not be a journal
            raise self.unusable("it is a link")
        try:
            descriptor = os.open(self.path, flags | OPENING_FLAGS, 0o666)
        except FileNotFoundError as error:
            raise self.unusable("it was removed during the search") from error
        found = os.fstat(descriptor)
        fault = ""
        if not stat.S_ISREG(found.st_mode):
            fault = "it is no file"
        elif not os.path.samestat(self._first or found, found) or found.st_size < self._end:
            fault = "it was replaced during the search"
        if fault:
            os.close(descriptor)
            raise self.unusable(fault)
        self._first = found
        return descriptor

    def _read_more(self) -> bool:
        """Read what is new; return whether all whole lines of it are entries."""
        with open(self._opened(os.O_RDONLY), "rb") as file:
            file.seek(self._end)
            for line in file:
                if not line.endswith(b"\n"):
                    return True  # another process is writing it, or was killed
                entry = entry_of(line)
                if entry is None:
                    return False
                self._take(entry)
                self._end += len(line)
        return True

    def _take(self, entry: dict[str, Any]) -> None:
        try:
            self._entries.check(entry)
        except EntryError as fault:
            raise self.unusable(f"its line {len(self._logs) + 1} {fault}") from fault
        # Operation 6 sets a trial's state, of which 0 is running.
        if entry["op_code"] == 6 and entry["state"] != 0:
            self._place[entry["trial_id"]] = len(self._place)
        self._logs.append(entry)

    def _repair(self) -> None:
        """Remove a truncated last line, under the lock, under which nobody is writing it."""
        with open(self._opened(os.O_RDWR), "rb+") as file:
            file.seek(self._end)
            end = self._end
            for line in file:
                if entry_of(line) is None:
                    if file.read(1) or not is_cut_short(line):
                        return  # more than a truncated line, which the next reading refuses
                    file.truncate(end)
                    return
                end += len(line)
