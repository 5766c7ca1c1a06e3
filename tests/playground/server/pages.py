"""What the tests of the server share: a session without training, a page without a browser."""

import asyncio
import json
from pathlib import Path
from typing import Any

import websockets

from chainrule.errors import InvalidArgumentError
from chainrule.playground.server.process import Server
from chainrule.playground.session.base import Client, Frame
from chainrule.playground.session.sessions import Sessions

A, B = "a" * 32, "b" * 32


class Echo:
    """A session that answers with what it is asked, and counts."""

    read_only = False

    def __init__(self) -> None:
        self.version = 0
        self.frame_bytes = 100
        self.clients: list[Client] = []
        self.asked: list[str] = []
        self.uploaded: list[tuple[str, bytes, Path]] = []
        self.closed = False

    def hello(self) -> dict[str, Any]:
        return {"mode": "play", "read_only": False}

    def request(self, client: Client, message: Any) -> Any:
        self.asked.append(message["type"])
        if message["type"] == "refuse":
            raise InvalidArgumentError("speed: expected a number > 0; got -1")
        if message["type"] == "break":
            raise KeyError("a mistake")
        if message["type"] == "push":
            for number in range(message["times"]):
                client.push({"type": message["of"], "number": number})
        return message.get("value")

    def frame(self, client: Client) -> Frame | None:
        if client.seen == self.version:
            return None
        client.seen = self.version
        return Frame(self.version, self.version.to_bytes(4, "little").ljust(self.frame_bytes))

    def connect(self, client: Client) -> None:
        self.clients.append(client)
        client.push({"type": "status", "running": False})

    def disconnect(self, client: Client) -> None:
        self.clients.remove(client)

    def download(self, kind: str) -> tuple[str, bytes, str]:
        if kind == "history.csv":
            raise InvalidArgumentError("history.csv: there is none before the first epoch")
        if kind == "model.onnx":
            raise KeyError("a mistake")
        return kind, b"content of " + kind.encode(), "application/octet-stream"

    def upload(self, name: str, path: Path) -> dict[str, Any]:
        content = path.read_bytes()
        self.uploaded.append((name, content, path))
        if content.startswith(b"bad"):
            raise InvalidArgumentError(f"{path}: is no table")
        return {"table": name, "rows": len(content)}

    def close(self) -> None:
        self.closed = True


class Served:
    """A server of such sessions."""

    def __init__(self, **options: Any) -> None:
        self.sessions: list[Echo] = []
        self.server = Server(Sessions(self._open), port=0, **options)

    def _open(self) -> Echo:
        self.sessions.append(Echo())
        return self.sessions[-1]

    @property
    def url(self) -> str:
        return self.server.url

    def at(self, path: str) -> str:
        address, _, query = self.url.partition("/?")
        separator = "&" if "?" in path else "?"
        return f"{address.rstrip('/')}/{path}" + (f"{separator}{query}" if query else "")

    def socket(self, session: str = A, **options: Any) -> Any:
        address = self.at(f"ws?session={session}").replace("http://", "ws://")
        return websockets.connect(address, **options)


async def receive(page: Any, kind: str | None) -> Any:
    """Return the next message of a type, or with None the next frame; others are passed over."""
    async with asyncio.timeout(10):
        while True:
            message = await page.recv()
            if kind is None:
                if isinstance(message, bytes):
                    return message
            elif isinstance(message, str) and json.loads(message)["type"] == kind:
                return json.loads(message)


async def ask(page: Any, kind: str, number: int = 1, **fields: Any) -> Any:
    """Send a request; return the reply or the error."""
    await page.send(json.dumps({"id": number, "type": kind, **fields}))
    async with asyncio.timeout(10):
        while True:
            message = await page.recv()
            if isinstance(message, str) and json.loads(message).get("id") == number:
                return json.loads(message)
