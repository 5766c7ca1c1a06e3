"""The server's thread: its start, and its stop, which takes only a moment."""

import asyncio
import atexit
import logging
import threading
from collections.abc import Mapping
from pathlib import Path

import uvicorn

from chainrule.errors import ChainruleError
from chainrule.playground.server.address import listening_socket, url_of
from chainrule.playground.server.app import application
from chainrule.playground.server.assets import FOLDER, Asset, read_assets
from chainrule.playground.server.connections import BoundedProtocol
from chainrule.playground.server.limits import BACKLOG, MAX_CONNECTIONS, MAX_MESSAGE
from chainrule.playground.server.pages import Pages
from chainrule.playground.server.security import Guard
from chainrule.playground.session.sessions import Sessions

_SECONDS_TO_START = 20.0
_SECONDS_TO_END = 3.0
_SECONDS_BETWEEN_PINGS = 20.0


class Server:
    """Serves sessions to pages, from its construction until `stop`.

    Parameters
    ----------
    sessions : Sessions
        They are closed with the server.
    host : str
        The name or address to listen at. Any but a loopback one gets a random token, which is part
        of `url`.
    port : int, optional
        By default the first free one from 8765 on.
    framed : bool
        Whether a notebook may show the page in a frame.
    page : Path
        The folder of the page's files.

    Attributes
    ----------
    url : str
        The address that a browser opens.

    Raises
    ------
    InvalidArgumentError
        If host or port cannot be used.
    """

    def __init__(
        self,
        sessions: Sessions,
        host: str = "127.0.0.1",
        port: int | None = None,
        *,
        framed: bool = False,
        page: Path = FOLDER,
    ) -> None:
        self._sessions = sessions
        self._listener = listening_socket(host, port)
        guard = Guard.of(host, framed=framed)
        self.port = int(self._listener.getsockname()[1])
        self.url = url_of(host, self.port, guard.token)
        self._pages = Pages(sessions)
        self._server = uvicorn.Server(_config(self._pages, guard, read_assets(page)))
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="chainrule-server", daemon=True)
        self._quiet = _Quiet(self._thread)
        self._thread.start()
        # A training that still ran when the interpreter ends would abort the process.
        atexit.register(self.stop)
        self._wait_for_start()

    def _run(self) -> None:
        loggers = [logging.getLogger(name) for name in ("uvicorn.error", "asyncio")]
        for logger in loggers:
            logger.addFilter(self._quiet)
        try:
            asyncio.run(self._server.serve([self._listener]))
        finally:
            for logger in loggers:
                logger.removeFilter(self._quiet)
            self._listener.close()
            self._stopped.set()

    def _wait_for_start(self) -> None:
        pause = threading.Event()
        for _ in range(int(_SECONDS_TO_START / 0.005)):
            if self._server.started:
                return
            if self._stopped.is_set():
                break
            pause.wait(0.005)
        raise ChainruleError(f"the server at {self.url} did not start")

    def wait(self) -> None:
        """Wait until the server has stopped; Ctrl-C raises KeyboardInterrupt here."""
        # In pieces: on some systems, a signal does not wake a thread that waits without a limit.
        while not self._stopped.wait(0.5):
            pass

    @property
    def is_running(self) -> bool:
        """Whether the server answers."""
        return not self._stopped.is_set()

    def stop(self) -> None:
        """Stop answering, close all pages and sessions, and end the trainings."""
        self._server.should_exit = True
        self._stopped.wait(_SECONDS_TO_END)
        self._sessions.close()
        self._pages.close(1.0)
        atexit.unregister(self.stop)  # last: after an interrupted stop, it is tried again


def _config(pages: Pages, guard: Guard, assets: Mapping[str, Asset]) -> uvicorn.Config:
    return uvicorn.Config(
        application(pages, guard, assets),
        http=BoundedProtocol,
        # Without the older implementation, which the package websockets has deprecated.
        ws="websockets-sansio",
        loop="asyncio",
        lifespan="on",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        ws_max_size=MAX_MESSAGE,
        ws_ping_interval=_SECONDS_BETWEEN_PINGS,
        ws_ping_timeout=_SECONDS_BETWEEN_PINGS,
        # Frames hardly become smaller, and each connection would keep memory for it.
        ws_per_message_deflate=False,
        limit_concurrency=2 * MAX_CONNECTIONS,
        backlog=BACKLOG,
        timeout_keep_alive=5,
        timeout_graceful_shutdown=1,
    )


class _Quiet(logging.Filter):
    """Lets only mistakes of the server's own thread through, not those of its clients."""

    def __init__(self, thread: threading.Thread) -> None:
        super().__init__()
        self._thread = thread

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether a record is logged."""
        if record.thread != self._thread.ident:
            return True
        error = record.exc_info[1] if record.exc_info else None
        harmless = UnicodeDecodeError | OSError | asyncio.CancelledError
        return error is not None and not isinstance(error, harmless)
