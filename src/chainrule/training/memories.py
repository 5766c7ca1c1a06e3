"""Objects beside the training itself whose state is part of a checkpoint."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from chainrule.training.events import Callback


class Remembers(Protocol):
    """An object with a state that a resumed training needs, such as a callback that stops early.

    The state of a callback with these two methods is part of every checkpoint.
    """

    def remember(self) -> Mapping[str, Any]:
        """Return the state by name: numeric arrays, numbers, strings, booleans and None."""

    def recall(self, memory: Mapping[str, Any]) -> None:
        """Restore a state that `remember` returned; raise ValueError if it is invalid."""


def memories_of(callbacks: Sequence[Callback]) -> dict[str, Remembers]:
    """Return the callbacks whose state is part of checkpoints, by name."""
    found: dict[str, Any] = {
        f"callback {place} ({type(callback).__name__})": callback
        for place, callback in enumerate(callbacks)
        if hasattr(callback, "remember") and hasattr(callback, "recall")
    }
    return found
