"""Training several short epochs in one call, speculatively: the last ones may not be wanted."""

from collections.abc import Callable, Generator, Iterator

from chainrule.training.events import Event
from chainrule.training.plan import Plan
from chainrule.training.state import State

SECONDS_AHEAD = 0.001
"""How much training to do ahead. A call of the engine has an overhead of some 70 µs, as much as a
dozen epochs of a tiny table. Undoing costs at most twice this time."""


def train_ahead(
    plan: Plan,
    state: State,
    epochs: range,
    train: Callable[[range], Iterator[Event]],
) -> Generator[Event, None, int]:
    """Yield the events of epochs that `train` trains in one call; undo those that are not wanted.

    After an event, the consumer may close this generator, or replace the optimizer. Parameters, the
    optimizer's state and the orders are then reset to those after that epoch, with the same bits as
    if each epoch had been trained by itself.

    Parameters
    ----------
    plan : Plan
        A plan that has `orders`.
    state : State
    epochs : range
    train : callable
        Trains a range of epochs in one call, and yields an event for each.

    Returns
    -------
    int
        The number of epochs that remain trained.
    """
    optimizer, memory = state.optimizer, state.memory
    assert memory is not None
    assert plan.orders is not None
    parameters, remembered = state.parameters.copy(), memory.copy()
    orders_back = plan.orders.mark()

    def only(wanted: int) -> None:
        # Back to the beginning, and then the wanted epochs once more: cheaper than a copy of all
        # parameters after each epoch.
        state.parameters[...] = parameters
        memory.restore(remembered)
        orders_back()
        if wanted:
            for _ in train(epochs[:wanted]):
                pass

    ended = 0
    try:
        for event in train(epochs):
            ended += 1
            yield event
            # The epochs after this one were trained with the old learning rate.
            if state.optimizer is not optimizer:
                break
    except GeneratorExit:
        if ended < len(epochs):
            only(ended)
        raise
    if ended < len(epochs):
        # The wanted epochs are repeated with the optimizer that they were trained with.
        exchanged, state.optimizer = state.optimizer, optimizer
        only(ended)
        state.optimizer = exchanged
    return ended
