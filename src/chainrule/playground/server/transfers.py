"""Uploads and downloads: a table to a session, and what a session offers as a file."""

import contextlib
import logging
import re
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import quote

from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from chainrule.errors import ChainruleError, InvalidArgumentError
from chainrule.playground.paths import without_folders
from chainrule.playground.server.assets import pieces
from chainrule.playground.server.limits import MAX_UPLOAD, MAX_UPLOADS
from chainrule.playground.server.pages import Pages
from chainrule.playground.server.wire import encoded
from chainrule.printable import printable

DOWNLOADS = frozenset(
    {"model.safetensors", "model.onnx", "code.py", "run.toml", "data.csv", "history.csv"}
)

_LOG = logging.getLogger("chainrule.playground")
_MOST_DRAINED = 4 * MAX_UPLOAD
_LONGEST_STEM = 40


class Transfers:
    """The endpoints of uploads and downloads.

    Parameters
    ----------
    pages : Pages
        Whose sessions and threads are used.
    limit : int
        Bytes of an upload.
    """

    def __init__(self, pages: Pages, limit: int = MAX_UPLOAD) -> None:
        self._pages, self._limit = pages, limit
        self._free = MAX_UPLOADS

    async def download(self, request: Request) -> Response:
        """Send a file that a session offers."""
        kind = request.path_params["kind"]
        if kind not in DOWNLOADS:
            return PlainTextResponse("There is no such file.\n", 404)
        session = self._pages.sessions.find(request.query_params.get("session", ""))
        if session is None:
            return PlainTextResponse("There is no such session; reload the page.\n", 404)
        try:
            name, content, media_type = await self._pages.requests.run(session.download, kind)
        except ChainruleError as error:
            return PlainTextResponse(f"{without_folders(str(error))}\n", 409)
        except Exception as error:
            _LOG.exception("a download failed")
            return PlainTextResponse(f"{_mistake(error)}\n", 500)
        headers = {
            "Content-Disposition": f"attachment; filename*=UTF-8''{quote(_cleaned(name), safe='')}",
            "Content-Length": str(len(content)),
        }
        return StreamingResponse(pieces(content), 200, headers, media_type)

    async def upload(self, request: Request) -> Response:
        """Receive a table, and pass it to a session."""
        if self._free <= 0:
            return _told(503, f"{MAX_UPLOADS} tables are being uploaded; try again in a moment")
        self._free -= 1
        try:
            return await self._received(request)
        except ClientDisconnect:
            return Response(status_code=400)
        finally:
            self._free += 1

    async def _received(self, request: Request) -> Response:
        session = self._pages.sessions.find(request.query_params.get("session", ""))
        if session is None:
            return _told(404, "there is no such session; reload the page")
        name = _cleaned(request.query_params.get("name", ""))
        # Its folder is private to this user, and goes with everything in it.
        with tempfile.TemporaryDirectory(prefix="chainrule-") as folder:
            path = Path(folder) / name
            try:
                await self._written(request, path)
                value = await self._pages.requests.run(session.upload, name, path)
                return Response(encoded(value), 200, media_type="application/json")
            except _TooLargeError as error:
                return _told(413, str(error))
            except ChainruleError as error:
                return _told(400, without_folders(str(error)))
            except Exception as error:
                _LOG.exception("an upload failed")
                return _told(500, _mistake(error))

    async def _written(self, request: Request, path: Path) -> None:
        """Write the body to a file, and stop writing at the limit."""
        size, is_too_large = 0, _stated_length(request) > self._limit
        with path.open("xb") as file:
            async for piece in _body(request):
                size += len(piece)
                is_too_large = is_too_large or size > self._limit
                # A browser reports an answer only when it has sent everything. So the rest is read
                # and dropped, within reason.
                if size > _MOST_DRAINED:
                    break
                if not is_too_large:
                    await self._pages.requests.run(file.write, piece)
        if is_too_large:
            raise _TooLargeError(
                f"the table has more than {self._limit / 2**20:g} MB, the limit of an upload; give "
                "its path to chainrule play instead, which has no limit"
            )
        if not size:
            raise InvalidArgumentError("the table is empty: the file has no bytes")


class _TooLargeError(ChainruleError):
    pass


async def _body(request: Request) -> AsyncIterator[bytes]:
    async for piece in request.stream():
        if piece:
            yield piece


def _stated_length(request: Request) -> int:
    with contextlib.suppress(ValueError):
        return int(request.headers.get("content-length", "0"))
    return 0


def _cleaned(name: str) -> str:
    """Return the name of a file without folders, and without what a file system may refuse."""
    base = re.split(r"[/\\]", name)[-1]
    kept = "".join(c if printable(c) == c and c not in '<>:"|?*' else "_" for c in base)
    path = Path(kept.strip(" .") or "table.csv")
    # Cut in characters that may have four bytes each: names of files have at most 255 bytes.
    return f"{path.stem[:_LONGEST_STEM]}{path.suffix[:12]}"


def _told(status: int, message: str) -> Response:
    return Response(encoded({"message": message}), status, media_type="application/json")


def _mistake(error: Exception) -> str:
    name = type(error).__name__
    return f"failed because of a bug in chainrule ({name}); the terminal shows the details"
