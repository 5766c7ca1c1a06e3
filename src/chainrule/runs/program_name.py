"""Command lines of this program for hints, quoted so that users can paste them.

Files contain the plain program name, so that the same run writes the same bytes on every machine.
"""

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

NAME = "chainrule"


def calling(*words: str | Path) -> str:
    """Return a command line of this program that can be pasted into a shell.

    Parameters
    ----------
    *words : str or Path
        The command and its arguments; a Path that starts with - gets a ./ prefix.
    """
    arguments = [
        os.path.join(os.curdir, word)
        if isinstance(word, Path) and str(word).startswith("-")
        else str(word)
        for word in words
    ]
    return _joined([*_program(), *arguments])


def called(command: str) -> str:
    """Return a command line with the plain program name replaced by the local call."""
    first, space, rest = command.partition(" ")
    return f"{_joined(_program())}{space}{rest}" if first == NAME else command


def _program() -> list[str]:
    given = sys.argv[0] if sys.argv else ""
    started = Path(given)
    found = shutil.which(NAME)
    if started.name == "__main__.py" and started.parent.name == NAME:  # python -m chainrule
        beside = found is not None and Path(found).parent == Path(sys.executable).parent
        return [NAME] if beside else [sys.executable, "-m", NAME]
    if started.stem.lower() != NAME or (found is not None and _same(found, started)):
        return [NAME]  # a user's program has no path to give
    # Without a folder in the path, the shell would search PATH again.
    return [given if os.path.dirname(given) else os.path.join(os.curdir, given)]


def _same(one: str, other: Path) -> bool:
    try:
        return os.path.samefile(one, other)
    except OSError:
        return False


def _joined(words: list[str]) -> str:
    if os.name == "nt":
        return subprocess.list2cmdline(words)
    return " ".join(map(_quoted, words))


def _quoted(word: str) -> str:
    if word.isprintable():
        return shlex.quote(word)
    plain = set(range(32, 127)) - set(b"\\'")
    octets = word.encode("utf-8", "surrogateescape")
    return "$'" + "".join(chr(b) if b in plain else f"\\{b:03o}" for b in octets) + "'"
