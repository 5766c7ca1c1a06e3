"""New folders for runs: runs/adult_train-income-1, -2, …, each claimed by one process.

A folder is named by the table and the target, so that a list of folders says what was trained, and
numbered, so that no run replaces another. `mkdir` is atomic: two runs that start at the same time
get two folders.
"""

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path

from chainrule.runs.folder import RunFolder

PARENT = Path("runs")
"""Where runs are written without --out, relative to the working directory."""

_LONGEST = 40


def name_of(table: str, target: str) -> str:
    """Return the folder's name without its number; letters, digits, - and _ of any alphabet.

    Examples
    --------
    >>> from chainrule.runs.numbered_folder import name_of
    >>> name_of("data/adult_train.csv", "income"), name_of("-", "price in €")
    ('adult_train-income', 'table-price_in')
    >>> name_of("data/flights/*.parquet", "delay")
    'flights-delay'
    """
    path = Path(table)
    stem = re.sub(r"\.(gz|csv|tsv|txt|parquet|arrow|feather|jsonl|ndjson)$", "", path.name)
    if not _plain(stem):  # a pattern that names all files of a folder
        stem = path.parent.name
    return "-".join(_plain(text) or other for text, other in ((stem, "table"), (target, "target")))


def _plain(text: str) -> str:
    """Return a text without characters that a shell, a path or a terminal may interpret."""
    return re.sub(r"[^\w-]+", "_", text)[:_LONGEST].strip("-_")


def earlier_folders(parent: Path, name: str) -> list[RunFolder]:
    """Return the folders with this name and a number, the highest number first."""
    with contextlib.suppress(OSError):
        numbers = [_number(path, name) for path in parent.iterdir()]
        return [RunFolder(parent / f"{name}-{n}") for n in sorted(filter(None, numbers))[::-1]]
    return []


def _number(path: Path, name: str) -> int:
    found = re.fullmatch(r"-([1-9][0-9]{0,8})", path.name.removeprefix(name))
    return int(found[1]) if found and path.name.startswith(name) else 0


@contextlib.contextmanager
def new_folder(parent: Path, name: str) -> Iterator[RunFolder]:
    """Create the folder with the next number; if it is still empty on exit, it is removed.

    Raises
    ------
    OSError
        If the folder cannot be created.
    """
    made_parent = not parent.exists()
    folder = _created(parent, name)
    try:
        yield folder
    finally:
        with contextlib.suppress(OSError):
            folder.path.rmdir()
            if made_parent:
                parent.rmdir()


def _created(parent: Path, name: str) -> RunFolder:
    earlier = earlier_folders(parent, name)
    number = 1 + _number(earlier[0].path, name) if earlier else 1
    while True:
        folder = RunFolder(parent / f"{name}-{number}")
        try:
            parent.mkdir(parents=True, exist_ok=True)
            folder.path.mkdir()
        except FileExistsError:
            if not parent.is_dir():
                raise
            number += 1  # another process was faster
        except FileNotFoundError:
            # Another process has just removed the parent: its only folder had stayed empty.
            if parent.is_symlink():
                raise
        else:
            return folder
