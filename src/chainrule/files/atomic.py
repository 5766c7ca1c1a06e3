"""Writing a file so that it is there whole or not at all: every file of the package goes this way.

What a name stands for decides how:

- nothing, or a regular file: a new file is written beside it and renamed to it. It has the old
  one's mode, and its owner where the system allows that; another hard link keeps the old content.
- a link: its target, as for any program that opens the name.
- a character device or a pipe (`/dev/stdout`, a FIFO): written through, once all of it is there.
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
# A suffix tells writers such as matplotlib the format; none of theirs is longer, and a temporary
# name must not be longer than the file system takes.
_LONGEST_SUFFIX = 16
# What Linux calls the lists of users and groups that may read a file beside its mode.
_ACCESS_LIST = "system.posix_acl_access"
_UNSUITABLE = (
    (stat.S_ISSOCK, "is a socket, which is no place for a file; choose another name"),
    (stat.S_ISBLK, "is a block device, which is no place for a file; choose another name"),
)


class Destination(NamedTuple):
    """Where what is written to a name goes."""

    path: Path
    """Of a file to replace, links resolved; of a device or pipe, as it was given."""
    through: bool
    """Whether it is opened and written to, and not replaced."""
    descriptor: int | None = None
    """Of the open file of this process that the name stands for, such as /dev/stdout."""


def destination(path: str | Path) -> Destination:
    """Tell where what is written to a name goes; nothing is opened or changed.

    Raises
    ------
    InvalidArgumentError
        If it is no path.
    FileWriteError
        If it is nothing that a file can be written to.
    OSError
        If it is a folder, or a file that must not be written, or the system does not say.
    """
    path = file_path("path", path)
    try:
        found = os.stat(path)
    except FileNotFoundError:  # nothing, or a link to nothing
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
                errno.EACCES, "Permission denied: it is there and may not be written", str(path)
            )
        if not stat.S_ISREG(found.st_mode):
            return Destination(path, True)
    _check_links(path)
    return Destination(Path(os.path.realpath(path)), False)


@contextlib.contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """Yield the name of an empty temporary file; put it in the place of `path` at the end.

    If the block fails, the temporary file is removed and whatever was at `path` stays. After the
    block, a loss of power leaves the old file or the new one: both the file and its name in the
    folder are on the disk.

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
    temporary, descriptor = _created_beside(path)
    os.close(descriptor)
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
            # What was printed before comes before.
            for stream in (sys.stdout, sys.stderr):
                if stream is not None:
                    stream.flush()
            descriptor = os.dup(place.descriptor)
        with temporary.open("rb") as source, open(descriptor, "wb") as target:
            shutil.copyfileobj(source, target)


def _created_beside(path: Path) -> tuple[Path, int]:
    """Make an empty file in the folder of `path`, and open it to write."""
    # The content of a private file is private from its first byte on; a new file is as public as
    # any that its user makes.
    mode = 0o600 if path.exists() else 0o666
    while True:
        temporary = path.with_name(f".chainrule-{secrets.token_hex(6)}{_suffix(path)}")
        with contextlib.suppress(FileExistsError):
            return temporary, create(temporary, mode)


def create(path: Path, mode: int = 0o666) -> int:
    """Make a file that is not there yet, and open it to write; no link is followed.

    Raises
    ------
    FileExistsError
        If there is anything of that name.
    OSError
        If the system refuses.
    """
    return os.open(path, _NEW, mode)


def adopt(descriptor: int, path: Path) -> None:
    """Give an open file the mode, the owner and the access list of the file that it will replace.

    Where the owner or the group cannot be kept, nobody may do more than before. Nothing happens
    where no regular file is to be replaced.
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
            # Another group may do what everyone may, and no more.
            mode &= ~0o070 | (mode & 0o007) << 3
    os.fchmod(descriptor, mode)
    if hasattr(os, "getxattr"):
        # Without the list, the group would have the rights of everyone on it.
        with contextlib.suppress(OSError):
            os.setxattr(descriptor, _ACCESS_LIST, os.getxattr(path, _ACCESS_LIST))


def settle(folder: Path) -> None:
    """Write a folder's names to the disk, where the system can do that."""
    # Windows opens no folders, and some file systems synchronise none.
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY | getattr(os, "O_DIRECTORY", 0))
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _suffix(path: Path) -> str:
    return path.suffix if len(os.fsencode(path.suffix)) <= _LONGEST_SUFFIX else ""


def _links(path: Path) -> Iterator[Path]:
    """Yield a name and, as long as it is a link, what that names."""
    for _ in range(40):  # as many as Linux follows
        yield path
        if not path.is_symlink():
            return
        path = path.parent / os.readlink(path)


def _descriptor(path: Path) -> int | None:
    """Return the number of the open file of this process that a name stands for, if it is one.

    Such a file is another program's as well (`(a; chainrule …; b) > file`), and must stay the same.
    """
    if os.name != "posix":
        return None
    own = ("/dev/fd", os.path.realpath("/dev/fd"), os.path.realpath("/proc/self/fd"))
    for name in _links(path):
        if name.name.isdecimal() and os.path.realpath(name.parent) in own:
            return int(name.name)
    return None


def _check_links(path: Path) -> None:
    """Raise for a link that someone else left where everybody may leave one, such as /tmp.

    Linux refuses to open a file through one; here links are resolved before anything is opened.
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
                f"{path}: is a link that another user left in a folder for all; choose another name"
            )


@contextlib.contextmanager
def _named(path: str | Path) -> Iterator[None]:
    """Let the system's errors name the file that was asked for, not a temporary one."""
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
