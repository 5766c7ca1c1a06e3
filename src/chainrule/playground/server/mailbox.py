"""What waits to be sent to one page: at most one frame, and the latest message of each type."""

import asyncio
import contextlib
import threading
from collections.abc import Mapping
from typing import Any

from chainrule.playground.server.wire import encoded


class Mailbox:
    """The mailbox of one page, which any thread may put something into.

    A page that stalls thus costs the memory of one frame and a few messages, and when it goes on,
    it receives what is new, not what it has missed.

    Parameters
    ----------
    loop : event loop
        The one in which `next` is awaited.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._lock = threading.Lock()
        self._messages: dict[str, Mapping[str, Any]] = {}
        self._replies: list[str] = []
        self._frame: bytes | None = None
        self._filled = asyncio.Event()
        self._told = False

    def push(self, message: Mapping[str, Any]) -> None:
        """Put a message in the place of an earlier one of its type."""
        with self._lock:
            # Removed first, so that it comes after the messages that are older.
            self._messages.pop(str(message["type"]), None)
            self._messages[str(message["type"])] = message
        self._tell()

    def reply(self, text: str) -> None:
        """Add a reply; none is ever dropped."""
        with self._lock:
            self._replies.append(text)
        self._tell()

    def put_frame(self, frame: bytes) -> None:
        """Put a frame in the place of an earlier one."""
        with self._lock:
            self._frame = frame
        self._tell()

    @property
    def has_frame(self) -> bool:
        """Whether a frame waits to be sent."""
        return self._frame is not None

    @property
    def replies(self) -> int:
        """How many replies wait to be sent."""
        return len(self._replies)

    async def next(self) -> tuple[list[str], bytes | None]:
        """Wait until there is something; return the messages and the frame, and keep nothing."""
        await self._filled.wait()
        with self._lock:
            self._filled.clear()
            self._told = False
            texts = [encoded(message) for message in self._messages.values()]
            texts += self._replies
            frame, self._frame = self._frame, None
            self._messages, self._replies = {}, []
        return texts, frame

    def _tell(self) -> None:
        with self._lock:
            if self._told:  # a training that pushes often must not fill the loop's queue
                return
            self._told = True
        with contextlib.suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(self._filled.set)
