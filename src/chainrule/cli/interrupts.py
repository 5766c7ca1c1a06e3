"""Signals that end a process, turned into exceptions that a command can handle.

From the program's first line to the interpreter's end there is no moment at which Ctrl-C, SIGTERM
or SIGHUP is left to the system's default action or shows a traceback: they raise an exception while
a command works, wait where a step is better finished (`held`), and change nothing once the exit
code is decided.
"""

import atexit
import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any, NoReturn

_NAMES = ("SIGINT", "SIGTERM", "SIGHUP")
_LAST_RESORT = "chainrule: interrupted\n"


class Interrupt(KeyboardInterrupt):
    """Ctrl-C.

    A class of its own: CPython remembers that a KeyboardInterrupt, of exactly this class, left a
    text that `exec` or `eval` was running, as `dataclasses` does for each class. At its end it then
    kills itself by SIGINT instead of returning its exit code, even if the exception was handled.
    """


class Ended(SystemExit):
    """The end of the process after a signal, with the sentence already said."""


def exit_code(interrupt: BaseException) -> int:
    """Return the exit code for an interruption: 130 (SIGINT), 143 (SIGTERM) or 129 (SIGHUP)."""
    cause = getattr(interrupt, "interrupt", interrupt)
    return cause.code if isinstance(cause, SystemExit) and isinstance(cause.code, int) else 130


def ended(interrupt: BaseException, what_is_left: str = "") -> Ended:
    """Say that the program was interrupted and what is left; return what to raise."""
    from chainrule.cli.streams import say_sentence

    text = f"chainrule: interrupted{what_is_left and '; '}{what_is_left}"
    with contextlib.suppress(OSError):  # of a terminal that was closed
        say_sentence(text, error=True)
    return Ended(exit_code(interrupt))


class _Response:
    """What the handler of the signals does, which changes without exchanging the handler."""

    def __init__(self) -> None:
        self.held = self.decided = False
        self.waiting: BaseException | None = None
        self.seen: set[int] = set()
        self.code = 0

    def __call__(self, number: int, frame: FrameType | None) -> None:
        if self.decided:
            # What happens now, such as closing files, takes a moment. Another signal cuts it short.
            if self.waiting is not None:
                os._exit(self.code)
            self.waiting = Interrupt()
            return
        # A terminal that closes sends two SIGHUP, and `timeout` two SIGTERM: one request each.
        if number != signal.SIGINT and number in self.seen:
            return
        self.seen.add(number)
        raised = Interrupt() if number == signal.SIGINT else SystemExit(128 + number)
        if self.held and self.waiting is None:
            self.waiting = raised
            return
        raise raised


_response: _Response | None = None


@contextlib.contextmanager
def held() -> Iterator[None]:
    """Let a signal wait until the end of the block; a second one interrupts it.

    For a step that is short, and whose half would have to be explained.
    """
    response = _response
    if response is None or response.held:
        yield
        return
    response.held = True
    try:
        yield
    finally:
        response.held, waiting = False, response.waiting
        response.waiting = None
        if waiting is not None:
            raise waiting


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """Let SIGINT, SIGTERM and SIGHUP raise `Interrupt` or SystemExit in the block.

    So `finally` clauses run, and temporary files are removed. The exit code is 130, 143 or, after a
    terminal was closed, 129. Nothing happens within `run`, or outside the main thread.
    """
    global _response
    if _response is not None or threading.current_thread() is not threading.main_thread():
        yield
        return
    before = _handlers()
    _response = _Response()
    try:
        for number in before:
            signal.signal(number, _response)
        yield
    finally:
        for number, handler in before.items():
            # None means that the handler was not set from Python.
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
        _response = None


def run(program: Callable[[], None]) -> NoReturn:
    """Run a whole program, which signals end with a sentence and their exit codes at any moment."""
    global _response
    _response = response = _Response()
    code: object = 0
    try:
        for number in _handlers():
            signal.signal(number, response)
        # Called after all others: from then on, the interpreter takes its handlers away.
        atexit.register(_ignore_signals)
        program()
    except KeyboardInterrupt:
        response.decided, response.code, code = True, 130, 130
        _write(_LAST_RESORT)
    except SystemExit as end:
        response.decided, code = True, end.code
        response.code = code if isinstance(code, int) else int(code is not None)
        if response.code in (129, 143) and not isinstance(end, Ended):
            _write(_LAST_RESORT)
    except BaseException:
        response.decided, response.code = True, 1
        raise
    response.decided = True
    sys.exit(code)  # type: ignore[arg-type]


def _handlers() -> dict[int, Any]:
    """Return the handlers in place; a signal that was ignored (by nohup) is left out, and stays."""
    numbers = [getattr(signal, name) for name in _NAMES if hasattr(signal, name)]
    handlers = {number: signal.getsignal(number) for number in numbers}
    return {number: one for number, one in handlers.items() if one is not signal.SIG_IGN}


def _ignore_signals() -> None:
    for number in _handlers():
        signal.signal(number, signal.SIG_IGN)


def _write(text: str) -> None:
    with contextlib.suppress(OSError, ValueError):
        if sys.stderr is not None:
            sys.stderr.write(text)
            sys.stderr.flush()
