"""Where a checkpoint lies: the latest, the one before, and never a moment without either.

A checkpoint is written to `NAME.partial` and synchronised, the latest is renamed to
`NAME.previous`, the new one to `NAME`, and the folder synchronised. Whatever ends the process,
one of the last two is whole: the latest, or, between the renames, the one before it.
"""

import contextlib
import errno
import os
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from chainrule.errors import CheckpointWriteError, FileWriteError, InvalidCheckpointError
from chainrule.files.checkpoint import (
    CheckpointFile,
    begins_like_checkpoint,
    read_checkpoint_file,
    write_checkpoint_file,
)
from chainrule.files.locks import FileLock
from chainrule.printable import printable


class CheckpointStore:
    """The files of one checkpoint, which belong to one training at a time.

    Parameters
    ----------
    path : str or Path
        Of the latest checkpoint; the other files lie beside it. Its folder is made.
    lock : FileLock, optional
        That of this checkpoint, if the caller has it already; it stays the caller's.

    Raises
    ------
    CheckpointInUseError
        If another training has it, in this process or in another.
    CheckpointWriteError
        If the folder cannot be made or written to.
    FileWriteError
        If one of the files' names belongs to something else.
    """

    def __init__(self, path: str | Path, lock: FileLock | None = None) -> None:
        self.path = Path(path)
        self.previous = self._beside(".previous")
        self._partial = self._beside(".partial")
        self._lock = FileLock(lock_of(self.path)) if lock is None else lock
        self._is_mine = lock is None
        # A latest one that is damaged must not take the place of a good one before it.
        self._latest_is_good = True
        try:
            if self.path.is_dir():
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(self.path))
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with contextlib.suppress(FileNotFoundError):
                os.lstat(self.previous)  # the longest of the names, which may be too long
            if self._is_mine:
                self._lock.acquire(str(self.path))
        except FileWriteError:
            raise
        except OSError as error:
            remedy = "a path whose folder can be written to"
            if error.errno == errno.ENAMETOOLONG:
                remedy = f"a shorter name, since {self.previous.name} lies beside it"
            raise CheckpointWriteError(
                f"checkpoint: {self.path} cannot be written: {error.strerror or error}; choose "
                f"{remedy}"
            ) from error
        self._clear()

    def _clear(self) -> None:
        """Remove what a killed write left, and nothing else of its name."""
        if not os.path.lexists(self._partial):
            return
        if not begins_like_checkpoint(self._partial, cut_short=True):
            self.close()
            raise FileWriteError(
                f"checkpoint: {self._partial} is there and is no part of a checkpoint; move it "
                "away, or choose another checkpoint"
            )
        with contextlib.suppress(OSError):
            self._partial.unlink()

    def _beside(self, ending: str) -> Path:
        return beside(self.path, ending)

    def exists(self) -> bool:
        """Whether there is a checkpoint, good or not."""
        return self.path.exists() or self.previous.exists()

    def load(self) -> CheckpointFile | None:
        """Return the latest checkpoint that is good, with a warning if it is not the latest.

        None: there is none.

        Raises
        ------
        InvalidCheckpointError
            If there are checkpoints, and none of them is good.
        """
        faults: list[str] = []
        for path in (self.path, self.previous):
            if not path.exists():
                faults += [f"{path}: is not there"] if path == self.path else []
                continue
            try:
                found = read_checkpoint_file(path)
            except InvalidCheckpointError as error:
                faults.append(str(error))
                continue
            if path == self.previous:
                self._latest_is_good = False
                warnings.warn(
                    printable(f"{faults[0]}; going on from the checkpoint before it, {path}"),
                    RuntimeWarning,
                    stacklevel=2,
                )
            return found
        if not self.exists():
            return None
        raise InvalidCheckpointError(
            f"checkpoint: no good one is left ({'; '.join(faults)}). Remove these files to begin "
            "anew, or restore them from a backup"
        )

    def save(self, metadata: Mapping[str, str], arrays: Mapping[str, NDArray[Any]]) -> None:
        """Put a checkpoint in the latest one's place, and the latest in that of the one before.

        Parameters
        ----------
        metadata : mapping
            Texts by name.
        arrays : mapping
            Arrays of floats or whole numbers by name; not copied.

        Raises
        ------
        CheckpointWriteError
            If the system refuses; a checkpoint that was there is there still.
        """
        try:
            content = CheckpointFile(metadata, arrays)
            write_checkpoint_file(self._partial, content, replaces=self.path)
            if self._latest_is_good and self.path.exists():
                os.replace(self.path, self.previous)
            os.replace(self._partial, self.path)
            self._latest_is_good = True
            _settle(self.path.parent)
        except OSError as error:
            raise self._failure(error, arrays) from error

    def _failure(self, error: OSError, arrays: Mapping[str, NDArray[Any]]) -> CheckpointWriteError:
        # A full disk is glad of the space.
        with contextlib.suppress(OSError):
            self._partial.unlink(missing_ok=True)
        good = [self.path, self.previous] if self._latest_is_good else [self.previous]
        kept = next((path for path in good if path.exists()), None)
        standing = f"the last good one, {kept}, is intact" if kept else "there is none yet"
        remedy = "Look at the disk"
        if error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)):
            size = sum(array.nbytes for array in arrays.values()) / 2**20
            remedy = f"Free {size:,.1f} MiB at least"
        failure = CheckpointWriteError(
            f"checkpoint: {self.path} cannot be written: {error.strerror or error}; {standing}. "
            f"{remedy}, and run the same again with resume=True"
        )
        failure.errno = error.errno
        return failure

    def close(self) -> None:
        """Let others have it."""
        if self._is_mine:
            self._lock.release()


def beside(path: Path, ending: str) -> Path:
    """Return the path of a file that belongs to a checkpoint."""
    return path.with_name(path.name + ending)


def lock_of(path: Path) -> Path:
    """Return the path of the lock of a checkpoint."""
    return beside(path, ".lock")


def files_of(path: Path) -> tuple[Path, ...]:
    """Return the paths of a checkpoint's files, without its lock."""
    return path, beside(path, ".previous"), beside(path, ".partial")


def _settle(folder: Path) -> None:
    """Have the folder's names on the disk, where the system can do that."""
    if os.name == "nt":  # pragma: no cover
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        # Some file systems synchronise no folders.
        if error.errno not in (errno.EINVAL, errno.EBADF, getattr(errno, "ENOTSUP", errno.EINVAL)):
            raise
    finally:
        os.close(descriptor)
