"""The progress of an ensemble's training, one line that is renewed in a terminal."""

import sys
from typing import IO

from chainrule.ensembles.members import MemberEnded
from chainrule.training.progress_text import time_text

# Elsewhere than in a terminal, so many lines in all.
_LINES = 10


class MemberProgress:
    """Shows each network of an ensemble when its training ends, on standard error.

    Parameters
    ----------
    file : text file, optional
        By default standard error.
    """

    def __init__(self, file: IO[str] | None = None) -> None:
        self._file = sys.stderr if file is None else file
        self._live = self._file.isatty()
        self._open = False

    def __call__(self, ended: MemberEnded) -> None:
        """Show a network whose training ended."""
        if not self._live and not has_line(ended):
            return
        line = member_text(ended)
        if self._live:
            self._file.write(f"\r\x1b[K{line}")
            self._open = True
        else:
            self._file.write(f"{line}\n")
        self._file.flush()

    def close(self) -> None:
        """End the line in a terminal."""
        if self._open:
            self._file.write("\n")
            self._file.flush()
            self._open = False


def has_line(ended: MemberEnded) -> bool:
    """Whether a network has a line where lines stay: the first, the last, and some in between."""
    every = max(1, ended.planned // _LINES)
    return ended.trained in (1, ended.planned) or ended.trained % every == 0


def member_text(ended: MemberEnded) -> str:
    """Return a line about a network whose training ended.

    Examples
    --------
    >>> from chainrule.ensembles.members import Place
    >>> member_text(MemberEnded(Place(1, 2), 8, 40, 0.25, 0.22, 4.2))
    'network 8/40  loss on its fold 0.25  ensemble 0.22  0:04'
    """
    parts = [f"network {ended.trained}/{ended.planned}", f"loss on its fold {ended.loss:.4g}"]
    if ended.ensemble_loss is not None:
        parts.append(f"ensemble {ended.ensemble_loss:.4g}")
    return "  ".join([*parts, time_text(ended.seconds)])
