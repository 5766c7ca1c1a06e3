"""Faults inside the writing of a checkpoint: a stand-in for the module `os`, in two modules."""

import errno
import os
import signal
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from chainrule.files import checkpoint, checkpoint_store

WATCHED = ("open", "write", "fsync", "replace", "close")


@dataclass
class Faults:
    """Counts the calls that write checkpoints, and does something at some of them.

    Attributes
    ----------
    at : callable
        Called before each with its name, its number among all calls and its number among those of
        its name, both counted from 0; returns what to do: None, an `OSError`, "kill" (before the
        call), "short" or "short, then kill" (of a write).
    """

    at: Callable[[str, int, int], Any]
    calls: list[str] = field(default_factory=list)

    def __getattr__(self, name: str) -> Any:
        real = getattr(os, name)
        if name not in WATCHED:
            return real

        def call(*arguments: Any, **keywords: Any) -> Any:
            fault = self.at(name, len(self.calls), self.calls.count(name))
            self.calls.append(name)
            if fault == "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            if isinstance(fault, OSError):
                if name == "write":  # a full disk takes what fits
                    os.write(arguments[0], arguments[1][: len(arguments[1]) // 2])
                raise fault
            if fault in ("short", "short, then kill") and name == "write":
                arguments = (arguments[0], arguments[1][: max(1, len(arguments[1]) // 3)])
            result = real(*arguments, **keywords)
            if fault == "short, then kill" and name == "write":
                os.kill(os.getpid(), signal.SIGKILL)
            return result

        return call


@contextmanager
def injected(at: Callable[[str, int, int], Any]):
    """Let the calls that write checkpoints go through `at`."""
    faults = Faults(at)
    modules = (checkpoint, checkpoint_store)
    try:
        for module in modules:
            module.os = faults  # type: ignore[attr-defined]
        yield faults
    finally:
        for module in modules:
            module.os = os  # type: ignore[attr-defined]


def nth(name: str, number: int, fault: Any) -> Callable[[str, int, int], Any]:
    """Return the fault at the call of that name and number alone."""
    return lambda called, _, n: fault if (called, n) == (name, number) else None


def system_error(code: int) -> OSError:
    return OSError(code, os.strerror(code))


NO_SPACE, IO = errno.ENOSPC, errno.EIO
