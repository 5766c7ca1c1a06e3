"""Atomic writes: a file appears whole or not at all. Every file of the package is written here.

What the name refers to decides how:

- nothing, or a regular file: a new file is written beside it and renamed over it. It keeps the old
  file's mode, and its owner where the system allows it; other hard links keep the old content.
- a symbolic link: its target is written, as any program that opens the name would do.
- a character device or a pipe (`/dev/stdout`, a FIFO): written through, once all of the content is
  there.
- anything else (a folder, a socket, a block device): refused.
"""

import contextlib
import errno
import os
import secrets
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from chainrule.checks import file_path
from chainrule.errors import FileWriteError

_NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0)
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NO_FOLLOW | getattr(os, "O_BINARY", 0)
# Writers such as matplotlib read the format from the suffix, and none of theirs is longer. A longer
# suffix is dropped, since a temporary name must not exceed the file system's limit.
_LONGEST_SUFFIX = 16
# The extended attribute in which Linux keeps a file's access control list (ACL).
_ACCESS_LIST = "system.posix_acl_access"
_UNSUITABLE = (
    (stat.S_ISSOCK, "is a socket, and no file can be written there; choose another name"),
    (stat.S_ISBLK, "is a block device, and no file can be written there; choose another name"),
)


class Destination(NamedTuple):
    """Where content written to a name ends up."""

    path: Path
    """The file to replace, with links resolved; or a device or pipe, as it was given."""
    through: bool
    """Whether the path is opened and written to instead of being replaced."""
    descriptor: int | None = None
    """The descriptor, if the name refers to an open file of this process, such as /dev/stdout."""


def destination(path: str | Path) -> Destination:
    """Return where content written to a name ends up; nothing is opened or changed.

    Raises
    ------
    InvalidArgumentError
        If `path` is not a path.
    FileWriteError
        If the name refers to something that cannot be written as a file.
    OSError
        If it is a folder or a read-only file, or its status cannot be read.
    """
    path = file_path("path", path)
    try:
        found = os.stat(path)
    except FileNotFoundError:  # nothing there, or a dangling link
        found = None
    descriptor = None if found is None else _descriptor(path)
    if descriptor is not None:
        return Destination(path, True, descriptor)
    if found is not None:
        if stat.S_ISDIR(found.st_mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
        for is_so, what in _UNSUITABLE:
            if is_so(found.st_mode):
                raise FileWriteError(f"{path}: {what}")
        if not os.access(path, os.W_OK):
            raise PermissionError(
                errno.EACCES, "Permission denied: the file exists and is read-only", str(path)
            )
        if not stat.S_ISREG(found.st_mode):
            return Destination(path, True)
    _check_links(path)
    return Destination(Path(os.path.realpath(path)), False)


@contextlib.contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """Yield the name of an empty temporary file, which replaces `path` at the end of the block.

    If the block fails, the temporary file is removed and `path` stays as it was. The file and its
    folder entry are synchronised to disk, so a power loss leaves either the old file or the new.

    Raises
    ------
    InvalidArgumentError, FileWriteError, OSError
        As `destination` does, and if the system refuses.
    """
    place = destination(path)
    with _named(path), _spooled(place) if place.through else _replacing(place.path) as temporary:
        yield temporary


@contextlib.contextmanager
def _replacing(path: Path) -> Iterator[Path]:
    temporary = _created_beside(path)
    try:
        yield temporary
        with temporary.open("rb+") as file:
            adopt(file.fileno(), path)
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    settle(path.parent)


@contextlib.contextmanager
def _spooled(place: Destination) -> Iterator[Path]:
    """Yield a temporary file, and copy it to a device or pipe when the block succeeds."""
    with tempfile.TemporaryDirectory(prefix="chainrule-") as folder:
        temporary = Path(folder) / f"output{_suffix(place.path)}"
        temporary.touch()
        yield temporary
        if place.descriptor is None:
            descriptor = os.open(place.path, os.O_WRONLY | getattr(os, "O_BINARY", 0))
        else:
            # Text still in Python's buffers must precede the file's content.
            for stream in (sys.stdout, sys.stderr):
                if stream is not None:
                    stream.flush()
            descriptor = os.dup(place.descriptor)
        with temporary.open("rb") as source, open(descriptor, "wb") as target:
            shutil.copyfileobj(source, target)


def _created_beside(path: Path) -> Path:
    """Create an empty file in the folder of `path`."""
    # A replacement for a private file must be private from its first byte; a new file gets the
    # user's default permissions.
    mode = 0o600 if path.exists() else 0o666
    while True:
        temporary = path.with_name(f".chainrule-{secrets.token_hex(6)}{_suffix(path)}")
        try:
            os.close(create(temporary, mode))
        except FileExistsError:
            continue
        except (KeyboardInterrupt, SystemExit):  # the file may have been created
            temporary.unlink(missing_ok=True)
            raise
        return temporary


def create(path: Path, mode: int = 0o666) -> int:
    """Create a new file and open it for writing; no link is followed.

    Raises
    ------
    FileExistsError
        If the name is taken.
    OSError
        If the system refuses.
    """
    return os.open(path, _NEW, mode)


def adopt(descriptor: int, path: Path) -> None:
    """Give an open file the mode, owner and access list of the file that it will replace.

    Where the owner or the group cannot be kept, nobody gains rights. If `path` is not a regular
    file, nothing happens.
    """
    try:
        old = os.lstat(path)
    except OSError:
        return
    if not stat.S_ISREG(old.st_mode) or not hasattr(os, "fchown"):
        return
    mode = stat.S_IMODE(old.st_mode) & 0o777
    if old.st_uid != os.fstat(descriptor).st_uid:
        with contextlib.suppress(OSError):
            os.fchown(descriptor, old.st_uid, -1)
    if old.st_gid != os.fstat(descriptor).st_gid:
        try:
            os.fchown(descriptor, -1, old.st_gid)
        except OSError:
            # The file keeps our group, which gets the rights of everyone else and no more.
            mode &= ~0o070 | (mode & 0o007) << 3
    os.fchmod(descriptor, mode)
    if hasattr(os, "getxattr"):
        # With an access list, the mode's group bits are its mask: without the list, the group
        # would gain the rights of everyone named in it.
        with contextlib.suppress(OSError):
            os.setxattr(descriptor, _ACCESS_LIST, os.getxattr(path, _ACCESS_LIST))


def settle(folder: Path) -> None:
    """Synchronise a folder's entries to disk, where the system supports it."""
    # Windows cannot open folders, and some file systems cannot synchronise them.
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY | getattr(os, "O_DIRECTORY", 0))
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _suffix(path: Path) -> str:
    return path.suffix if len(os.fsencode(path.suffix)) <= _LONGEST_SUFFIX else ""


def _links(path: Path) -> Iterator[Path]:
    """Yield a name and, as long as it is a link, the name it points to."""
    for _ in range(40):  # Linux's own limit
        yield path
        if not path.is_symlink():
            return
        path = path.parent / os.readlink(path)


def _descriptor(path: Path) -> int | None:
    """Return the descriptor if a name refers to an open file of this process, such as /dev/stdout.

    Other programs may share that file (`(a; chainrule …; b) > file`), so it must not be replaced.
    """
    if os.name != "posix":
        return None
    own = ("/dev/fd", os.path.realpath("/dev/fd"), os.path.realpath("/proc/self/fd"))
    for name in _links(path):
        if name.name.isdecimal() and os.path.realpath(name.parent) in own:
            return int(name.name)
    return None


def _check_links(path: Path) -> None:
    """Raise for a link that another user left in a folder that everybody may write to, as /tmp.

    Linux itself refuses to open a file through such a link (protected_symlinks), but here links are
    resolved before anything is opened.
    """
    if not hasattr(os, "geteuid"):
        return
    for name in _links(path):
        if not name.is_symlink():
            return
        folder = os.stat(name.parent)
        everybodys = folder.st_mode & stat.S_ISVTX and folder.st_mode & stat.S_IWOTH
        if everybodys and os.lstat(name).st_uid not in (os.geteuid(), folder.st_uid):
            raise FileWriteError(
                f"{path}: is a link that another user put into a folder that everybody may write "
                "to; choose another name"
            )


@contextlib.contextmanager
def _named(path: str | Path) -> Iterator[None]:
    """Make the system's errors name the requested file instead of a temporary one."""
    try:
        yield
    except FileWriteError:
        raise
    except OSError as error:
        name = error.filename
        temporary = isinstance(name, str) and Path(name).name.startswith(".chainrule-")
        if error.errno is not None and (name is None or temporary):
            error.filename, error.filename2 = str(path), None
        raise
