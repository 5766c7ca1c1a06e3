"""The connection of one page: its requests, the replies, and the frames that it can take."""

import asyncio
import logging
import time
from collections.abc import Coroutine
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect

from chainrule import __version__
from chainrule.errors import ChainruleError, InvalidArgumentError
from chainrule.playground.paths import without_folders
from chainrule.playground.server.limits import (
    FRAMES_IN_FLIGHT,
    FRAMES_PER_SECOND,
    LOOKS_PER_SECOND,
    MAX_PAGES,
    MAX_UPLOAD,
    MAX_WAITING,
    MESSAGES_AT_ONCE,
    MESSAGES_PER_SECOND,
    REST_WHEN_LIVE,
    REST_WHEN_PLAYING,
)
from chainrule.playground.server.mailbox import Mailbox
from chainrule.playground.server.pace import Bucket, Ticks
from chainrule.playground.server.wire import Request, decoded, encoded
from chainrule.playground.server.workers import Workers
from chainrule.playground.session.base import Client, Frame, Session, TooManySessionsError
from chainrule.playground.session.sessions import Sessions

PROTOCOL = 1

_LOG = logging.getLogger("chainrule.playground")

# Requests that change nothing and may take long; the others do not wait for them.
_LOOKS = frozenset(
    {"inspect", "gradient_check", "surface", "measures", "weights", "history", "point", "code"}
    | {"lessons", "lesson", "answer", "tables", "table"}
)

POLICY_VIOLATION, TRY_AGAIN_LATER, NOT_TEXT = 1008, 1013, 1003


class Pages:
    """Answers the WebSockets of all pages of a server.

    Parameters
    ----------
    sessions : Sessions
    """

    def __init__(self, sessions: Sessions) -> None:
        self.sessions = sessions
        # Frames have threads of their own, so that they do not wait for tables to be read.
        self.requests, self.frames = Workers(8, "request"), Workers(4, "frame")
        self._open = 0

    async def connected(self, websocket: WebSocket) -> None:
        """Serve one page until it, or the server, ends."""
        await websocket.accept()
        if self._open >= MAX_PAGES:
            await websocket.close(
                TRY_AGAIN_LATER, f"{MAX_PAGES} pages are open, which is the limit"
            )
            return
        self._open += 1
        try:
            await self._serve(websocket)
        except WebSocketDisconnect:
            pass
        finally:
            self._open -= 1

    async def _serve(self, websocket: WebSocket) -> None:
        identity = websocket.query_params.get("session", "")
        mailbox = Mailbox(asyncio.get_running_loop())
        client = Client(push=mailbox.push)
        try:
            session = await self.requests.run(self.sessions.connect, identity, client)
        except ChainruleError as error:
            await websocket.send_text(_error(None, without_folders(str(error))))
            full = isinstance(error, TooManySessionsError)
            code = TRY_AGAIN_LATER if full else POLICY_VIOLATION
            await websocket.close(code, _cut(str(error)))
            return
        try:
            page = _Page(websocket, session, client, mailbox, self)
            await page.serve()
        finally:
            await asyncio.shield(self.requests.run(self.sessions.disconnect, identity, client))

    def close(self, seconds: float) -> None:
        """End the threads."""
        self.requests.close(seconds / 2)
        self.frames.close(seconds / 2)


class _Page:
    """One page: a task that reads, one that writes, one for frames, and two for requests."""

    def __init__(
        self,
        websocket: WebSocket,
        session: Session,
        client: Client,
        mailbox: Mailbox,
        pages: Pages,
    ) -> None:
        self._websocket, self._session, self._client = websocket, session, client
        self._mailbox, self._pages = mailbox, pages
        self._in_flight, self._acknowledges = 0, False
        self._changes: asyncio.Queue[Request] = asyncio.Queue(MAX_WAITING)
        self._looks: asyncio.Queue[Request] = asyncio.Queue(MAX_WAITING)
        self._ticks, self._rest = Ticks(LOOKS_PER_SECOND), REST_WHEN_PLAYING

    async def serve(self) -> None:
        """Serve until one side ends."""
        hello = await self._pages.requests.run(self._session.hello)
        first = {"type": "hello", "protocol": PROTOCOL, "version": __version__}
        await self._websocket.send_text(encoded({**first, "upload_limit": MAX_UPLOAD, **hello}))
        if hello.get("mode") == "live":
            self._rest = REST_WHEN_LIVE
        works = (
            self._read(),
            self._write(),
            self._draw(),
            self._answer(self._changes),
            self._answer(self._looks),
        )
        await _until_first_ends(works)

    async def _read(self) -> None:
        """Read messages, no faster than they can be processed."""
        bucket = Bucket(MESSAGES_PER_SECOND, MESSAGES_AT_ONCE, time.monotonic)
        while True:
            message = await self._websocket.receive()
            if message["type"] == "websocket.disconnect":
                return
            await asyncio.sleep(bucket.wait())
            text = message.get("text")
            if text is None:
                await self._websocket.close(NOT_TEXT, "messages are texts; tables are uploaded")
                return
            try:
                request = decoded(text)
            except InvalidArgumentError as error:
                await self._send_error(None, str(error))
                continue
            if request.type == "drawn":
                # Of frames that arrive together, a page draws the newest alone, and says so once.
                self._acknowledges, self._in_flight = True, 0
                continue
            lane = self._looks if request.type in _LOOKS else self._changes
            await lane.put(request)

    async def _answer(self, lane: asyncio.Queue[Request]) -> None:
        """Answer the requests of a lane one after the other."""
        while True:
            request = await lane.get()
            self._mailbox.reply(await self._pages.requests.run(self._reply_to, request))
            self._ticks.hurry()
            # A page that does not read its replies has no more of its requests answered.
            while self._mailbox.replies > MAX_WAITING:
                await asyncio.sleep(0.05)

    def _reply_to(self, request: Request) -> str:
        """Return the text of the reply to a request."""
        try:
            value = self._session.request(self._client, request.fields)
            return encoded({"type": "reply", "id": request.id, "value": value})
        except ChainruleError as error:
            return _error(request.id, without_folders(str(error)))
        except Exception as error:
            _LOG.exception("a request of the page failed")
            return _error(
                request.id,
                f"{request.type[:40]}: failed because of a bug in chainrule "
                f"({type(error).__name__}); the terminal shows the details",
            )

    async def _send_error(self, number: int | None, message: str) -> None:
        self._mailbox.reply(_error(number, message))
        while self._mailbox.replies > MAX_WAITING:
            await asyncio.sleep(0.05)

    async def _write(self) -> None:
        """Send what is in the mailbox; this waits while the page does not read."""
        while True:
            texts, frame = await self._mailbox.next()
            for text in texts:
                await self._websocket.send_text(text)
            if frame is not None:
                self._in_flight += 1
                await self._websocket.send_bytes(frame)

    async def _draw(self) -> None:
        """Put the newest frame into the mailbox, as often as the page can take one."""
        while True:
            await self._ticks.next()
            stalled = self._acknowledges and self._in_flight >= FRAMES_IN_FLIGHT
            if self._client.view.hidden or stalled or self._mailbox.has_frame:
                continue
            frame, seconds = await self._pages.frames.run(self._frame)
            if frame is not None:
                self._mailbox.put_frame(frame.data)
                self._ticks.hurry()
                self._ticks.rest(max(1 / FRAMES_PER_SECOND, self._rest * seconds))

    def _frame(self) -> tuple[Frame | None, float]:
        """Return the newest frame, if it is new, and the time of the processor that it took."""
        began = time.thread_time()
        frame = self._session.frame(self._client)
        return frame, time.thread_time() - began


def _error(number: int | None, message: str) -> str:
    return encoded({"type": "error", "id": number, "message": message})


def _cut(reason: str) -> str:
    """Return the reason of a close, which the protocol limits to 123 bytes."""
    return reason.encode()[:120].decode(errors="ignore")


async def _until_first_ends(works: tuple[Coroutine[Any, Any, None], ...]) -> None:
    """Run works side by side until one of them ends; then end the others."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()
