"""What a page asks about a moment: each request's message is checked and answered here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from chainrule.engines.base import Examples, Floats
from chainrule.playground.inspection.equations_view import equations_view
from chainrule.playground.inspection.measures import measures
from chainrule.playground.inspection.one_gradient import checked_gradient
from chainrule.playground.inspection.places import whole
from chainrule.playground.inspection.surface import loss_surface
from chainrule.playground.session.snapshot import Snapshot
from chainrule.tables.target import TargetEncoder

Answer = dict[str, Any]


def _no_path() -> tuple[list[Floats], list[int]]:
    return [], []


@dataclass(frozen=True)
class Inspected:
    """What requests are about: a moment, and what the network's inputs and outputs mean.

    Parameters
    ----------
    snapshot : Snapshot
    features : tuple of str
        The names of the network's inputs.
    target : TargetEncoder
    example : callable
        Returns one row of the data, as the engines take it, by the number that the page knows.
    path : callable, optional
        Returns the parameters of earlier epochs, and these epochs.
    cancelled : callable, optional
        Whether the answer is no longer wanted.
    """

    snapshot: Snapshot
    features: tuple[str, ...]
    target: TargetEncoder
    example: Callable[[int], Examples]
    path: Callable[[], tuple[list[Floats], list[int]]] = _no_path
    cancelled: Callable[[], bool] = lambda: False

    def examples(self, message: Mapping[str, Any]) -> Examples | None:
        """Return the example that a message names; None if it names none."""
        if message.get("example") is None:
            return None
        return self.example(whole(message, "example"))


def inspect(inspected: Inspected, message: Mapping[str, Any]) -> Answer:
    """Answer "inspect": the equations of a step with their numbers; see `equations_view`."""
    view = equations_view(
        inspected.snapshot,
        inspected.features,
        inspected.target,
        inspected.examples(message),
        message.get("subject"),
    )
    return {"example": message.get("example"), **view}


def check_gradient(inspected: Inspected, message: Mapping[str, Any]) -> Answer:
    """Answer "gradient_check": one parameter's gradient, twice; see `checked_gradient`."""
    return checked_gradient(
        inspected.snapshot,
        str(message.get("name")),
        whole(message, "layer"),
        whole(message, "row"),
        whole(message, "column", 0),
        inspected.examples(message),
    )


def slice_surface(inspected: Inspected, message: Mapping[str, Any]) -> Answer:
    """Answer "surface": the loss on a plane through the parameters; see `loss_surface`."""
    path, epochs = inspected.path()
    return loss_surface(
        inspected.snapshot,
        message.get("directions", "random"),
        whole(message, "seed", 0),
        whole(message, "size", 21),
        message.get("span", 1.0),
        path,
        epochs,
        inspected.cancelled,
    )


def measure(inspected: Inspected, message: Mapping[str, Any]) -> Answer:
    """Answer "measures": scores, curves and histograms; see `measures`."""
    return measures(inspected.snapshot, inspected.target, inspected.snapshot.test)


REQUESTS: Mapping[str, Callable[[Inspected, Mapping[str, Any]], Answer]] = MappingProxyType(
    {
        "inspect": inspect,
        "gradient_check": check_gradient,
        "surface": slice_surface,
        "measures": measure,
    }
)
"""The answers by the type of the message."""
