"""Who may talk to the server: Host, Origin and token of a request, and the headers of responses.

A page of another site can send requests to a server on this machine, by its address or by a name of
its own that it lets point there (DNS rebinding). It can set neither `Host` nor `Origin`, so both
are checked. No cookies are used: what the page must prove, it has in its own address.
"""

import hmac
import ipaddress
import secrets
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketClose

from chainrule.playground.server.address import is_loopback

_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_NOTEBOOKS = "'self' http://localhost:* http://127.0.0.1:* https://localhost:* vscode-webview:"


@dataclass(frozen=True)
class Guard:
    """The rules for requests.

    Parameters
    ----------
    host : str
        The host name or address that the server listens at.
    token : str, optional
        What requests other than those for the page's files must have in their query; None: nothing.
    framed : bool
        Whether a notebook may show the page in a frame.
    """

    host: str
    token: str | None = None
    framed: bool = False

    @classmethod
    def of(cls, host: str, *, framed: bool = False) -> "Guard":
        """Return the rules for a server at this host: with a new token, unless it is loopback."""
        return cls(host, None if is_loopback(host) else secrets.token_urlsafe(24), framed)

    def refusal(self, scope: Scope) -> tuple[int, str] | None:
        """Return the status and the sentence with which a request is refused; None: it is not."""
        headers = Headers(scope=scope)
        host = _host_of(headers.get("host", ""))
        if host is None or not self._knows(host):
            return 421, (
                "The Host header names another server. Open the page at the address that chainrule "
                "printed."
            )
        origin = headers.get("origin")
        if origin is not None and not _same(origin, headers["host"]):
            return 403, "The request comes from a page of another site."
        # Requests without an Origin, such as those of images, tell their source in this header.
        if origin is None and headers.get("sec-fetch-site") in ("cross-site", "same-site"):
            opened = headers.get("sec-fetch-mode") == "navigate" and scope["path"] == "/"
            if not opened:
                return 403, "The request comes from a page of another site."
        if not self._has_token(scope):
            return 403, (
                "The token is missing or wrong. Open the page at the full address that chainrule "
                "printed."
            )
        return None

    def _knows(self, host: str) -> bool:
        """Return whether a Host header can be one of this server's.

        An address cannot be rebound, since no name is looked up for it; so where the server is open
        to other machines, any address will do.
        """
        if host in _LOOPBACK:
            return True
        if is_loopback(self.host):
            return host == self.host
        names = {self.host, socket.gethostname(), socket.getfqdn()}
        return _is_address(host) or host in {name.lower() for name in names}

    def _has_token(self, scope: Scope) -> bool:
        if self.token is None or scope.get("state", {}).get("is_asset"):
            return True
        query = parse_qs(scope.get("query_string", b"").decode("latin-1"), max_num_fields=100)
        given = query.get("token", [""])[-1]
        return hmac.compare_digest(given.encode(), self.token.encode())

    def headers(self, host: str) -> Mapping[str, str]:
        """Return the headers of every response; `host` is the Host header of the request."""
        # 'self' includes WebSockets by the standard, but not in every browser.
        ancestors = _NOTEBOOKS if self.framed else "'none'"
        policy = (
            f"default-src 'none'; script-src 'self'; style-src 'self'; "
            f"connect-src 'self' ws://{host}; img-src 'self' data: blob:; font-src 'self'; "
            f"base-uri 'none'; form-action 'none'; frame-ancestors {ancestors}"
        )
        return {
            "Content-Security-Policy": policy,
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
        }


class Guarded:
    """An ASGI application behind a guard.

    Parameters
    ----------
    app : ASGI application
    guard : Guard
    assets : collection of str
        The paths of the page's files, which need no token: they are the same for everybody, and the
        browser asks for them without it.
    """

    def __init__(self, app: ASGIApp, guard: Guard, assets: Any = ()) -> None:
        self._app, self._guard, self._assets = app, guard, frozenset(assets)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        scope.setdefault("state", {})["is_asset"] = scope["path"] in self._assets
        try:
            refused = self._guard.refusal(scope)
        except ValueError:  # a query of too many fields
            refused = 400, "The query is malformed."
        if scope["type"] == "websocket":
            # Closed before it is accepted: the browser is answered with status 403.
            await (WebSocketClose() if refused else self._app)(scope, receive, send)
            return
        headers = self._guard.headers(_printed(Headers(scope=scope).get("host", "")))

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                into = MutableHeaders(scope=message)
                for name, value in headers.items():
                    into[name] = value
                into.setdefault("Cache-Control", "no-store")
            await send(message)

        answer = self._app
        if refused:
            answer = PlainTextResponse(refused[1] + "\n", refused[0])
        await answer(scope, receive, send_with_headers)


def _host_of(header: str) -> str | None:
    """Return the name or address in a Host header, without the port; None if it is malformed."""
    try:
        parts = urlsplit(f"//{header}")
        _ = parts.port  # raises if it is no number
    except ValueError:
        return None
    plain = parts.netloc == header and "@" not in header and not parts.path
    return parts.hostname.lower() if plain and parts.hostname else None


def _printed(header: str) -> str:
    """Return a Host header for a policy; "" for one that could add something to it."""
    ok = _host_of(header) is not None and not set(header) & set(" ;,'\"*\\\t")
    return header if ok else ""


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _same(origin: str, host: str) -> bool:
    """Return whether an Origin is that of a page of this server, as the Host header names it."""
    scheme, found, rest = origin.partition("://")
    return bool(found) and scheme in ("http", "https") and rest.lower() == host.lower()
