"""train and resume on the ranks that mpiexec has started: the first one prints and writes."""

import contextlib
import warnings
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from chainrule.communication.communicator import Communicator
    from chainrule.runs.config import RunConfig
    from chainrule.runs.folder import RunFolder
    from chainrule.runs.run_fit import Checkpointing
    from chainrule.runs.training import PreparedRun


def ranks_of_process() -> "Communicator | None":
    """Return the communicator of the ranks that this process is one of; None if it is alone."""
    from chainrule.communication.launching import launched
    from chainrule.communication.mpi import mpi
    from chainrule.training.ranks import several

    return several(mpi()) if launched() else None


def check_ranks(communicator: "Communicator", *, best: bool, searches: bool, live: bool) -> None:
    """Raise if a command trains many networks, or shows a page."""
    from chainrule.errors import InvalidArgumentError

    asked = {"--quality best": best, "--search and --time-limit": searches, "--live": live}
    for option, is_asked in asked.items():
        if is_asked:
            raise InvalidArgumentError(
                f"{option}: {communicator.size} ranks train one network together; leave mpiexec or "
                "the option out"
            )


@contextlib.contextmanager
def begun(
    beginning: "AbstractContextManager[tuple[PreparedRun, RunFolder, Checkpointing | None]]",
    communicator: "Communicator | None",
) -> "Iterator[tuple[PreparedRun, RunFolder, Checkpointing | None]]":
    """Yield what the beginning of a command yields; raise on all ranks if one cannot begin."""
    from chainrule.communication.agreement import same_outcome

    with contextlib.ExitStack() as stack:
        with same_outcome(communicator):
            run, folder, checkpointing = stack.enter_context(beginning)
        if communicator is not None:
            size = communicator.size
            note = f"{size} ranks train the network: a step takes {size} times --batch-size rows"
            run = replace(run, notes=(*run.notes, note))
        yield run, folder, checkpointing


def follow(
    communicator: "Communicator",
    config: "RunConfig",
    checkpoint: Path | None,
    every: str,
    *,
    resume: bool = False,
) -> None:
    """Train with the first rank, which prints and writes for all; print and write nothing.

    `checkpoint` is None without checkpoints.
    """
    from chainrule.communication.agreement import same_outcome
    from chainrule.runs.run_fit import Checkpointing
    from chainrule.runs.training import PreparedRun

    checkpointing = None if checkpoint is None else Checkpointing(checkpoint, every, resume)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with same_outcome(communicator):
            run = PreparedRun.prepare(config)
        run.train((), checkpointing, communicator=communicator)
