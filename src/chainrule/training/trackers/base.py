"""The base class of trackers: record the settings, a row per epoch, and how the training ended."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any, ClassVar, Literal

from chainrule.errors import InvalidArgumentError
from chainrule.training.events import EpochEnded, Event, Resumed, Stopped, TrainingStarted
from chainrule.training.progress_text import ended_text

End = Literal["finished", "failed", "interrupted"]
"""How a training ended: as planned, early included; by an exception; by Ctrl-C or a signal."""


class Tracker(ABC):
    """Base class of the trackers; each training is recorded as a separate run.

    Parameters
    ----------
    settings : mapping, optional
        More settings to record in addition to those of the training.
    """

    package: ClassVar[str]
    """The client library."""
    extra: ClassVar[str]
    """The extra of chainrule that installs it."""

    def __init__(self, settings: Mapping[str, Any] | None = None) -> None:
        if find_spec(self.package) is None:
            raise InvalidArgumentError(
                f"{type(self).__name__}: needs the package {self.package}; install it with "
                f'pip install "chainrule[{self.extra}]"'
            )
        self.settings = {} if settings is None else dict(settings)
        self._wider: dict[str, Any] = {}
        self._is_open = False

    def describe(self, settings: Mapping[str, Any]) -> None:
        """Set what the caller of the next training knows of it, such as its table.

        Parameters
        ----------
        settings : mapping
        """
        self._wider = dict(settings)

    def __call__(self, event: Event) -> None:
        """Consume an event."""
        if isinstance(event, TrainingStarted):
            self._begin({**event.settings, **self._wider, **self.settings})
            self._is_open = True
        elif isinstance(event, Resumed):
            for epoch in event.epochs:
                self._record(epoch)
        elif isinstance(event, EpochEnded):
            self._record(event)
        elif isinstance(event, Stopped):
            text = ended_text(event) or "finished"
            self._summarise({"epochs": event.epochs, "best_epoch": event.best_epoch, "end": text})

    def training_ended(self, error: BaseException | None) -> None:
        """Close the run, after the last event or an error."""
        if not self._is_open:
            return
        self._is_open = False
        if error is None:
            self._close("finished")
        else:
            self._close("failed" if isinstance(error, Exception) else "interrupted")

    def _record(self, event: EpochEnded) -> None:
        row = event.row()
        self._log(int(row.pop("epoch")), row)

    @abstractmethod
    def _begin(self, settings: Mapping[str, Any]) -> None:
        """Begin a run, and record its settings."""

    @abstractmethod
    def _log(self, epoch: int, row: Mapping[str, float]) -> None:
        """Record the numbers of an epoch."""

    @abstractmethod
    def _summarise(self, facts: Mapping[str, Any]) -> None:
        """Record how the training ended; None stands for nothing to record."""

    @abstractmethod
    def _close(self, end: End) -> None:
        """End the run, with everything written."""
