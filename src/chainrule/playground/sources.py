"""What `play` is given: a table, a model, a run, or nothing; and the sessions that it opens."""

import contextlib
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from chainrule.checks import shown
from chainrule.errors import InvalidArgumentError, InvalidModelFileError, InvalidTableError
from chainrule.files.model_file import describe_model_file
from chainrule.model.network import Network
from chainrule.playground.live_address import read_address
from chainrule.playground.models import sessions_of_model
from chainrule.playground.replay import replay, replay_of_run
from chainrule.playground.session.opening import sessions_for_play
from chainrule.playground.session.sessions import Sessions
from chainrule.runs.folder import RunFolder
from chainrule.runs.loader import load
from chainrule.runs.run import Run
from chainrule.runs.table_model import TableModel


def joined(source: Any) -> str | None:
    """Return the address of the page of a training that runs in a folder; None if none does."""
    if not isinstance(source, str | Path) or not Path(source).is_dir():
        return None
    address = read_address(RunFolder(Path(source)).live)
    if address is None:
        return None
    parts = urlsplit(address)
    with (
        contextlib.suppress(OSError),
        socket.create_connection((parts.hostname or "", parts.port or 0), timeout=2),
    ):
        return address
    return None  # the training was killed, and its file is left


def opened(source: Any, target: str | None, state: Mapping[str, Any]) -> Sessions:
    """Return the sessions for a source.

    Raises
    ------
    InvalidArgumentError
        If the source is nothing to play with, or target and state do not fit it.
    InvalidTableError, InvalidModelFileError
        If a table or a model cannot be read.
    """
    if isinstance(source, str | Path):
        path = Path(source)
        if path.is_dir() or _is_model(path):
            _refuse_with_model(target, state)
            return replay(path) if path.is_dir() else sessions_of_model(load(path))
    elif isinstance(source, Run):
        _refuse_with_model(target, state)
        return replay_of_run(source)
    elif isinstance(source, Network | TableModel) or hasattr(source, "network_"):
        _refuse_with_model(target, state)
        return sessions_of_model(source)
    try:
        return sessions_for_play(source, target, dict(state))
    except (InvalidArgumentError, InvalidTableError) as error:
        if not str(error).startswith("table: "):
            raise
        raise type(error)(f"source: {str(error).removeprefix('table: ')}") from error


def _is_model(path: Path) -> bool:
    """Return whether a file is a model file, whatever its name."""
    with contextlib.suppress(InvalidModelFileError, OSError):
        describe_model_file(path)
        return True
    return path.suffix == ".safetensors"  # a damaged one: the error that loading it raises is right


def _refuse_with_model(target: str | None, state: Mapping[str, Any]) -> None:
    given = {} if target is None else {"target": target}
    given |= {**state, **state.get("settings", {})}
    for name, value in given.items():
        if name != "settings":
            raise InvalidArgumentError(
                f"{name}: expected none together with a model or a run, which has its own; got "
                f"{shown(value)}"
            )
