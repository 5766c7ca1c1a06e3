"""Connections that are bounded in number and in time, below what HTTP knows of them.

uvicorn answers what it has no room for with status 503, but only once a request has arrived; a
client that connects and says nothing, or a byte a minute, would keep a file descriptor for ever.
"""

import asyncio
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from chainrule.playground.server.limits import (
    MAX_CONNECTIONS,
    SECONDS_FOR_EXCHANGE,
    SECONDS_FOR_HEAD,
)


class BoundedProtocol(H11Protocol):
    """HTTP/1.1 over a connection with deadlines; one connection too many is closed at once."""

    _deadline: asyncio.TimerHandle | None = None
    _is_for_head = False
    _is_websocket = False

    def connection_made(self, transport: Any) -> None:
        """Begin, or close the connection if there are too many."""
        super().connection_made(transport)
        if len(self.connections) > MAX_CONNECTIONS:
            transport.abort()
            return
        self._expect(SECONDS_FOR_HEAD, is_for_head=True)

    def data_received(self, data: bytes) -> None:
        """Go on, with a deadline for what has begun."""
        super().data_received(data)
        if self._is_websocket:
            return
        waits_for_head = self.conn.their_state is h11.IDLE
        if self._deadline is None or waits_for_head != self._is_for_head:
            seconds = SECONDS_FOR_HEAD if waits_for_head else SECONDS_FOR_EXCHANGE
            self._expect(seconds, is_for_head=waits_for_head)

    def on_response_complete(self) -> None:
        """Wait for another request, for the short time that uvicorn waits."""
        self._relax()
        super().on_response_complete()

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        """Hand over to the WebSocket, which has its own time limits."""
        self._is_websocket = True
        self._relax()
        super().handle_websocket_upgrade(event)

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        self._relax()
        super().connection_lost(exc)

    def _expect(self, seconds: float, *, is_for_head: bool) -> None:
        self._relax()
        if not self.transport.is_closing():
            self._is_for_head = is_for_head
            self._deadline = self.loop.call_later(seconds, self.transport.abort)

    def _relax(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
