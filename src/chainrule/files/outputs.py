"""Checks, before any work starts, that a command's outputs do not overwrite its inputs."""

import os
import stat
from collections.abc import Iterable
from pathlib import Path

from chainrule.checks import file_path
from chainrule.errors import FileWriteError, InvalidArgumentError, InvalidModelFileError
from chainrule.files.atomic import destination

Named = tuple[str, str | Path]
"""A file's name in messages, such as "--out" or "TABLE", and its path."""


def check_outputs(outputs: Iterable[Named], inputs: Iterable[Named] = ()) -> None:
    """Raise if an output cannot be written, or is an input, a model or another output.

    Other files of these names are replaced: the user named them as the output.

    Raises
    ------
    InvalidArgumentError, FileWriteError, OSError
        As `check_apart` and `check_writable` do.
    """
    outputs = list(outputs)
    check_apart(outputs, inputs)
    for name, given in outputs:
        path = file_path(name, given)
        check_writable(name, path)
        if _is_model(path):
            raise FileWriteError(
                f"{name}: {path} is a model file, which no other output may replace; choose "
                "another name"
            )


def check_apart(outputs: Iterable[Named], inputs: Iterable[Named] = ()) -> None:
    """Raise if an output is an input or another output.

    Two names are the same file if links, hard links included, lead both to it. Devices and pipes do
    not count: a terminal may be both read and written.

    Raises
    ------
    InvalidArgumentError
        If an output is an input, two outputs are the same file, or one of them is not a path.
    """
    read = [(name, file_path(name, path), _identity(path)) for name, path in inputs]
    written: list[tuple[str, Path, object]] = []
    for name, given in outputs:
        path, identity = file_path(name, given), _identity(given)
        for other, its_path, its_identity in read:
            if identity == its_identity:
                also = "" if its_path == path else f", under the name {its_path}"
                raise InvalidArgumentError(
                    f"{name}: {path} would be overwritten, but is read as {other}{also}; "
                    "choose another name"
                )
        for other, its_path, its_identity in written:
            if identity == its_identity:
                raise InvalidArgumentError(
                    f"{name}: {path} is the same file as {its_path} of {other}; choose another name"
                )
        written.append((name, path, identity))


def check_writable(name: str, path: Path) -> None:
    """Raise unless a file can be written there, as far as can be told in advance.

    Raises
    ------
    FileWriteError, OSError
        If it cannot.
    """
    place = destination(path)
    if place.through:
        return
    folder = place.path.parent
    if not folder.is_dir():
        raise FileWriteError(
            f"{name}: {path} cannot be written: there is no folder {path.parent}; create it first"
        )
    if not os.access(folder, os.W_OK):
        raise FileWriteError(
            f"{name}: {path} cannot be written: the folder {folder} is not writable"
        )


def _is_model(path: Path) -> bool:
    from chainrule.files.model_file import describe_model_file

    try:
        return path.is_file() and bool(describe_model_file(path))
    except (InvalidModelFileError, OSError):
        return False


def _identity(path: str | Path) -> object:
    """Return an object that is equal for two names of one file, and unique for anything else."""
    try:
        found = os.stat(path)
    except OSError:
        return os.path.realpath(path)
    return (found.st_dev, found.st_ino) if stat.S_ISREG(found.st_mode) else object()
