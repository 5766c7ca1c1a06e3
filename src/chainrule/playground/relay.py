"""A session that passes everything on to another, which may be replaced while pages look at it."""

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from chainrule.errors import InvalidArgumentError
from chainrule.playground.session.base import Client, Frame, Message, Session


class Relay:
    """The session of a `Live`: whichever training is running, and before that none.

    It is a `Session`. Pages stay connected when the training changes.
    """

    read_only = True

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._clients: set[Client] = set()
        self._session: Session | None = None

    @property
    def watched(self) -> bool:
        """Whether a page is connected that is not hidden."""
        return any(not client.view.hidden for client in tuple(self._clients))

    def replace(self, session: Session) -> None:
        """Show another session to all pages."""
        with self._lock:
            before, self._session = self._session, session
            clients = tuple(self._clients)
            for client in clients:
                if before is not None:
                    before.disconnect(client)
                client.seen = -1
                session.connect(client)
        if before is not None:
            before.close()

    def hello(self) -> Message:
        """Return the session's part of the first message."""
        if self._session is not None:
            return self._session.hello()
        return {"mode": "live", "read_only": True, "catalog": {}, "start": None, "tables": []}

    def request(self, client: Client, message: Mapping[str, Any]) -> Any:
        """Return the value of the reply to a message."""
        return self._shown().request(client, message)

    def frame(self, client: Client) -> Frame | None:
        """Return the newest snapshot for the client's view; None if the client has seen it."""
        return None if self._session is None else self._session.frame(client)

    def connect(self, client: Client) -> None:
        """Add a page."""
        with self._lock:
            self._clients.add(client)
            if self._session is not None:
                self._session.connect(client)

    def disconnect(self, client: Client) -> None:
        """Remove a page."""
        with self._lock:
            self._clients.discard(client)
            if self._session is not None:
                self._session.disconnect(client)

    def download(self, kind: str) -> tuple[str, bytes, str]:
        """Return a file's name, content and media type."""
        return self._shown().download(kind)

    def upload(self, name: str, path: Path) -> Message:
        """Refuse a table: the training is somebody else's."""
        return self._shown().upload(name, path)

    def close(self) -> None:
        """Free what is shown."""
        if self._session is not None:
            self._session.close()

    def _shown(self) -> Session:
        if self._session is None:
            raise InvalidArgumentError("the training has not begun yet")
        return self._session
