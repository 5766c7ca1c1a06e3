"""Training several short epochs at once though the last of them may turn out not to be wanted."""

from collections.abc import Callable, Generator, Iterator

from chainrule.training.events import Event
from chainrule.training.plan import Plan
from chainrule.training.state import State

SECONDS_AHEAD = 0.001
"""For how long to train at once. A call of the engine costs some 70 µs around its steps, as much as
a dozen epochs of a tiny table; what is taken back costs at most twice this."""


def train_ahead(
    plan: Plan,
    state: State,
    epochs: range,
    train: Callable[[range], Iterator[Event]],
) -> Generator[Event, None, int]:
    """Yield the events of epochs that `train` takes at once; take back those that nobody wants.

    After an event, whoever consumes them may close this generator, or exchange the optimizer.
    Parameters, the optimizer's state and the orders are then those after that epoch, with the same
    bits as if each had been trained alone.

    Parameters
    ----------
    plan : Plan
        With its `orders`.
    state : State
    epochs : range
    train : callable
        Trains a range of epochs at once and yields an event for each.

    Returns
    -------
    int
        At its end: how many epochs stand.
    """
    optimizer, memory = state.optimizer, state.memory
    assert memory is not None
    assert plan.orders is not None
    parameters, remembered = state.parameters.copy(), memory.copy()
    orders_back = plan.orders.mark()

    def only(wanted: int) -> None:
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
            if state.optimizer is not optimizer:
                break
    except GeneratorExit:
        if ended < len(epochs):
            only(ended)
        raise
    if ended < len(epochs):
        exchanged, state.optimizer = state.optimizer, optimizer
        only(ended)
        state.optimizer = exchanged
    return ended
