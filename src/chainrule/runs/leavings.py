"""Tells files written by a run of chainrule from a user's files of the same names.

A run replaces the files of an earlier run, but not a user's own `history.csv`. Each kind of file is
therefore recognised by content that only a run writes.
"""

import csv
import json
import os
import stat
from collections.abc import Callable
from itertools import islice
from pathlib import Path

from chainrule.errors import InvalidModelFileError
from chainrule.files.model_file import describe_model_file

# The largest metrics.json to read into memory; a run writes far smaller ones.
_LONGEST = 2**28
_LAST_COLUMNS = ["penalty", "learning_rate", "gradient_norm", "seconds"]


def kind_of(path: Path) -> str | None:
    """Return "a file", "a folder", "a link" or "no file" (a pipe, …); None if nothing is there."""
    try:
        mode = os.lstat(path).st_mode
    except FileNotFoundError:
        return None
    if stat.S_ISREG(mode):
        return "a file"
    return "a folder" if stat.S_ISDIR(mode) else "a link" if stat.S_ISLNK(mode) else "no file"


def is_of_a_run(path: Path) -> bool:
    """Return whether a run wrote this file, or it is empty and nothing would be lost.

    Raises
    ------
    OSError
        If the file cannot be read.
    """
    return path.stat().st_size == 0 or _SIGNS[path.name](path)


def _is_model(path: Path) -> bool:
    """Return whether a file has a table model; a run never saves a network without a table."""
    try:
        return "target" in describe_model_file(path).metadata
    except InvalidModelFileError:
        return False


def _is_history(path: Path) -> bool:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            header = next(csv.reader(islice(file, 1)), [])
    except (UnicodeDecodeError, csv.Error):
        return False
    return header[:2] == ["epoch", "loss"] and header[-4:] == _LAST_COLUMNS


def _is_metrics(path: Path) -> bool:
    if path.stat().st_size > _LONGEST:
        return False
    try:
        scores = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        return False
    return (
        isinstance(scores, dict)
        and scores.keys() == {"train", "validation", "test"}
        and all(isinstance(part, dict) and "rows" in part for part in scores.values())
    )


def _begins(*signs: bytes) -> Callable[[Path], bool]:
    def is_so(path: Path) -> bool:
        with path.open("rb") as file:
            start = file.read(2**16)
        return start.startswith(signs[0]) and all(sign in start for sign in signs)

    return is_so


_SIGNS: dict[str, Callable[[Path], bool]] = {
    "model.safetensors": _is_model,
    "history.csv": _is_history,
    "metrics.json": _is_metrics,
    "test_predictions.csv": _begins(b"part,row,", b"target,prediction"),
    "run.toml": _begins(b"# chainrule train "),
    "report.html": _begins(b"<!doctype html>", b": model report</title>"),
    "search.journal": _begins(b"{"),
}
