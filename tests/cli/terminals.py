"""A terminal that a command of this process writes to."""

import contextlib
import os
import sys
import threading

import pytest

from chainrule.cli.app import app


def shown_in_a_terminal(monkeypatch, *arguments, columns=150, term="xterm", stdout=False):
    """Run a command, and return what it showed in a terminal: standard error, or both streams."""
    import pty

    ours, theirs = pty.openpty()
    pieces = []

    def read():
        with contextlib.suppress(OSError):  # how Linux says that the other side is closed
            while piece := os.read(ours, 65536):
                pieces.append(piece)

    reader = threading.Thread(target=read)
    reader.start()
    with monkeypatch.context() as patch, contextlib.ExitStack() as opened:
        terminal = opened.enter_context(open(theirs, "w", encoding="utf-8"))
        silence = opened.enter_context(open(os.devnull, "w", encoding="utf-8"))
        patch.setattr(sys, "stderr", terminal)
        patch.setattr(sys, "stdout", terminal if stdout else silence)
        patch.setenv("COLUMNS", str(columns))
        patch.setenv("TERM", term)
        with pytest.raises(SystemExit) as ended:
            app([str(argument) for argument in arguments])
    assert not ended.value.code
    reader.join()
    os.close(ours)
    return b"".join(pieces)
