"""The page's files, read once: a path is looked up among them, and never in the file system."""

import hashlib
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from chainrule.playground.server.limits import PIECE

FOLDER = Path(__file__).parents[1] / "page"

_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".woff2": "font/woff2",
    ".txt": "text/plain; charset=utf-8",
}

_MISSING = b"""<!doctype html><html lang="en"><meta charset="utf-8"><title>chainrule</title>
<p>This installation of chainrule has no page: it was not built. In the repository, make page builds
it.</p></html>
"""


class Asset(NamedTuple):
    """One of the page's files."""

    content: bytes
    media_type: str
    etag: str
    is_hashed: bool
    """Whether its name changes with its content, so that a browser may keep it for ever."""


def read_assets(folder: Path = FOLDER) -> Mapping[str, Asset]:
    """Return the page's files by the paths at which they are served; "/" is the page itself."""
    assets = {}
    for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
        if path.suffix in _TYPES and path.is_file() and not path.is_symlink():
            name = f"/{path.relative_to(folder).as_posix()}"
            assets["/" if name == "/index.html" else name] = _asset(path.read_bytes(), name)
    assets.setdefault("/", _asset(_MISSING, "/index.html"))
    return assets


def _asset(content: bytes, name: str) -> Asset:
    digest = hashlib.sha256(content).hexdigest()[:32]
    media_type = _TYPES[Path(name).suffix]
    return Asset(content, media_type, f'"{digest}"', name.startswith("/assets/"))


def answer(asset: Asset, request: Request) -> Response:
    """Return a file, or that the browser has it already."""
    kept = "public, max-age=31536000, immutable" if asset.is_hashed else "no-cache"
    headers = {"ETag": asset.etag, "Cache-Control": kept}
    if asset.etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    headers["Content-Length"] = str(len(asset.content))
    body = b"" if request.method == "HEAD" else asset.content
    return StreamingResponse(pieces(body), 200, headers, asset.media_type)


async def pieces(content: bytes) -> AsyncIterator[bytes]:
    """Yield a content piece by piece, so that a client that does not read costs one piece."""
    for start in range(0, len(content), PIECE):
        yield content[start : start + PIECE]
