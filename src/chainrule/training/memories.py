"""Who remembers something across an interruption, beside the training itself."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from chainrule.training.events import Callback


class Remembers(Protocol):
    """Whoever decides on a training and has a memory: a callback that stops it early, for one.

    A callback with these two methods takes part in checkpoints.
    """

    def remember(self) -> Mapping[str, Any]:
        """Return the memory: arrays of numbers, numbers, texts, truth values and None, by name."""

    def recall(self, memory: Mapping[str, Any]) -> None:
        """Take back what `remember` returned; ValueError if it cannot be that."""


def memories_of(callbacks: Sequence[Callback]) -> dict[str, Remembers]:
    """Return the callbacks that take part in checkpoints, by name."""
    found: dict[str, Any] = {
        f"callback {place} ({type(callback).__name__})": callback
        for place, callback in enumerate(callbacks)
        if hasattr(callback, "remember") and hasattr(callback, "recall")
    }
    return found
