"""The program as whoever reads a hint can start it again: its name, its commands, quoted.

What is written to files keeps the plain name, so that the same run has the same bytes everywhere.
"""

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

NAME = "chainrule"


def calling(*words: str | Path) -> str:
    """Return a command line of this program that works as it stands.

    Parameters
    ----------
    *words : str or Path
        The command and its arguments; a path never looks like an option.
    """
    arguments = [
        os.path.join(os.curdir, word)
        if isinstance(word, Path) and str(word).startswith("-")
        else str(word)
        for word in words
    ]
    return _joined([*_program(), *arguments])


def called(command: str) -> str:
    """Return a command line that was written with the plain name, as it is called here."""
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
        return [NAME]  # from a program of a user's there is no path to tell
    # Without a folder in it, the shell would look for it on PATH again.
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
