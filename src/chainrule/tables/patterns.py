"""Patterns such as "data/*.parquet", which name several files."""

import glob
import os
from collections.abc import Sequence
from pathlib import Path

from chainrule.errors import InvalidTableError


def is_pattern(path: str | Path) -> bool:
    """Whether a path is a pattern that names several files, and no file itself."""
    return glob.has_magic(str(path)) and not os.path.exists(path)


def files_named(pattern: str | Path | Sequence[str | Path]) -> list[Path]:
    """Return the files that a path or a pattern names, or several of them, each once.

    Raises
    ------
    InvalidTableError
        If there is none.
    """
    patterns = [pattern] if isinstance(pattern, str | Path) else list(pattern)
    if not patterns:
        raise InvalidTableError("files: expected at least one file or pattern; got none")
    paths: dict[Path, None] = {}
    for one in patterns:
        found = [str(one)] if os.path.exists(one) else glob.glob(str(one), recursive=True)
        if not found:
            fault = "no file matches it" if glob.has_magic(str(one)) else "no such file"
            raise InvalidTableError(f"{one}: {fault}")
        paths.update(dict.fromkeys(map(Path, sorted(found))))
    return list(paths)


class naming_file:  # noqa: N801 - used like contextlib's
    """A context whose errors of a table name its file."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, InvalidTableError) and not str(error).startswith(self._name):
            raise InvalidTableError(f"{self._name}: {error}") from error
