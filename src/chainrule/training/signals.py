"""Ctrl-C and SIGTERM as requests, which a training grants between two of its steps."""

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType

from chainrule.errors import InvalidArgumentError

_wanted: BaseException | None = None


def stop_wanted() -> BaseException | None:
    """Return what a signal asked to be raised once everything is written down; None: nothing."""
    return _wanted


@contextlib.contextmanager
def stop_at_checkpoint() -> Iterator[None]:
    """Let Ctrl-C, SIGTERM and SIGHUP end a training with a checkpoint written.

    Within the block, the first signal waits until the training has written its checkpoint, a few
    hundredths of a second or one step; then Ctrl-C is a KeyboardInterrupt, SIGTERM a
    SystemExit(143) and SIGHUP (a terminal that was closed) a SystemExit(129), as a command line
    needs them. A second signal ends the process at once; the
    last checkpoint stays whole. A signal that finds no training to stop is raised where the block
    ends.

    A program in Python needs this block only to be certain: Ctrl-C in a training with a checkpoint
    writes one without it, too, unless it falls between two epochs; then the last one stands.
    SIGTERM ends such a program at once, and the last checkpoint stands.

    Raises
    ------
    InvalidArgumentError
        If it is not the main thread, the only one that signals reach.

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
            "stop_at_checkpoint: signals reach the main thread only; use it there"
        )
    # Whoever started this process with a signal ignored (nohup) wants it ignored.
    caught = {
        number: handler
        for number in (signal.SIGINT, signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGTERM))
        if (handler := signal.getsignal(number)) is not signal.SIG_IGN
    }

    def take_note(number: int, frame: FrameType | None) -> None:
        global _wanted
        _wanted = KeyboardInterrupt() if number == signal.SIGINT else SystemExit(128 + number)
        # The system's own way, and no function of Python's, which would wait for a long write.
        # A terminal that closes sends two, of which the second must not end it.
        for each in caught:
            once = each in (signal.SIGINT, signal.SIGTERM)
            signal.signal(each, signal.SIG_DFL if once else signal.SIG_IGN)

    before = _wanted
    _wanted = None
    for number in caught:
        signal.signal(number, take_note)
    try:
        yield
        if _wanted is not None:
            raise _wanted
    finally:
        _wanted = before
        for number, handler in caught.items():
            # None: it was not Python that had set the handler.
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
