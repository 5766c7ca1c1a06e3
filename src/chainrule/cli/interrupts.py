"""Signals that end a process, turned into exceptions that a command can handle."""

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType


def exit_code(interrupt: BaseException) -> int:
    """Return the exit code for an interruption: 130 (SIGINT), 143 (SIGTERM) or 129 (SIGHUP)."""
    cause = getattr(interrupt, "interrupt", interrupt)
    return cause.code if isinstance(cause, SystemExit) and isinstance(cause.code, int) else 130


@contextlib.contextmanager
def terminated_as_interrupted() -> Iterator[None]:
    """Let SIGTERM and SIGHUP raise SystemExit in the block, as Ctrl-C raises KeyboardInterrupt.

    So `finally` clauses run, and temporary files are removed. The exit code is 143, or 129 after a
    terminal was closed.
    """

    def end(number: int, frame: FrameType | None) -> None:
        # A second SIGTERM ends the process at once. A second SIGHUP is ignored, since a terminal
        # that closes sends two.
        again = signal.SIG_DFL if number == signal.SIGTERM else signal.SIG_IGN
        signal.signal(number, again)
        raise SystemExit(128 + number)

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    # A signal that was ignored when the process started (by nohup) stays ignored.
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
