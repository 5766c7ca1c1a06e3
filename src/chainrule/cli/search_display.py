"""Progress of a search: a live table of the best trials, one line per trial, or JSON."""

import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from chainrule.cli.streams import say
from chainrule.training.events import Callback

if TYPE_CHECKING:
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    from chainrule.cli.progress import JSONLines
    from chainrule.runs.search import Found
    from chainrule.runs.trial_study import Tried

_SHOWN = 8
_WIDE = 100


class SearchDisplay:
    """A display that shows nothing; the base of all others."""

    callbacks: Sequence[Callback] = ()

    def earlier(self, tried: "Sequence[Tried]") -> None:
        """Show the trials of an earlier call, which the search continues."""

    def joined(self, tried: "Sequence[Tried]") -> None:
        """Show the trials that had ended before this process joined a shared search."""
        self.earlier(tried)

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

    def earlier(self, tried: "Sequence[Tried]") -> None:
        """Show a line."""
        one = len(tried) == 1
        say(
            f"{len(tried)} {'trial' if one else 'trials'} of an earlier call "
            f"{'counts' if one else 'count'}",
            error=True,
        )

    def joined(self, tried: "Sequence[Tried]") -> None:
        """Show a line."""
        say(f"joined the search, in which {ended_of(tried)}", error=True)

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
        from chainrule.cli.progress_line import Watch

        self._watch = Watch(False)
        self.callbacks = (self._watch,)
        self._trials, self._seconds = trials, seconds
        self._began = time.monotonic()
        self._tried: Sequence[Tried] = ()
        self._running = True
        self._screen = console(error=True)
        self._live = live(self._screen, self._shown)
        self._live.start()

    def earlier(self, tried: "Sequence[Tried]") -> None:
        """Begin the table with these trials."""
        self._tried = tried

    def told(self, tried: "Tried", all_of_them: "Sequence[Tried]") -> None:
        """Add the trial to the table."""
        self._tried = all_of_them

    def close(self) -> None:
        """End the display, with the table left in place."""
        self._running = False
        self._live.stop()

    def _shown(self) -> "Group":
        from rich.console import Group

        return Group(trials_table(self._tried, self._screen.width), *self._now())

    def _now(self) -> "Iterator[Text]":
        """Yield the state of the search, and of the trial under way, each in one line."""
        from rich.text import Text

        from chainrule.cli.progress import line_of
        from chainrule.cli.progress_line import Part, duration, fitted_line

        passed, done = time.monotonic() - self._began, len(self._tried)
        parts = [Part((f"{done} {'trial' if done == 1 else 'trials'}",), 9)]
        if self._running:
            of = "" if self._trials is None else f"/{self._trials}"
            parts = [Part((f"trial {done + 1}{of}",), 9)]
        parts.append(Part((f"{duration(passed)} elapsed",), 1))
        if self._seconds is not None and self._running:
            parts.append(Part((f"{duration(self._seconds - passed)} left",), 2))
        line = fitted_line(parts, -1.0, self._screen.width - 3, "", "")
        yield Text(line, no_wrap=True, overflow="crop")
        if self._running and self._watch.epochs:
            yield line_of(self._screen, self._watch)


def trials_table(tried: "Sequence[Tried]", width: int) -> "Table":
    """Return a table of the best trials, whose settings are options, for a terminal's width."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    names = ["trial", "loss", *(["epochs", "seconds"] if width >= _WIDE else [])]
    for name in names:
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("settings", no_wrap=True, overflow="fold")
    shown = ranked(tried)[:_SHOWN]
    numbers = [
        (str(one.number), f"{one.loss:.5g}", str(one.epochs), f"{one.seconds:.1f}") for one in shown
    ]
    taken = sum(
        3 + max(len(cell) for cell in (name, *(row[place] for row in numbers)))
        for place, name in enumerate(names)
    )
    for one, row in zip(shown, numbers, strict=True):
        lines = wrapped_options(options_of(one.options), max(20, width - taken - 3))
        table.add_row(*row[: len(names)], Text("\n".join(lines)))
    return table


def wrapped_options(options: "Sequence[str]", width: int) -> list[str]:
    """Return options in lines of a width; no option is apart from its value."""
    lines: list[str] = []
    for option in options:
        if lines and len(lines[-1]) + 1 + len(option) <= width:
            lines[-1] += f" {option}"
        else:
            lines.append(option)
    return lines


def search_for_people(trials: int | None, seconds: float | None) -> PlainSearch | LiveSearch:
    """Return the live display if standard error is a terminal, otherwise the plain one."""
    return LiveSearch(trials, seconds) if sys.stderr.isatty() else PlainSearch(trials)


def ranked(tried: "Sequence[Tried]") -> "list[Tried]":
    """Return the trials that were trained to the end, the best one first."""
    whole = [one for one in tried if one.loss is not None and not one.pruned]
    return sorted(whole, key=lambda one: one.loss or 0.0)


def ended_of(tried: "Sequence[Tried]") -> str:
    """Return a clause that says how many trials have ended."""
    return "1 trial has ended" if len(tried) == 1 else f"{len(tried)} trials have ended"


def outcome(tried: "Tried") -> str:
    """Return how a trial ended."""
    if tried.loss is None:
        return "diverged"
    early = f" (pruned after {tried.epochs} epochs)" if tried.pruned else ""
    return f"validation loss {tried.loss:.5g}{early}"


def described(tried: "Tried") -> str:
    """Return a trial's settings as options, in one line."""
    return " ".join(options_of(tried.options))


def options_of(settings: "Mapping[str, Any]") -> list[str]:
    """Return settings as options, their numbers with three digits."""
    from chainrule.runs.command import options_of

    def short(value: Any) -> Any:
        return float(f"{value:.3g}") if isinstance(value, float) else value

    return options_of({name: short(value) for name, value in settings.items()})


def best_of(found: "Found") -> str:
    """Return a line that describes the best trial."""
    best = found.best
    trials = "1 trial" if len(found.tried) == 1 else f"{len(found.tried)} trials"
    same = ""
    if found.is_default:
        same = "; these are the default settings, and no other trial has a lower loss"
    return (
        f"Best of {trials}: trial {best.number}, validation loss {best.loss:.5g} "
        f"({described(best)}){same}"
    )
