"""The start of train and resume: the folder of a run, and its table, read and encoded."""

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from chainrule.cli.messages import Teller
    from chainrule.files.locks import FileLock
    from chainrule.runs.config import RunConfig
    from chainrule.runs.folder import Outputs, RunFolder
    from chainrule.runs.run_fit import Checkpointing
    from chainrule.runs.training import PreparedRun


@contextlib.contextmanager
def ready(
    argument: str,
    folder: "RunFolder | None",
    outputs: "Outputs",
    config: "RunConfig",
    every: str,
    tell: "Teller",
    read: "Path | None" = None,
    *,
    overwrite: bool = False,
    resume: bool = False,
) -> "Iterator[tuple[PreparedRun, RunFolder, Checkpointing | None]]":
    """Yield a run, its folder, which is locked inside the `with` block, and its checkpointing.

    Without a folder, a new one is created; a search without a folder continues in the newest one
    with the same search. `read` is another file that the run must not overwrite.
    """
    from chainrule.runs.numbered_folder import PARENT, name_of, new_folder
    from chainrule.training.interval import Interval

    if outputs.checkpoints:
        Interval(every)  # before anything is written
    with contextlib.ExitStack() as stack:
        run = None
        if folder is None and outputs.search:
            run = prepared_run(config, tell)
            folder = _with_search(run)
        if folder is None:
            name = name_of(config.data.table, config.data.target)
            folder = stack.enter_context(new_folder(PARENT, name))
        check_files(argument, folder.written(outputs), config, read)
        lock = stack.enter_context(folder.alone(argument))
        folder.check(argument, outputs, overwrite=overwrite, resume=resume)
        if run is None:
            run = prepared_run(config, tell)
        goes_on = outputs.search and _goes_on(run, folder, argument, overwrite)
        if overwrite:
            folder.clear(outputs, keep_search=goes_on)
        yield run, folder, _checkpointing(folder, outputs, every, resume, lock)


def prepared_run(config: "RunConfig", tell: "Teller") -> "PreparedRun":
    """Read a run's table, and divide and encode it."""
    from chainrule.runs.training import PreparedRun

    with tell.working(f"reading {Path(config.data.table).name}"):
        return PreparedRun.prepare(config)


def _checkpointing(
    folder: "RunFolder", outputs: "Outputs", every: str, resume: bool, lock: "FileLock"
) -> "Checkpointing | None":
    from chainrule.runs.run_fit import Checkpointing

    if not outputs.checkpoints:
        return None
    return Checkpointing(folder.checkpoint, every, resume, lock)


def _with_search(run: "PreparedRun") -> "RunFolder | None":
    """Return the newest numbered folder that has trials of the same search."""
    from chainrule.runs.numbered_folder import PARENT, earlier_folders, name_of
    from chainrule.runs.search_identity import holds_search

    name = name_of(run.config.data.table, run.config.data.target)
    folders = earlier_folders(PARENT, name)
    return next((one for one in folders if holds_search(one.search, run)), None)


def _goes_on(run: "PreparedRun", folder: "RunFolder", argument: str, overwrite: bool) -> bool:
    """Return whether the folder has the same search; raise if it has another one."""
    from chainrule.errors import InvalidArgumentError
    from chainrule.runs.leavings import kind_of
    from chainrule.runs.search_identity import holds_search

    goes_on = holds_search(folder.search, run)
    other = kind_of(folder.search) == "a file" and folder.search.stat().st_size > 0
    if other and not overwrite and holds_search(folder.search, run, shared=True):
        raise InvalidArgumentError(
            f"{argument}: {folder.path} holds a search that began with --shared; add --shared to "
            f"take part in it, or choose another {argument}"
        )
    if other and not goes_on and not overwrite:
        raise folder.holds_a_run(argument)
    return goes_on


def check_files(
    argument: str, outputs: "Sequence[Path]", config: "RunConfig", read: "Path | None"
) -> None:
    """Raise if a run would write one of the files that it reads; `read` is the --config."""
    from chainrule.files.outputs import check_apart

    inputs = [("TABLE", config.data.table), ("--test", config.data.test), ("--config", read)]
    check_apart(
        [(argument, path) for path in outputs], [(name, path) for name, path in inputs if path]
    )
