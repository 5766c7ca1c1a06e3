"""What happens during a training: the events that callbacks are called with.

A callback is a function of one event. It is called with every event of a training; if it returns
True after an `EpochEnded`, the training stops.

Examples
--------
>>> import chainrule as cr
>>> def until_good(event: cr.events.Event) -> bool:
...     return isinstance(event, cr.events.EpochEnded) and event.loss < 0.1
"""

from chainrule.training.events import (
    Callback,
    Checkpointed,
    EpochEnded,
    Event,
    Resumed,
    StepsEnded,
    Stopped,
    TrainingStarted,
)

__all__ = [
    "Callback",
    "Checkpointed",
    "EpochEnded",
    "Event",
    "Resumed",
    "StepsEnded",
    "Stopped",
    "TrainingStarted",
]
