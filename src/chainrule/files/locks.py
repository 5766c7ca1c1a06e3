"""A lock between processes that is released when its process dies."""

import contextlib
import errno
import os
import stat
import warnings
import weakref
from pathlib import Path

from chainrule.errors import CheckpointInUseError, FileWriteError
from chainrule.printable import printable

_held: "weakref.WeakSet[FileLock]" = weakref.WeakSet()


class FileLock:
    """An exclusive lock: a file that the system keeps locked as long as this process has it open.

    The system releases it when the process ends, however it ends.

    Parameters
    ----------
    path : Path
        The lock file, in an existing folder. It holds the process id. A file with any other content
        and a link are not ours, and are refused.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor: int | None = None

    def acquire(self, name: str, *, argument: str = "checkpoint", user: str = "training") -> None:
        """Take the lock.

        Parameters
        ----------
        name : str
            What the lock protects, for messages.
        argument : str
            The argument that gave `name`, for messages.
        user : str
            What holds such a lock, for messages.

        Raises
        ------
        CheckpointInUseError
            If the lock is taken.
        FileWriteError
            If the lock file's name is taken by something that is not a lock.
        OSError
            If the file cannot be created.
        """
        while True:
            descriptor = self._opened(argument)
            try:
                taken = _take(descriptor)
            except OSError as error:
                if error.errno not in _UNKNOWN:
                    os.close(descriptor)
                    raise
                warnings.warn(
                    printable(
                        f"{self.path}: this file system does not support locks; make sure that no "
                        f"second {user} writes to {name}"
                    ),
                    RuntimeWarning,
                    stacklevel=4,
                )
                taken = True
            if not taken:
                owner = _owner(descriptor)
                os.close(descriptor)
                raise CheckpointInUseError(
                    f"{argument}: {name} is in use by another {user}{owner}; wait for it to end, "
                    f"or choose another {argument}"
                )
            if self._is_still(descriptor):
                break
            os.close(descriptor)  # the previous holder has just removed the file: try again
        self._descriptor = descriptor
        os.ftruncate(descriptor, 0)
        os.lseek(descriptor, 0, os.SEEK_SET)
        os.write(descriptor, str(os.getpid()).encode())
        _held.add(self)

    def _opened(self, argument: str) -> int:
        """Open the lock file, creating it if necessary."""
        if self.path.is_symlink():  # for systems that lack O_NOFOLLOW
            raise self._stranger(argument, "is a link")
        flags = os.O_RDWR | os.O_CREAT | _BINARY | _CAREFUL
        try:
            descriptor = os.open(self.path, flags, 0o666)
        except OSError as error:
            if error.errno == errno.ELOOP and self.path.is_symlink():
                raise self._stranger(argument, "is a link") from error
            raise
        found = os.fstat(descriptor)
        content = os.read(descriptor, _LONGEST + 1) if stat.S_ISREG(found.st_mode) else b"?"
        number = len(content) <= _LONGEST and (not content or content.isdigit())
        if found.st_nlink > 1 or not number:
            os.close(descriptor)
            raise self._stranger(argument, "exists and is not a chainrule lock")
        return descriptor

    def _stranger(self, argument: str, what: str) -> FileWriteError:
        return FileWriteError(
            f"{argument}: {self.path} {what}; move it away, or choose another {argument}"
        )

    def release(self) -> None:
        """Release the lock, and remove its file where that is possible."""
        if self._descriptor is None:
            return
        # Windows cannot remove an open file; one that is left unlocked does no harm.
        with contextlib.suppress(OSError):
            # Removed before it is closed: the next process to lock it then sees, in `acquire`, that
            # its file is gone.
            if self._is_still(self._descriptor):
                self.path.unlink(missing_ok=True)
        self._forget()

    def _forget(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _is_still(self, descriptor: int) -> bool:
        """Tell whether the path still names the file that was locked."""
        try:
            return os.path.samestat(os.fstat(descriptor), os.lstat(self.path))
        except FileNotFoundError:
            return False


def _forget_all() -> None:
    for lock in list(_held):
        lock._forget()


# A forked child inherits the open file, and would hold the lock after its parent's death.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_all)

_BINARY = getattr(os, "O_BINARY", 0)
# Links are not followed, and opening a pipe of that name does not block.
_CAREFUL = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
# Digits of a process id.
_LONGEST = 20
_UNKNOWN = (errno.ENOLCK, errno.ENOSYS, getattr(errno, "EOPNOTSUPP", errno.ENOSYS))

if os.name == "nt":  # pragma: no cover
    import msvcrt

    # A byte beyond the content: Windows lets no other process even read a locked byte.
    _PLACE = 2**30

    def _take(descriptor: int) -> bool:
        os.lseek(descriptor, _PLACE, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
        except PermissionError:
            return False
        finally:
            os.lseek(descriptor, 0, os.SEEK_SET)
        return True

else:
    import fcntl

    def _take(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def _owner(descriptor: int) -> str:
    os.lseek(descriptor, 0, os.SEEK_SET)
    text = os.read(descriptor, _LONGEST).decode("ascii", "replace")
    return f" (process {text})" if text.isdecimal() else ""
