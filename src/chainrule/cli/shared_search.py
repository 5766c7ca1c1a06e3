"""chainrule train --search N --shared: the part of one process in a search that several share."""

import contextlib
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from chainrule.cli.messages import Teller
    from chainrule.runs.config import RunConfig
    from chainrule.runs.folder import Outputs, RunFolder
    from chainrule.runs.shared_search import SharedSearch
    from chainrule.runs.shared_study import SharedStudy
    from chainrule.runs.training import PreparedRun

_PATIENCE = 3.0
"""Seconds to wait for the folder's lock, which a process that joins holds for a moment."""


def check_shared(
    search: int | None, out: Path | None, *, overwrite: bool, workers: str | None
) -> None:
    """Raise if the options cannot be those of a process that shares a search.

    Raises
    ------
    InvalidArgumentError
    """
    from chainrule.errors import InvalidArgumentError

    if search is None:
        raise InvalidArgumentError(
            "--shared: expected --search N, the number of trials of all processes together; got "
            "none"
        )
    if out is None:
        raise InvalidArgumentError(
            "--shared: expected --out DIR, the folder that the processes share; got none"
        )
    if overwrite:
        raise InvalidArgumentError(
            "--shared: a process that joins a search replaces nothing; leave --overwrite out, and "
            "choose another --out or remove the folder for a new search"
        )
    if workers is not None:
        raise InvalidArgumentError(
            "--shared: each process trains its own trials; leave --workers out, and give the same "
            "command once more on each machine that is to take part"
        )


def share(
    config: "RunConfig",
    folder: "RunFolder",
    outputs: "Outputs",
    tell: "Teller",
    trials: int,
    limit: float | None,
    read: "Path | None",
) -> None:
    """Train trials of a shared search; the first process that ends writes and shows the result.

    `read` is another file that the run must not overwrite.
    """
    from chainrule.cli.preparation import check_files, prepared_run
    from chainrule.runs.search import Listeners
    from chainrule.runs.shared_search import SharedSearch

    check_files("--out", folder.written(outputs), config, read)
    run = prepared_run(config, tell)
    study = _joined(run, folder, outputs)
    tell.understood(run)
    display = tell.search(trials, limit)
    listeners = Listeners(display.callbacks, display.joined, display.told)
    try:
        search = SharedSearch(run, study, trials, limit, listeners)
        _take_part(search, run, folder, outputs, tell)
    finally:
        tell.close()


def _take_part(
    search: "SharedSearch",
    run: "PreparedRun",
    folder: "RunFolder",
    outputs: "Outputs",
    tell: "Teller",
) -> None:
    """Train trials, and write the result unless another process does or did."""
    from chainrule.cli.interrupts import Ended, ended
    from chainrule.cli.search_display import ended_of

    is_complete = False
    try:
        search.take_part()
        with _alone(folder) as alone:
            elsewhere = "" if alone else "another process writes the result to"
            if search.is_written and folder.model.exists() and folder.metrics.exists():
                elsewhere = "the result is in"
            if elsewhere:
                tell.close()
                tell.result_elsewhere(f"{ended_of(search.tried)}; {elsewhere}", folder)
                return
            finish = _write(search, run, folder, outputs, tell)
            is_complete = True
            finish()
    except (KeyboardInterrupt, SystemExit) as interrupt:
        if isinstance(interrupt, Ended):
            raise
        if is_complete:
            raise ended(interrupt, f"the run is complete in {folder.path}") from None
        with contextlib.suppress(OSError):  # of a terminal that was closed
            tell.close()
        left = f"{ended_of(search.tried)}, and the same command takes part in the search again"
        raise ended(interrupt, left) from None


def _write(
    search: "SharedSearch",
    run: "PreparedRun",
    folder: "RunFolder",
    outputs: "Outputs",
    tell: "Teller",
) -> "Callable[[], None]":
    """Write the best run of all processes; return what shows it."""
    from chainrule.cli.search import scored
    from chainrule.cli.writing import write_run

    found = search.found()
    tell.close()
    tell.found(found)
    trained = scored(run, found, tell)
    write_run(trained, folder, tell, outputs.report)
    search.written()
    return partial(tell.finished, found.run, trained, folder, outputs.report)


def _joined(run: "PreparedRun", folder: "RunFolder", outputs: "Outputs") -> "SharedStudy":
    """Begin the search in a folder, or join it there."""
    from chainrule.errors import CheckpointInUseError
    from chainrule.runs.search_identity import holds_search
    from chainrule.runs.shared_search import open_shared

    until = time.monotonic() + _PATIENCE
    while True:
        try:
            with folder.alone("--out"):
                _check_folder(run, folder, outputs)
                study = open_shared(run, folder.search)
                study.agree()
                return study
        except CheckpointInUseError:
            # Another process joins too, or writes the result, or has a search of its own.
            if holds_search(folder.search, run, shared=True):
                study = open_shared(run, folder.search)
                if study.is_begun:
                    study.agree()
                    return study
            if time.monotonic() >= until:
                raise
            time.sleep(0.1)


def _check_folder(run: "PreparedRun", folder: "RunFolder", outputs: "Outputs") -> None:
    """Raise if the folder holds anything but this search."""
    from chainrule.errors import InvalidArgumentError
    from chainrule.runs.leavings import kind_of
    from chainrule.runs.search_identity import holds_search

    folder.check("--out", outputs, remedy="--overwrite instead of --shared")
    if kind_of(folder.search) != "a file" or folder.search.stat().st_size == 0:
        return
    if holds_search(folder.search, run):
        raise InvalidArgumentError(
            f"--shared: the search in {folder.path} began without it; leave --shared out, or "
            "choose another --out"
        )
    if not holds_search(folder.search, run, shared=True):
        raise InvalidArgumentError(
            f"--shared: {folder.path} holds another search; give the target, options and seed that "
            "it began with, or choose another --out"
        )


@contextlib.contextmanager
def _alone(folder: "RunFolder") -> "Iterator[bool]":
    """Lock the folder in the block; yield whether it is locked, or another process writes there."""
    from chainrule.errors import CheckpointInUseError

    until = time.monotonic() + _PATIENCE
    with contextlib.ExitStack() as stack:
        while True:
            try:
                stack.enter_context(folder.alone("--out"))
            except CheckpointInUseError:
                if time.monotonic() < until:
                    time.sleep(0.1)
                    continue
                locked = False
            else:
                locked = True
            break
        yield locked
