"""Progress of a training: a live line in a terminal, plain lines elsewhere, JSON for machines."""

import contextlib
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from typing import IO, TYPE_CHECKING, Any

from chainrule.cli.progress_line import Part, Watch, duration, fitted_line, short_number
from chainrule.cli.streams import say, say_json, say_sentence
from chainrule.ensembles.progress import has_line, member_text
from chainrule.training.events import (
    EpochEnded,
    Event,
    Resumed,
    StepsEnded,
    Stopped,
    TrainingStarted,
)
from chainrule.training.progress_text import ended_text

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.live import Live
    from rich.text import Text

    from chainrule.cli.screen import Screen
    from chainrule.ensembles.members import MemberEnded


class JSONLines:
    """Writes each event as a line of JSON to standard output."""

    def __init__(self, file: IO[str] | None = None) -> None:
        self._file = file

    def __call__(self, event: Event) -> None:
        """Consume an event."""
        if isinstance(event, TrainingStarted):
            self.write("started", asdict(event))
        elif isinstance(event, Resumed):
            self.write("resumed", {"epochs": len(event.epochs)})
        elif isinstance(event, EpochEnded):
            self.write("epoch", event.row())
        elif isinstance(event, Stopped):
            self.write("stopped", asdict(event))

    def write(self, name: str, entries: Mapping[str, Any]) -> None:
        """Write a line, with null for numbers that are not finite."""
        finite = {key: _finite(value) for key, value in entries.items()}
        say_json({"event": name, **finite}, self._file)


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and value - value != 0 else value


def plain_line(watch: Watch, event: EpochEnded, early_stopping: bool) -> str:
    """Return a line that describes an epoch, for a file or a pipe."""
    parts = [f"loss {event.loss:.4g}"]
    if event.validation_loss is not None:
        parts.append(f"validation {event.validation_loss:.4g}")
    parts += [f"{name} {value:.4g}" for name, value in event.validation_metrics.items()]
    if early_stopping and watch.best is not None:
        parts.append(f"best {watch.best.validation_loss:.4g} in epoch {watch.best.epoch}")
    parts.append(f"{short_number(watch.rate)} rows/s")
    return "  ".join(parts)


# Within an epoch, a line is written at most so often.
_SECONDS_A_LINE = 30.0


class PlainProgress:
    """About a dozen lines on standard error: the first and last epochs, and some in between.

    In epochs that take minutes, a line every half a minute.
    """

    def __init__(self, early_stopping: bool, clock: Callable[[], float] = time.monotonic) -> None:
        self._watch, self._early = Watch(early_stopping, clock), early_stopping
        self._last: EpochEnded | None = None
        self._shown = 0
        self._clock, self._wrote = clock, clock()

    def __call__(self, event: Event) -> None:
        """Consume an event."""
        self._watch(event)
        if isinstance(event, StepsEnded) and self._clock() - self._wrote >= _SECONDS_A_LINE:
            self._wrote = self._clock()
            say(self._watch.within_epoch(event), error=True)
        if isinstance(event, EpochEnded):
            self._last, done = event, self._watch.done
            if done in (1, self._watch.epochs) or done % max(1, self._watch.epochs // 10) == 0:
                self._show(event)
        elif isinstance(event, Stopped):
            if self._last is not None and self._shown != self._watch.done:
                self._show(self._last)
            if event.reason != "finished":
                say_sentence(ended_text(event), error=True)

    def close(self) -> None:
        """Do nothing: plain lines need no clean-up."""

    def _show(self, event: EpochEnded) -> None:
        self._shown, self._wrote = self._watch.done, self._clock()
        done = f"epoch {self._watch.done}/{self._watch.epochs}"
        say(f"{done}  {plain_line(self._watch, event, self._early)}", error=True)


class LiveProgress:
    """A line in a terminal that is updated during the training, and fits into its width."""

    def __init__(self, early_stopping: bool) -> None:
        from chainrule.cli.displays import console

        self._watch = Watch(early_stopping)
        self._screen = console(error=True)
        self._live = live(self._screen, lambda: line_of(self._screen, self._watch))

    def __call__(self, event: Event) -> None:
        """Consume an event."""
        self._watch(event)
        if isinstance(event, TrainingStarted):
            self._live.start()
        elif isinstance(event, Stopped):
            self.close()
            if event.reason != "finished":
                say_sentence(ended_text(event), error=True)

    def close(self) -> None:
        """End the display, with its last line left in place."""
        self._live.stop()


def live(screen: "Screen", drawn: "Callable[[], RenderableType]", **options: Any) -> "Live":
    """Return a display that is redrawn eight times a second, not yet started."""
    from rich.live import Live

    # Redirected streams would escape the control sequences that move the cursor.
    return Live(
        get_renderable=drawn,
        console=screen,
        refresh_per_second=8,
        redirect_stdout=False,
        redirect_stderr=False,
        **options,
    )


@contextlib.contextmanager
def working(what: str) -> Iterator[None]:
    """Show a slow step and its duration in a terminal until the block ends."""
    from rich.text import Text

    from chainrule.cli.displays import console

    screen = console(error=True)
    if not screen.is_terminal:
        yield
        return
    began = time.perf_counter()

    def drawn() -> Text:
        seconds = time.perf_counter() - began
        took = f"  {duration(seconds)}" if seconds >= 2 else ""
        text = Text(f"{what}…{took}", no_wrap=True, overflow="ellipsis", end="")
        text.truncate(screen.width - 3, overflow="ellipsis")
        return text

    with live(screen, drawn, transient=True):
        yield


def line_of(screen: "Screen", watch: Watch) -> "Text":
    """Return the line of progress that fits into a terminal."""
    from rich.text import Text

    # Room for the ^C that a terminal shows, which would otherwise begin a new line.
    full, empty = ("━", "─") if screen.encoding.startswith("utf") else ("#", "-")
    line = fitted_line(watch.parts(), watch.share, screen.width - 3, full, empty)
    return Text(line, no_wrap=True, overflow="crop", end="")


def progress_for_people(early_stopping: bool) -> "PlainProgress | LiveProgress":
    """Return the live display if standard error is a terminal, otherwise the plain one."""
    return LiveProgress(early_stopping) if sys.stderr.isatty() else PlainProgress(early_stopping)


class PlainMembers:
    """About a dozen lines on standard error: the first and last networks, and some in between."""

    def __call__(self, ended: "MemberEnded") -> None:
        """Show a network whose training ended."""
        if has_line(ended):
            say(member_text(ended), error=True)

    def close(self) -> None:
        """Do nothing: plain lines need no clean-up."""


class LiveMembers:
    """A line in a terminal that is updated while the networks of an ensemble are trained."""

    def __init__(self) -> None:
        from chainrule.cli.displays import console

        self._screen = console(error=True)
        self._began = time.perf_counter()
        self._last: MemberEnded | None = None
        self._live = live(self._screen, self._drawn)
        self._live.start()

    def __call__(self, ended: "MemberEnded") -> None:
        """Show a network whose training ended."""
        self._last = ended

    def close(self) -> None:
        """End the display, with its last line left in place."""
        self._live.stop()

    def _drawn(self) -> "Text":
        last, took = self._last, duration(time.perf_counter() - self._began)
        if last is None:
            return self._line([Part(("training the first networks",), 2), Part((took,), 1)], 0.0)
        parts = [Part((f"network {last.trained}/{last.planned}",), 4)]
        if last.ensemble_loss is not None:
            score = f"{last.ensemble_loss:.4g}"
            parts.append(Part((f"loss out of fold {score}", f"loss {score}"), 3))
        return self._line([*parts, Part((took,), 2)], last.trained / last.planned)

    def _line(self, parts: "list[Part]", share: float) -> "Text":
        from rich.text import Text

        full, empty = ("━", "─") if self._screen.encoding.startswith("utf") else ("#", "-")
        line = fitted_line(parts, share, self._screen.width - 3, full, empty)
        return Text(line, no_wrap=True, overflow="crop", end="")


def members_for_people() -> "PlainMembers | LiveMembers":
    """Return the live display if standard error is a terminal, otherwise the plain one."""
    return LiveMembers() if sys.stderr.isatty() else PlainMembers()
