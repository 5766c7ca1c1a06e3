"""Progress of a search: a live table of the best trials, one line per trial, or JSON."""

import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from chainrule.cli.streams import say
from chainrule.training.events import Callback, EpochEnded, Event

if TYPE_CHECKING:
    from rich.table import Table

    from chainrule.cli.progress import JSONLines
    from chainrule.runs.search import Found, Tried

_SHOWN = 8


class SearchDisplay:
    """A display that shows nothing; the base of all others."""

    callbacks: Sequence[Callback] = ()

    def told(self, tried: "Tried", all_of_them: "Sequence[Tried]") -> None:
        """Show a finished trial, given all trials so far."""

    def close(self) -> None:
        """End the display."""


class SearchLines(SearchDisplay):
    """One line of JSON per trial."""

    def __init__(self, lines: "JSONLines") -> None:
        self._lines = lines

    def told(self, tried: "Tried", all_of_them: "Sequence[Tried]") -> None:
        """Write a line."""
        best = min((t.loss for t in all_of_them if t.loss is not None), default=None)
        self._lines.write("trial", {**vars(tried), "best_loss": best})


class PlainSearch(SearchDisplay):
    """One line per trial on standard error."""

    def __init__(self, trials: int | None) -> None:
        self._of = "" if trials is None else f"/{trials}"

    def told(self, tried: "Tried", all_of_them: "Sequence[Tried]") -> None:
        """Show a line."""
        best = ranked(all_of_them)
        mark = "  the best so far" if best and best[0] is tried else ""
        line = f"trial {tried.number}{self._of}  {outcome(tried)}  {described(tried)}{mark}"
        say(line, error=True)


class LiveSearch(SearchDisplay):
    """A table of the best trials in a terminal, with the current trial below it."""

    def __init__(self, trials: int | None, seconds: float | None) -> None:
        from chainrule.cli.displays import console
        from chainrule.cli.progress import live

        self.callbacks = (self._follow,)
        self._trials, self._seconds = trials, seconds
        self._began = time.monotonic()
        self._tried: Sequence[Tried] = ()
        self._epoch = 0
        self._running = True
        self._live = live(console(error=True), self._shown)
        self._live.start()

    def _follow(self, event: Event) -> None:
        if isinstance(event, EpochEnded):
            self._epoch = event.epoch

    def told(self, tried: "Tried", all_of_them: "Sequence[Tried]") -> None:
        """Add the trial to the table."""
        self._tried, self._epoch = all_of_them, 0

    def close(self) -> None:
        """End the display, with the table left in place."""
        self._running = False
        self._live.stop()

    def _shown(self) -> "Table":
        from rich import box
        from rich.table import Table

        of = "" if self._trials is None else f" of {self._trials}"
        passed = time.monotonic() - self._began
        left = "" if self._seconds is None else f", {max(0.0, self._seconds - passed):.0f} s left"
        done = len(self._tried)
        now = f"trial {done + 1}{of}, epoch {self._epoch}" if self._running else f"{done} trials"
        now += f", {passed:.0f} s{left}"
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, caption=now, caption_justify="left")
        for name in ("trial", "loss", "epochs", "seconds", "settings"):
            table.add_column(name, justify="left" if name == "settings" else "right")
        for one in ranked(self._tried)[:_SHOWN]:
            numbers = f"{one.loss:.5g}", str(one.epochs), f"{one.seconds:.1f}"
            table.add_row(str(one.number), *numbers, described(one))
        return table


def search_for_people(trials: int | None, seconds: float | None) -> PlainSearch | LiveSearch:
    """Return the live display if standard error is a terminal, otherwise the plain one."""
    return LiveSearch(trials, seconds) if sys.stderr.isatty() else PlainSearch(trials)


def ranked(tried: "Sequence[Tried]") -> "list[Tried]":
    """Return the trials that were trained to the end, the best one first."""
    whole = [one for one in tried if one.loss is not None and not one.pruned]
    return sorted(whole, key=lambda one: one.loss or 0.0)


def outcome(tried: "Tried") -> str:
    """Return how a trial ended."""
    if tried.loss is None:
        return "diverged"
    early = f" (pruned after {tried.epochs} epochs)" if tried.pruned else ""
    return f"validation loss {tried.loss:.5g}{early}"


def described(tried: "Tried") -> str:
    """Return a trial's settings in one line."""
    return ", ".join(f"{name} {_short(value)}" for name, value in tried.settings.items())


def best_of(found: "Found") -> str:
    """Return a line that describes the best trial."""
    best = ranked(found.tried)[0]
    trials = "1 trial" if len(found.tried) == 1 else f"{len(found.tried)} trials"
    return (
        f"Best of {trials}: trial {best.number}, validation loss {best.loss:.5g} "
        f"({described(best)})"
    )


def _short(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
