"""What ranks agree on, so that all of them make the same collective calls.

Whatever decides how many steps a rank takes, and when it ends, must be the same on every rank, and
times, callbacks and errors are not. Without a communicator, a process agrees with itself.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray

from chainrule.communication.communicator import Communicator
from chainrule.errors import ChainruleError, RankError, TrainingDivergedError


def least(communicator: Communicator | None, *numbers: int) -> tuple[int, ...]:
    """Return the smallest of each number over all ranks."""
    if communicator is None:
        return numbers
    return tuple(int(number) for number in _gathered(communicator, *numbers).min(axis=0))


def anywhere(communicator: Communicator | None, flag: bool) -> bool:
    """Return whether the flag is set on any rank."""
    return not least(communicator, int(not flag))[0]


def shared_bytes(communicator: Communicator, data: bytes, root: int = 0) -> bytes:
    """Return the data of rank `root`, of any length."""
    length = np.array([len(data)], np.int64)
    communicator.broadcast(length, root)
    content = np.zeros(int(length[0]), np.uint8)
    if communicator.rank == root:
        content[:] = np.frombuffer(data, np.uint8)
    if content.size:
        communicator.broadcast(content, root)
    return content.tobytes()


def shared_text(communicator: Communicator, text: str, root: int = 0) -> str:
    """Return the text of rank `root`."""
    encoded = text.encode("utf-8", "surrogatepass")
    return shared_bytes(communicator, encoded, root).decode("utf-8", "surrogatepass")


@contextmanager
def same_outcome(communicator: Communicator | None) -> Iterator[None]:
    """Raise on all ranks if the block raises an error on one of them.

    The block makes no collective call. What is no `Exception`, such as Ctrl-C, ends all ranks.

    Raises
    ------
    RankError
        If the block of another rank failed; it names the rank, and has its message.
    """
    if communicator is None:
        yield
        return
    error = None
    with ending_all(communicator):
        try:
            yield
        except Exception as raised:
            error = raised
        failed = _gathered(communicator, int(error is not None))[:, 0]
        first = int(failed.argmax())
        text = "" if error is None else f"{error}" or type(error).__name__
        if failed.any():
            text = shared_text(communicator, text, first)
    if error is not None:
        raise error
    if failed.any():
        raise RankError(f"rank {first} of {communicator.size} failed: {text}")


@contextmanager
def failing_together(communicator: Communicator | None) -> Iterator[None]:
    """Raise a `RankError` on all ranks if the block raises an error on one of them.

    Unlike after `same_outcome`, all ranks go on from the same kind of error, so that a training
    ends on all of them as on one.

    Raises
    ------
    RankError
        If the block of any rank failed; it names a rank, and has its message.
    """
    try:
        with same_outcome(communicator):
            yield
    except RankError:
        raise
    except Exception as error:
        if communicator is None or communicator.size == 1:
            raise
        rank = f"rank {communicator.rank} of {communicator.size}"
        raise RankError(f"{rank} failed: {_reason(error)}") from error


@contextmanager
def ending_all(communicator: Communicator | None) -> Iterator[None]:
    """End all ranks if the block ends with an exception on this one.

    The exceptions are `RankError` and `TrainingDivergedError`, which all ranks raise.
    """
    try:
        yield
    except (RankError, TrainingDivergedError):
        raise
    except BaseException as error:
        if communicator is not None and communicator.size > 1:
            communicator.abort(_reason(error))
        raise


def _reason(error: BaseException) -> str:
    if isinstance(error, ChainruleError):
        return str(error)
    if isinstance(error, SystemExit):
        return f"it ends with exit code {error.code}"
    text = str(error)
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _gathered(communicator: Communicator, *numbers: int) -> NDArray[np.int64]:
    """Return the numbers of each rank, (ranks, numbers)."""
    table = np.zeros((communicator.size, len(numbers)), np.int64)
    table[communicator.rank] = numbers
    communicator.allreduce(table)
    return table
