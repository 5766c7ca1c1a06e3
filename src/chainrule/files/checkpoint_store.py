"""The files of a checkpoint: the latest and the one before, at least one of them always intact.

A checkpoint is written to `NAME.partial` and synchronised; then the latest is renamed to
`NAME.previous`, the new one to `NAME`, and the folder is synchronised. Whenever the process dies,
one of the two is intact: the latest or, between the two renames, the one before it.
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
    """The files of one checkpoint, which one training at a time may use.

    Parameters
    ----------
    path : str or Path
        The latest checkpoint; the other files lie beside it. Its folder is created if missing.
    lock : FileLock, optional
        The checkpoint's lock, if the caller holds it already; the caller then releases it.

    Raises
    ------
    CheckpointInUseError
        If another training uses the checkpoint, in this process or in another.
    CheckpointWriteError
        If the folder cannot be created or written to.
    FileWriteError
        If the name of one of the files is taken by something else.
    """

    def __init__(self, path: str | Path, lock: FileLock | None = None) -> None:
        self.path = Path(path)
        self.previous = self._beside(".previous")
        self._partial = self._beside(".partial")
        self._lock = FileLock(lock_of(self.path)) if lock is None else lock
        self._is_mine = lock is None
        # A damaged latest checkpoint must not be renamed over an intact previous one.
        self._latest_is_good = True
        try:
            if self.path.is_dir():
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(self.path))
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with contextlib.suppress(FileNotFoundError):
                os.lstat(self.previous)  # the longest of the names: raises if it is too long
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
        """Remove what a killed write left behind, but no unrelated file of that name."""
        if not os.path.lexists(self._partial):
            return
        if not begins_like_checkpoint(self._partial, cut_short=True):
            self.close()
            raise FileWriteError(
                f"checkpoint: {self._partial} exists and is not part of a checkpoint; move it "
                "away, or choose another checkpoint"
            )
        with contextlib.suppress(OSError):
            self._partial.unlink()

    def _beside(self, ending: str) -> Path:
        return beside(self.path, ending)

    def exists(self) -> bool:
        """Tell whether there is a checkpoint, intact or not."""
        return self.path.exists() or self.previous.exists()

    def load(self) -> CheckpointFile | None:
        """Return the latest intact checkpoint, or None if there is no checkpoint.

        If the latest one is damaged or missing and the previous one is used, a warning says so.

        Raises
        ------
        InvalidCheckpointError
            If there are checkpoints and none of them is intact.
        """
        faults: list[str] = []
        for path in (self.path, self.previous):
            if not path.exists():
                faults += [f"{path}: is missing"] if path == self.path else []
                continue
            try:
                found = read_checkpoint_file(path)
            except InvalidCheckpointError as error:
                faults.append(str(error))
                continue
            if path == self.previous:
                self._latest_is_good = False
                warnings.warn(
                    printable(f"{faults[0]}; resuming from the previous checkpoint, {path}"),
                    RuntimeWarning,
                    stacklevel=2,
                )
            return found
        if not self.exists():
            return None
        raise InvalidCheckpointError(
            f"checkpoint: none is intact ({'; '.join(faults)}). Remove these files to start over, "
            "or restore them from a backup"
        )

    def save(self, metadata: Mapping[str, str], arrays: Mapping[str, NDArray[Any]]) -> None:
        """Write a new latest checkpoint; the one so far becomes the previous one.

        Parameters
        ----------
        metadata : mapping
            Strings by name.
        arrays : mapping
            Arrays of floats or integers by name; not copied.

        Raises
        ------
        CheckpointWriteError
            If it cannot be written; the last intact checkpoint is kept.
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
        # The disk may be full: what was written of the new checkpoint only takes up space.
        with contextlib.suppress(OSError):
            self._partial.unlink(missing_ok=True)
        good = [self.path, self.previous] if self._latest_is_good else [self.previous]
        kept = next((path for path in good if path.exists()), None)
        standing = f"the last one, {kept}, is intact" if kept else "there is none yet"
        remedy = "Check the disk"
        if error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)):
            size = sum(array.nbytes for array in arrays.values()) / 2**20
            remedy = f"Free at least {size:,.1f} MiB"
        failure = CheckpointWriteError(
            f"checkpoint: {self.path} cannot be written: {error.strerror or error}; {standing}. "
            f"{remedy}, and repeat the call with resume=True"
        )
        failure.errno = error.errno
        return failure

    def close(self) -> None:
        """Release the checkpoint for other trainings."""
        if self._is_mine:
            self._lock.release()


def beside(path: Path, ending: str) -> Path:
    """Return the path of a file that belongs to a checkpoint."""
    return path.with_name(path.name + ending)


def lock_of(path: Path) -> Path:
    """Return the path of a checkpoint's lock file."""
    return beside(path, ".lock")


def files_of(path: Path) -> tuple[Path, ...]:
    """Return the paths of a checkpoint's files, without its lock."""
    return path, beside(path, ".previous"), beside(path, ".partial")


def _settle(folder: Path) -> None:
    """Synchronise the folder's entries to disk, where the system supports it."""
    if os.name == "nt":  # pragma: no cover
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        # Some file systems cannot synchronise folders.
        if error.errno not in (errno.EINVAL, errno.EBADF, getattr(errno, "ENOTSUP", errno.EINVAL)):
            raise
    finally:
        os.close(descriptor)
