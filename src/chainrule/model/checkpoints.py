"""Opening the checkpoint of a `fit` from its arguments checkpoint, every and resume."""

from pathlib import Path

from chainrule.checks import file_path
from chainrule.communication.agreement import anywhere, same_outcome
from chainrule.communication.communicator import Communicator
from chainrule.errors import InvalidArgumentError
from chainrule.files.checkpoint_store import CheckpointStore
from chainrule.files.locks import FileLock
from chainrule.training.checkpointer import Checkpointer, Content
from chainrule.training.interval import Interval
from chainrule.training.ranks import Unwritten, shared_content

DEFAULT_EVERY = "60s"


def open_checkpointer(
    checkpoint: str | Path | None,
    every: int | str,
    resume: bool,
    lock: FileLock | None = None,
    communicator: Communicator | None = None,
) -> Checkpointer | None:
    """Return the checkpointer of a training, or None if no checkpoints are to be written.

    It locks the checkpoint until its `close`. The arguments and errors are those of `open_store`.
    Of several ranks, only the first one reads and writes files; the others receive what it read.
    """
    store: CheckpointStore | None = None
    found: Content | None = None
    wanted = anywhere(communicator, checkpoint is not None)
    try:
        with same_outcome(communicator):
            if wanted and checkpoint is None:
                raise InvalidArgumentError(
                    "checkpoint: expected a path on all ranks, because one has it; got None"
                )
            if communicator is None or communicator.rank == 0:
                store = open_store(checkpoint, every, resume, lock)
                found = None if store is None else store.load()
        if checkpoint is None:
            return None
        if communicator is not None:
            found = shared_content(communicator, found)
        return Checkpointer(store or Unwritten(Path(checkpoint)), every, found)
    except BaseException:
        if store is not None:
            store.close()
        raise


def open_store(
    checkpoint: str | Path | None, every: int | str, resume: bool, lock: FileLock | None = None
) -> CheckpointStore | None:
    """Return the files of a checkpoint, or None if no checkpoints are to be written.

    They are locked until its `close`.

    Parameters
    ----------
    checkpoint : str or Path, optional
        The latest checkpoint; `checkpoint`.previous and `checkpoint`.lock lie beside it.
    every : int or str
        A number of steps, or a time.
    resume : bool
        Whether to resume from an existing checkpoint.
    lock : FileLock, optional
        The checkpoint's lock, if the caller holds it already.

    Raises
    ------
    InvalidArgumentError
        If an argument is invalid, or a checkpoint exists and `resume` is False.
    CheckpointInUseError
        If another training uses the checkpoint.
    CheckpointWriteError
        If its folder cannot be written to.
    FileWriteError
        If the name of a file beside it is taken by something else.
    InvalidCheckpointError
        If there are checkpoints and none of them is intact.
    """
    if not isinstance(resume, bool):
        raise InvalidArgumentError(f"resume: expected True or False; got {resume!r}")
    if checkpoint is None:
        if resume:
            raise InvalidArgumentError(
                "resume: expected False without checkpoint=; got True. Give the checkpoint's path"
            )
        return None
    if not isinstance(checkpoint, str | Path) or not Path(checkpoint).name:
        raise InvalidArgumentError(
            f"checkpoint: expected the path of a file such as 'run/ckpt'; got {checkpoint!r}"
        )
    file_path("checkpoint", checkpoint)
    Interval(every)
    store = CheckpointStore(checkpoint, lock)
    if not resume and store.exists():
        store.close()
        raise InvalidArgumentError(
            f"checkpoint: {checkpoint} exists already; resume=True continues from it. To start "
            f"over, remove it and {store.previous.name} beside it, or choose another path"
        )
    return store
