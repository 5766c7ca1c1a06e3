"""The application: which path is answered by what."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp

from chainrule.playground.server.assets import Asset, answer
from chainrule.playground.server.pages import Pages
from chainrule.playground.server.security import Guard, Guarded
from chainrule.playground.server.transfers import Transfers

_LOG = logging.getLogger("chainrule.playground")

_SECONDS_BETWEEN_TIDYING = 1.0


def application(pages: Pages, guard: Guard, assets: Mapping[str, Asset]) -> ASGIApp:
    """Return the application of a server.

    Parameters
    ----------
    pages : Pages
    guard : Guard
        Refuses requests of other sites, and those without the token.
    assets : mapping
        The page's files by their paths, with the page itself at "/".
    """
    transfers = Transfers(pages)

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        tidying = asyncio.ensure_future(_tidy(pages))
        yield
        tidying.cancel()

    files = [Route(path, _file(asset), methods=["GET"]) for path, asset in assets.items()]
    app = Starlette(
        routes=[
            *files,
            WebSocketRoute("/ws", pages.connected),
            Route("/upload", transfers.upload, methods=["POST"]),
            Route("/download/{kind}", transfers.download, methods=["GET"]),
        ],
        lifespan=lifespan,
    )
    return Guarded(app, guard, set(assets) - {"/"})


def _file(asset: Asset) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        return answer(asset, request)

    return endpoint


async def _tidy(pages: Pages) -> None:
    while True:
        await asyncio.sleep(_SECONDS_BETWEEN_TIDYING)
        try:
            await pages.requests.run(pages.sessions.tidy)
        except Exception:  # of one session, which must not keep the others from being closed
            _LOG.exception("a session could not be paused or closed")
