"""What `play` returns: where the page is, and how it is stopped."""

import contextlib
import os
import signal
import sys
import threading
import webbrowser
from collections.abc import Iterator
from html import escape
from types import TracebackType
from typing import Protocol, Self

from chainrule.printable import printable

_HEIGHT = 760


class Stoppable(Protocol):
    """The part of a server that its handle needs."""

    @property
    def is_running(self) -> bool:
        """Whether it answers."""

    def wait(self) -> None:
        """Wait until it has stopped."""

    def stop(self) -> None:
        """Stop it."""


class Playground:
    """A page that is being served; a notebook shows it.

    It can be used in a ``with`` block, at whose end it stops.

    Parameters
    ----------
    url : str
        The address of the page.
    server : Stoppable, optional
        What serves it; None if another process does.

    Attributes
    ----------
    url : str
        The address of the page. Where it has a token, it lets its reader in, so pass it on only to
        those who may use the page.
    """

    def __init__(self, url: str, server: Stoppable | None) -> None:
        self.url = url
        self._server = server

    @property
    def is_running(self) -> bool:
        """Whether the page is served by this process."""
        return self._server is not None and self._server.is_running

    def stop(self) -> None:
        """End the page and its trainings; nothing happens if they have ended."""
        if self._server is not None:
            self._server.stop()

    def wait(self) -> None:
        """Wait until the page has been stopped, or for Ctrl-C, which stops it."""
        if self._server is None:
            return
        try:
            self._server.wait()
        except KeyboardInterrupt:
            with _ends_at_once():
                self.stop()

    def open(self) -> bool:
        """Open the page in a browser, if this machine has one; return whether it was opened."""
        if not _has_browser():
            return False
        with contextlib.suppress(webbrowser.Error, OSError):
            return webbrowser.open(self.url)
        return False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def __repr__(self) -> str:
        if self._server is None or self.is_running:
            return printable(f"Playground({self.url!r})")
        return "Playground(stopped)"

    def _repr_html_(self) -> str:
        if not (self._server is None or self.is_running):
            return "<p>The playground has stopped.</p>"
        url = escape(self.url, quote=True)
        return (
            f'<p>The playground: <a href="{url}" target="_blank" rel="noopener">{url}</a></p>'
            f'<iframe src="{url}" title="chainrule playground" allow="fullscreen" '
            f'style="width:100%;height:{_HEIGHT}px;border:1px solid #8888"></iframe>'
        )


@contextlib.contextmanager
def _ends_at_once() -> Iterator[None]:
    """Let a second Ctrl-C end the process, in case stopping takes long."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        yield
    finally:
        # None means that the handler was not set from Python.
        signal.signal(signal.SIGINT, signal.SIG_DFL if before is None else before)


def _has_browser() -> bool:
    """Return whether a browser with windows can be opened; one in the terminal is not asked for."""
    if sys.platform in ("win32", "darwin"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
