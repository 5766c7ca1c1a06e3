"""`play`: the playground, from Python."""

import sys
from collections.abc import Mapping
from typing import Any

from chainrule.limits import FLAG
from chainrule.playground.handle import Playground
from chainrule.playground.installation import require_extra
from chainrule.playground.sources import joined, opened
from chainrule.printable import printable
from chainrule.training.notebook import in_notebook

_OF_TOYS = ("noise", "rows")


def play(
    source: Any = None,
    target: str | None = None,
    *,
    host: str = "127.0.0.1",
    port: int | None = None,
    open_browser: bool | None = None,
    block: bool | None = None,
    **state: Any,
) -> Playground:
    """Open the playground: a page in which you build, train and inspect a network.

    It needs ``pip install 'chainrule[play]'``, and works without a connection to the internet. The
    same page opens with the command ``chainrule play``.

    Parameters
    ----------
    source : optional
        What to play with: a table (a path, a polars or pandas DataFrame, an Arrow table), the
        folder of a run, which is trained again, a model or its file, or the `Run`
        that `train` returned. By default, toy data.
    target : str, optional
        The column of the table to predict; by default, the page asks.
    host : str, default "127.0.0.1"
        The name or address to listen at. If it can be reached from other machines, the address
        contains a random token.
    port : int, optional
        By default the first free one from 8765 on.
    open_browser : bool, optional
        Whether the page is opened in a browser; by default, from scripts.
    block : bool, optional
        Whether the call waits for Ctrl-C, which stops the page; by default, in scripts, but neither
        in notebooks nor at a prompt.
    **state
        What the page starts with: ``data="spiral"`` (with ``noise`` and ``rows``), ``inputs=["x1",
        "x2"]``, and any option of training, such as ``layers=[8, 8]`` or ``learning_rate=0.1``.

    Returns
    -------
    Playground
        Its `url` is the address, and its `stop` stops the server; a notebook shows the page.

    Raises
    ------
    InvalidArgumentError
        If an argument is invalid, or the extra is not installed.
    InvalidTableError, InvalidModelFileError
        If a table or a model cannot be read.

    Examples
    --------
    >>> import chainrule as cr
    >>> page = cr.play(data="spiral", layers=[8, 8], port=0, block=False, open_browser=False)
    >>> page.is_running
    True
    >>> page.stop()
    """
    require_extra("play")
    for name, value in (("open_browser", open_browser), ("block", block)):
        if value is not None:
            FLAG.require(value, f"{name}: expected")
    page = start(source, target, state_of(state), host=host, port=port)
    waits = not _is_interactive() if block is None else block
    if open_browser or (open_browser is None and waits):
        page.open()
    if waits:
        told = f"chainrule: the playground is at {page.url} (press Ctrl-C to stop it)"
        try:
            print(printable(told), flush=True)
            page.wait()
        except KeyboardInterrupt:  # before `wait`, which handles it
            page.stop()
    return page


def start(
    source: Any,
    target: str | None,
    state: Mapping[str, Any],
    *,
    host: str = "127.0.0.1",
    port: int | None = None,
) -> Playground:
    """Serve a page and return at once; see `play`.

    If the source is the folder of a run that is being trained with --live, this is that run's page.
    """
    from chainrule.playground.server.process import Server

    address = joined(source)
    if address is not None:
        return Playground(address, None)
    sessions = opened(source, target, state)
    try:
        server = Server(sessions, host, port, framed=in_notebook())
    except BaseException:
        sessions.close()
        raise
    return Playground(server.url, server)


def state_of(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the state of the page, as its address has it, that keywords ask for.

    Examples
    --------
    >>> from chainrule.playground.interface import state_of
    >>> state_of({"data": "xor", "noise": 10, "layers": [4], "inputs": ["x1"]})
    {'data': {'name': 'xor', 'noise': 10}, 'inputs': ['x1'], 'settings': {'layers': [4]}}
    """
    state: dict[str, Any] = {}
    data = given.get("data")
    toy = {name: given[name] for name in _OF_TOYS if name in given}
    if data is not None or toy:
        state["data"] = {
            **(data if isinstance(data, Mapping) else {"name": data or "circle"}),
            **toy,
        }
    if "inputs" in given:
        state["inputs"] = given["inputs"]
    settings = {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in given.items()
        if name not in ("data", "inputs", *_OF_TOYS)
    }
    if settings:
        state["settings"] = settings
    return state


def _is_interactive() -> bool:
    """Return whether the user can work while the page is open: in a notebook or at a prompt."""
    return in_notebook() or hasattr(sys, "ps1") or bool(sys.flags.interactive)
