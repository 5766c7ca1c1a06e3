"""The checkpoint of a `fit`, from its three arguments."""

from pathlib import Path

from chainrule.checks import file_path
from chainrule.errors import InvalidArgumentError
from chainrule.files.checkpoint_store import CheckpointStore
from chainrule.files.locks import FileLock
from chainrule.training.checkpointer import Checkpointer
from chainrule.training.interval import Interval

DEFAULT_EVERY = "60s"


def open_checkpointer(
    checkpoint: str | Path | None, every: int | str, resume: bool, lock: FileLock | None = None
) -> Checkpointer | None:
    """Return who writes the checkpoints of a training, or None where there are to be none.

    It has the checkpoint to itself until its `close`.

    Parameters
    ----------
    checkpoint : str or Path, optional
        Of the latest checkpoint; `checkpoint`.previous and `checkpoint`.lock lie beside it.
    every : int or str
        A number of steps, or a time.
    resume : bool
        Whether to go on from a checkpoint that is there.
    lock : FileLock, optional
        That of the checkpoint, if the caller has it already.

    Raises
    ------
    InvalidArgumentError
        If an argument cannot be used, or a checkpoint is there and `resume` is False.
    CheckpointInUseError
        If another training has it.
    CheckpointWriteError
        If its folder cannot be written to.
    FileWriteError
        If a name beside it belongs to something else.
    InvalidCheckpointError
        If there are checkpoints and none of them is good.
    """
    if not isinstance(resume, bool):
        raise InvalidArgumentError(f"resume: expected True or False; got {resume!r}")
    if checkpoint is None:
        if resume:
            raise InvalidArgumentError("resume: nothing to resume from; give checkpoint=, a path")
        return None
    if not isinstance(checkpoint, str | Path) or not Path(checkpoint).name:
        raise InvalidArgumentError(
            f"checkpoint: expected the path of a file such as 'run/ckpt'; got {checkpoint!r}"
        )
    file_path("checkpoint", checkpoint)
    Interval(every)
    store = CheckpointStore(checkpoint, lock)
    try:
        if not resume and store.exists():
            raise InvalidArgumentError(
                f"checkpoint: {checkpoint} is there already; resume=True goes on from it. To begin "
                f"anew, remove it and {store.previous.name} beside it, or choose another path"
            )
        return Checkpointer(store, every, store.load())
    except BaseException:
        store.close()
        raise
