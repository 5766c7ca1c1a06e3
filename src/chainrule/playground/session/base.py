"""What the server knows of a session: requests, frames, downloads, and the pages connected."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple, Protocol

from chainrule.errors import ChainruleError, InvalidArgumentError

Message = dict[str, Any]


class TooManySessionsError(ChainruleError, RuntimeError):
    """As many sessions are open as a server keeps at once."""


class ReadOnlyError(InvalidArgumentError):
    """A session that only shows a training was asked to change it."""


class Frame(NamedTuple):
    """A snapshot as the bytes that a page receives.

    Parameters
    ----------
    version : int
        Grows with every new snapshot or view of a session; see `Client.seen`.
    data : bytes
        The layout of `chainrule.playground.session.layout`.
    """

    version: int
    data: bytes


@dataclass(frozen=True)
class View:
    """What one page looks at.

    Parameters
    ----------
    plane : tuple of str, or "pca", optional
        The two columns that span the plane of the output map, or the plane of the two principal
        components of the encoded inputs; None: what suits the table.
    detail : tuple of int, optional
        Layer (1-based) and unit (0-based) of the large map; None: none is drawn.
    backward : bool
        Whether frames carry gradients beside values.
    hidden : bool
        Whether the page is not visible, so that it needs no frames.
    """

    plane: tuple[str, str] | Literal["pca"] | None = None
    detail: tuple[int, int] | None = None
    backward: bool = False
    hidden: bool = False


@dataclass(eq=False)
class Client:
    """One connected page.

    Parameters
    ----------
    push : callable
        Called with a message (a dict with a "type"): sends it, or keeps it as the latest of its
        type until it can be sent. It may be called from any thread, and returns at once.
    view : View
        What the page looks at; the session replaces it for a request "view".
    seen : int
        The version of the last frame that the page received. The session's `frame` sets it.
    """

    push: Callable[[Message], None]
    view: View = field(default_factory=View)
    seen: int = -1


class Session(Protocol):
    """A training, or a model, that pages look at.

    All methods may be called from any thread.
    """

    @property
    def read_only(self) -> bool:
        """Whether pages can only look."""

    def hello(self) -> Message:
        """Return the session's part of the first message: mode, catalog, start, tables, read_only.

        The server adds "type", "protocol" and "version".
        """

    def request(self, client: Client, message: Mapping[str, Any]) -> Any:
        """Return the value of the reply to a message; `message["type"]` says what is asked.

        Raises
        ------
        ChainruleError
            If the request is unknown, not permitted, or its arguments cannot be used.
        """

    def frame(self, client: Client) -> Frame | None:
        """Return the newest snapshot for the client's view; None if the client has seen it."""

    def connect(self, client: Client) -> None:
        """Add a page; it is pushed a description and a status at once."""

    def disconnect(self, client: Client) -> None:
        """Remove a page."""

    def download(self, kind: str) -> tuple[str, bytes, str]:
        """Return a file's name, content and media type.

        Raises
        ------
        ChainruleError
            If there is no such file, or none yet.
        """

    def upload(self, name: str, path: Path) -> Message:
        """Read a table that a page uploaded, and copy its file; return id and description.

        Raises
        ------
        ChainruleError
            If the file is no table.
        """

    def close(self) -> None:
        """End the training and free what the session keeps."""
