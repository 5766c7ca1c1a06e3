"""A progress line in a notebook: one output that is updated, without widgets."""

import sys
import time
from html import escape
from typing import Any

from chainrule.printable import printable

# A browser shows no more than some updates a second; a kernel sends each of them over a socket.
_SECONDS_BETWEEN = 0.1


def in_notebook() -> bool:
    """Return whether this process is the kernel of a notebook, which can display HTML."""
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    return getattr(shell, "kernel", None) is not None


class NotebookLine:
    """One displayed line, which each call of `show` replaces."""

    def __init__(self) -> None:
        self._handle: Any = None
        self._shown = 0.0

    def show(self, share: float, text: str, *, last: bool = False) -> None:
        """Show a bar and a text; updates that follow each other too fast are left out.

        Parameters
        ----------
        share : float
            The part of the training that is done, from 0 to 1.
        text : str
        last : bool
            Whether this is the last update, which is always shown.
        """
        now = time.perf_counter()
        if self._handle is not None and not last and now - self._shown < _SECONDS_BETWEEN:
            return
        self._shown = now
        # Only a kernel gets here, which has imported this module; the package does not need it.
        ipython: Any = sys.modules["IPython.display"]
        line = ipython.HTML(_html(share, text))
        if self._handle is None:
            self._handle = ipython.display(line, display_id=True)
        else:
            self._handle.update(line)


def _html(share: float, text: str) -> str:
    shown = escape(printable(text))
    return (
        '<div style="font-variant-numeric:tabular-nums">'
        f'<progress value="{share:.4f}" max="1" style="vertical-align:middle;width:14em">'
        f"</progress> {shown}</div>"
    )
