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

from chainrule.errors import CheckpointWriteError, InvalidCheckpointError
from chainrule.files.checkpoint import (
    CheckpointFile,
    read_checkpoint_file,
    write_checkpoint_file,
)
from chainrule.files.locking import FileLock


class CheckpointStore:
    """The files of one checkpoint, which belong to one training at a time.

    Parameters
    ----------
    path : str or Path
        Of the latest checkpoint; the other files lie beside it. Its folder is made.

    Raises
    ------
    CheckpointInUseError
        If another training has it, in this process or in another.
    CheckpointWriteError
        If the folder cannot be made or written to.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.previous = self._beside(".previous")
        self._partial = self._beside(".partial")
        self._lock = FileLock(self._beside(".lock"))
        # A latest one that is damaged must not take the place of a good one before it.
        self._latest_is_good = True
        try:
            if self.path.is_dir():
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(self.path))
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._lock.acquire(str(self.path))
        except OSError as error:
            raise CheckpointWriteError(
                f"checkpoint: {self.path} cannot be written: {error.strerror or error}; choose a "
                "path whose folder can be written to"
            ) from error
        with contextlib.suppress(OSError):
            self._partial.unlink(missing_ok=True)

    def _beside(self, ending: str) -> Path:
        return self.path.with_name(self.path.name + ending)

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
                    f"{faults[0]}; going on from the checkpoint before it, {path}",
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
            write_checkpoint_file(self._partial, CheckpointFile(metadata, arrays))
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
        self._lock.release()


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
