"""What ends a process from outside, as what a command can answer."""

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType


def exit_code(interrupt: BaseException) -> int:
    """Return the exit code that tells by which signal a process ended: 130 or 143."""
    cause = getattr(interrupt, "interrupt", interrupt)
    return cause.code if isinstance(cause, SystemExit) and isinstance(cause.code, int) else 130


@contextlib.contextmanager
def terminated_as_interrupted() -> Iterator[None]:
    """Let SIGTERM raise SystemExit(143) in the block, as Ctrl-C raises KeyboardInterrupt."""

    def end(number: int, frame: FrameType | None) -> None:
        signal.signal(number, signal.SIG_DFL)  # a second one ends the process at once
        raise SystemExit(128 + number)

    # Whoever started this process with the signal ignored wants it ignored.
    before = signal.getsignal(signal.SIGTERM)
    if before is signal.SIG_IGN or threading.current_thread() is not threading.main_thread():
        yield
        return
    signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL if before is None else before)
