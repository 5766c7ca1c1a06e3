"""What ends a process from outside, as what a command can answer."""

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType


def exit_code(interrupt: BaseException) -> int:
    """Return the exit code that tells by which signal a process ended: 130, 143 or 129."""
    cause = getattr(interrupt, "interrupt", interrupt)
    return cause.code if isinstance(cause, SystemExit) and isinstance(cause.code, int) else 130


@contextlib.contextmanager
def terminated_as_interrupted() -> Iterator[None]:
    """Let SIGTERM and SIGHUP raise SystemExit in the block, as Ctrl-C raises KeyboardInterrupt.

    So what is only half done is cleared away. The exit code is 143, or 129 of a terminal that was
    closed.
    """

    def end(number: int, frame: FrameType | None) -> None:
        # A second one ends the process at once; but a terminal that closes sends two.
        again = signal.SIG_DFL if number == signal.SIGTERM else signal.SIG_IGN
        signal.signal(number, again)
        raise SystemExit(128 + number)

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    # Whoever started this process with a signal ignored (nohup) wants it ignored.
    before = {
        number: handler
        for number in numbers
        if (handler := signal.getsignal(number)) is not signal.SIG_IGN
    }
    for number in before:
        signal.signal(number, end)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
