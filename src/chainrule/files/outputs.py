"""What a command writes, held against what it reads, before anything starts."""

import os
import stat
from collections.abc import Iterable
from pathlib import Path

from chainrule.checks import file_path
from chainrule.errors import FileWriteError, InvalidArgumentError
from chainrule.files.atomic import destination

Named = tuple[str, str | Path]
"""What a person calls a file, such as "--out" or "TABLE", and its path."""


def check_outputs(outputs: Iterable[Named], inputs: Iterable[Named] = ()) -> None:
    """Raise unless every output can be written, and none is an input or another output.

    Raises
    ------
    InvalidArgumentError, FileWriteError, OSError
        As `check_apart` and `check_writable` do.
    """
    outputs = list(outputs)
    check_apart(outputs, inputs)
    for name, path in outputs:
        check_writable(name, file_path(name, path))


def check_apart(outputs: Iterable[Named], inputs: Iterable[Named] = ()) -> None:
    """Raise if an output is an input or another output.

    Two names are one file if they lead to it by links, hard links included. Devices and pipes are
    no files in this sense: a terminal may be read and written.

    Raises
    ------
    InvalidArgumentError
        If an output is an input, two outputs are one file, or one of them is no path.
    """
    read = [(name, file_path(name, path), _identity(path)) for name, path in inputs]
    written: list[tuple[str, Path, object]] = []
    for name, given in outputs:
        path, identity = file_path(name, given), _identity(given)
        for other, its_path, its_identity in read:
            if identity == its_identity:
                also = "" if its_path == path else f", under the name {its_path}"
                raise InvalidArgumentError(
                    f"{name}: {path} would be replaced, and is read as {other}{also}; "
                    "write somewhere else"
                )
        for other, its_path, its_identity in written:
            if identity == its_identity:
                raise InvalidArgumentError(
                    f"{name}: {path} is the same file as {its_path} of {other}; choose another name"
                )
        written.append((name, path, identity))


def check_writable(name: str, path: Path) -> None:
    """Raise unless a file could be written there, as far as can be told beforehand.

    Raises
    ------
    FileWriteError, OSError
        If it could not.
    """
    place = destination(path)
    if place.through:
        return
    folder = place.path.parent
    if not folder.is_dir():
        raise FileWriteError(
            f"{name}: {path} cannot be written: there is no folder {path.parent}; make it first"
        )
    if not os.access(folder, os.W_OK):
        raise FileWriteError(
            f"{name}: {path} cannot be written: the folder {folder} may not be written to"
        )


def _identity(path: str | Path) -> object:
    """Return what two names of one file have in common; for anything else, something unique."""
    try:
        found = os.stat(path)
    except OSError:
        return os.path.realpath(path)
    return (found.st_dev, found.st_ino) if stat.S_ISREG(found.st_mode) else object()
