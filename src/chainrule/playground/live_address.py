"""The address of a running training's page, in a file that only its user can read."""

import contextlib
import os
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from chainrule.errors import FileWriteError
from chainrule.files.atomic import create
from chainrule.playground.server.address import is_loopback

_LONGEST = 500
_ADDRESS = re.compile(r"http://(?:[\w.-]+|\[[0-9a-fA-F:.]+\]):[1-9][0-9]{0,4}/")


@contextlib.contextmanager
def written_address(path: Path, url: str) -> Iterator[None]:
    """Keep an address in a file within the block; the file is removed at its end.

    Raises
    ------
    FileWriteError
        If something else than such a file is there.
    """
    if read_address(path) is not None:  # of a training that was killed
        path.unlink(missing_ok=True)
    try:
        descriptor = create(path, 0o600)
    except FileExistsError:
        raise FileWriteError(
            f"--live: {path} is there, and no run of chainrule wrote it; move it away"
        ) from None
    with open(descriptor, "w", encoding="utf-8") as file:
        file.write(f"{url}\n")
    try:
        yield
    finally:
        if read_address(path) == url:  # and not that of another training, after this one
            path.unlink(missing_ok=True)


def read_address(path: Path) -> str | None:
    """Return the address in a file; None if chainrule wrote no such file.

    The file may come from somebody else, together with the folder of a run, so only the address of
    a page of this machine is returned.
    """
    with contextlib.suppress(OSError, UnicodeDecodeError, ValueError):
        with open(os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0)), "rb") as file:
            text = file.read(_LONGEST).decode("ascii").strip()
        # Nothing but what `url_of` writes: browsers read other addresses differently than Python.
        if _ADDRESS.fullmatch(text) and is_loopback(urlsplit(text).hostname or ""):
            return text
    return None
