"""Ctrl-C, SIGTERM and SIGHUP as requests to stop, which a training obeys between two steps."""

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType

from chainrule.errors import InvalidArgumentError

_wanted: BaseException | None = None


def stop_wanted() -> BaseException | None:
    """Return the exception to raise after the next checkpoint if a signal came; otherwise None."""
    return _wanted


@contextlib.contextmanager
def stop_at_checkpoint() -> Iterator[None]:
    """Make Ctrl-C, SIGTERM and SIGHUP end a training only after it has written a checkpoint.

    Within the block, the first signal waits until the training has written its checkpoint, which
    takes a few hundredths of a second or one step. Then Ctrl-C raises KeyboardInterrupt, SIGTERM
    raises SystemExit(143) and SIGHUP (a closed terminal) SystemExit(129), the usual exit codes. A
    second signal ends the process at once; the last checkpoint stays intact. If no training is
    running, the exception is raised at the end of the block.

    Without this block, Ctrl-C during a training with a checkpoint usually writes one, too; but if
    it comes between two epochs, only the last checkpoint is left. SIGTERM then ends the program at
    once, and the last checkpoint is left.

    Raises
    ------
    InvalidArgumentError
        If this is not the main thread, the only one that receives signals.

    Examples
    --------
    >>> import chainrule as cr
    >>> net = cr.Network([1, cr.Dense(1, "identity")], cost="mse", seed=0)
    >>> with cr.stop_at_checkpoint():
    ...     history = net.fit([[1.0], [2.0]], [2.0, 4.0], epochs=3)   # checkpoint="run/ckpt"
    >>> len(history)
    3
    """
    global _wanted
    if threading.current_thread() is not threading.main_thread():
        raise InvalidArgumentError(
            "stop_at_checkpoint: expected the main thread, the only one that receives signals; got "
            f"{threading.current_thread().name!r}. Use it in the main thread"
        )
    # A signal that was ignored when the process started (by nohup) stays ignored.
    caught = {
        number: handler
        for number in (signal.SIGINT, signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGTERM))
        if (handler := signal.getsignal(number)) is not signal.SIG_IGN
    }

    def take_note(number: int, frame: FrameType | None) -> None:
        global _wanted
        _wanted = KeyboardInterrupt() if number == signal.SIGINT else SystemExit(128 + number)
        # From now on, the system's default action ends the process at once; a Python handler would
        # only run after a long write. SIGHUP is ignored instead, since a closing terminal sends two
        # of them.
        for each in caught:
            once = each in (signal.SIGINT, signal.SIGTERM)
            signal.signal(each, signal.SIG_DFL if once else signal.SIG_IGN)

    before = _wanted
    _wanted = None
    try:
        for number in caught:
            signal.signal(number, take_note)
        yield
        if _wanted is not None:
            raise _wanted
    finally:
        _wanted = before
        for number, handler in caught.items():
            # None means that the handler was not set from Python.
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
