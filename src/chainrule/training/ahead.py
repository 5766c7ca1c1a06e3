"""Training several short epochs at once though the last of them may turn out not to be wanted."""

from collections.abc import Callable, Generator, Iterator
from typing import TYPE_CHECKING

from chainrule.training.events import Event

if TYPE_CHECKING:
    from chainrule.training.loop import Training

SECONDS_AHEAD = 0.001
"""For how long to train at once. A call of the engine costs some 70 µs around its steps, as much as
a dozen epochs of a tiny table; what is taken back costs at most twice this."""


def train_ahead(
    training: "Training",
    epochs: range,
    train: Callable[[range], Iterator[Event]],
) -> Generator[Event, None, int]:
    """Yield the events of epochs that `train` takes at once; take back those that nobody wants.

    After an event, whoever consumes them may close this generator, or exchange the optimizer.
    Parameters, the optimizer's state and the orders are then those after that epoch, with the same
    bits as if each had been trained alone.

    Parameters
    ----------
    training : Training
        With its `state` and its `mark`.
    epochs : range
    train : callable
        Trains a range of epochs at once and yields an event for each.

    Returns
    -------
    int
        At its end: how many epochs stand.
    """
    state, optimizer = training.state, training.optimizer
    assert state is not None
    parameters, slots, t = training.parameters.copy(), state.slots.copy(), state.t
    assert training.mark is not None
    orders_back = training.mark()

    def only(wanted: int) -> None:
        training.parameters[...], state.slots[...], state.t = parameters, slots, t
        orders_back()
        if wanted:
            for _ in train(epochs[:wanted]):
                pass

    ended = 0
    try:
        for event in train(epochs):
            ended += 1
            yield event
            if training.optimizer is not optimizer:
                break
    except GeneratorExit:
        if ended < len(epochs):
            only(ended)
        raise
    if ended < len(epochs):
        exchanged, training.optimizer = training.optimizer, optimizer
        only(ended)
        training.optimizer = exchanged
    return ended
