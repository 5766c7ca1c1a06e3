"""A lock between processes that a dead process cannot hold."""

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
    """The right to be the only one: a file that the system locks for as long as it is open here.

    The system lets go of it when the process ends, however it ends.

    Parameters
    ----------
    path : Path
        Of the lock's own file, in a folder that is there. It holds the process's number. A file
        of that name with anything else in it is someone's, and so is a link: they are refused.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor: int | None = None

    def acquire(self, name: str, *, argument: str = "checkpoint", user: str = "training") -> None:
        """Take the lock of what is called `name`: an `argument`, which a `user` works with.

        Raises
        ------
        CheckpointInUseError
            If someone has it.
        FileWriteError
            If there is something of the lock's name that is no lock.
        OSError
            If the file cannot be made.
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
                        f"{self.path}: this file system knows no locks; take care that no second "
                        f"{user} writes to {name}"
                    ),
                    RuntimeWarning,
                    stacklevel=4,
                )
                taken = True
            if not taken:
                owner = _owner(descriptor)
                os.close(descriptor)
                raise CheckpointInUseError(
                    f"{argument}: {name} is in use by another {user}{owner}; wait for its end, or "
                    f"choose another {argument}"
                )
            if self._is_still(descriptor):
                break
            os.close(descriptor)  # whoever had it has just removed it
        self._descriptor = descriptor
        os.ftruncate(descriptor, 0)
        os.lseek(descriptor, 0, os.SEEK_SET)
        os.write(descriptor, str(os.getpid()).encode())
        _held.add(self)

    def _opened(self, argument: str) -> int:
        """Open the lock's file, which is made if it is not there."""
        if self.path.is_symlink():  # where the system cannot refuse it while it opens
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
            raise self._stranger(argument, "is there and is no lock of chainrule's")
        return descriptor

    def _stranger(self, argument: str, what: str) -> FileWriteError:
        return FileWriteError(
            f"{argument}: {self.path} {what}; move it away, or choose another {argument}"
        )

    def release(self) -> None:
        """Let go of the lock, and remove its file where that is possible."""
        if self._descriptor is None:
            return
        # Windows removes no open file; an unlocked one says nothing.
        with contextlib.suppress(OSError):
            # Before it is closed: the next one to lock a file looks whether it is still this one.
            if self._is_still(self._descriptor):
                self.path.unlink(missing_ok=True)
        self._forget()

    def _forget(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _is_still(self, descriptor: int) -> bool:
        """Whether the file that was locked is the one of that name."""
        try:
            return os.path.samestat(os.fstat(descriptor), os.lstat(self.path))
        except FileNotFoundError:
            return False


def _forget_all() -> None:
    for lock in list(_held):
        lock._forget()


# A forked child has the file open, too, and would hold the lock after its parent's death.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_all)

_BINARY = getattr(os, "O_BINARY", 0)
# A link is not followed, and a pipe of that name is not waited for.
_CAREFUL = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
# Digits of a process's number.
_LONGEST = 20
_UNKNOWN = (errno.ENOLCK, errno.ENOSYS, getattr(errno, "EOPNOTSUPP", errno.ENOSYS))

if os.name == "nt":  # pragma: no cover
    import msvcrt

    # A byte that nobody reads or writes: Windows keeps others from a locked byte altogether.
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
