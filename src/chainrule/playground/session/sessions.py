"""The sessions of a server, by their ids: a bounded number, idle ones paused and then closed."""

import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from chainrule.errors import InvalidArgumentError
from chainrule.playground.session.base import Client, Session, TooManySessionsError

MAX_SESSIONS = 32
SECONDS_UNTIL_PAUSED = 60.0
SECONDS_UNTIL_CLOSED = 3600.0

_ID = re.compile(r"[0-9a-f]{32}\Z")


@dataclass(eq=False)
class _Kept:
    session: Session
    clients: set[Client] = field(default_factory=set)
    idle_since: float = 0.0
    paused: bool = False


class Sessions:
    """Opens, finds and closes the sessions of one server.

    Parameters
    ----------
    opened : callable
        Returns a new session, when a page comes with an id that is not known yet.
    clock : callable
        Seconds; for tests.

    Notes
    -----
    The server calls `tidy` about once a second.
    """

    def __init__(
        self, opened: Callable[[], Session], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._opened, self._clock = opened, clock
        self._lock = threading.Lock()
        self._kept: dict[str, _Kept] = {}
        self._superseded: list[Session] = []
        self._closed = False

    @classmethod
    def of(cls, session: Session) -> "Sessions":
        """Return sessions that all are this one: that of a model, a live training or a replay."""
        return _OneForAll(session)

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, identity: str) -> Session:
        """Return the session of this id (32 hexadecimal digits); a new one if there is none.

        Raises
        ------
        InvalidArgumentError
            If the id is none.
        TooManySessionsError
            If there are as many sessions as a server keeps, and a page is at each.
        """
        with self._lock:
            return self._get(identity).session

    def find(self, identity: str) -> Session | None:
        """Return the session of this id; None if there is none."""
        kept = self._kept.get(identity)
        return None if kept is None else kept.session

    def connect(self, identity: str, client: Client) -> Session:
        """Connect a page to the session of this id, and return the session; see `get`."""
        with self._lock:
            kept = self._get(identity)
            kept.clients.add(client)
            kept.paused = False
        kept.session.connect(client)
        return kept.session

    def disconnect(self, identity: str, client: Client) -> None:
        """Disconnect a page; the session stays, for the page may come back."""
        with self._lock:
            kept = self._kept.get(identity)
            if kept is None:
                return
            kept.clients.discard(client)
            kept.idle_since = self._clock()
        kept.session.disconnect(client)

    def tidy(self) -> None:
        """Pause sessions without a page for a minute; close those without one for an hour.

        Those that made room for others are closed too: here, since it may take a while.
        """
        with self._lock:
            closing, pausing = self._superseded, []
            self._superseded = []
            for identity, kept in list(self._kept.items()):
                if kept.clients:
                    continue
                idle = self._clock() - kept.idle_since
                if idle >= SECONDS_UNTIL_CLOSED:
                    closing.append(self._kept.pop(identity).session)
                elif idle >= SECONDS_UNTIL_PAUSED and not kept.paused:
                    kept.paused = True
                    pausing.append(kept.session)
        for session in pausing:
            if not session.read_only:
                session.request(_NOBODY, {"type": "pause"})
        for session in closing:
            session.close()

    def close(self) -> None:
        """Close all sessions, side by side; from now on, none is opened."""
        with self._lock:
            self._closed = True
            sessions = [*self._superseded, *(kept.session for kept in self._kept.values())]
            self._kept.clear()
            self._superseded = []
        closing = []
        for session in sessions:
            thread = threading.Thread(target=session.close, daemon=True)
            try:
                thread.start()
            except RuntimeError:  # while the interpreter ends, no thread can be started
                session.close()
            else:
                closing.append(thread)
        for thread in closing:
            thread.join()

    def _get(self, identity: str) -> _Kept:
        kept = self._kept.get(identity)
        if kept is None:
            if self._closed:
                raise TooManySessionsError("the playground has ended")
            if not _ID.match(identity):
                raise InvalidArgumentError("session: expected 32 hexadecimal digits")
            self._make_room()
            kept = self._kept[identity] = _Kept(self._opened(), idle_since=self._clock())
        return kept

    def _make_room(self) -> None:
        if len(self._kept) < MAX_SESSIONS:
            return
        idle = [(kept.idle_since, one) for one, kept in self._kept.items() if not kept.clients]
        if not idle:
            raise TooManySessionsError(
                f"{MAX_SESSIONS} sessions are open, which is the limit of this server; close a "
                "page, and try again"
            )
        self._superseded.append(self._kept.pop(min(idle)[1]).session)


class _OneForAll(Sessions):
    """Every id is the same session."""

    def __init__(self, session: Session) -> None:
        super().__init__(lambda: session)

    def _get(self, identity: str) -> _Kept:
        return super()._get("0" * 32)

    def find(self, identity: str) -> Session | None:
        return self.get(identity)

    def disconnect(self, identity: str, client: Client) -> None:
        super().disconnect("0" * 32, client)

    def tidy(self) -> None:
        """Keep the session: it was not opened by a page."""


_NOBODY = Client(push=lambda message: None)
