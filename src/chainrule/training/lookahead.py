"""Training several short epochs in one call, speculatively: the last ones may not be wanted."""

from collections.abc import Generator, Iterator
from contextlib import closing
from typing import Protocol

from chainrule.training.epochs import Epochs
from chainrule.training.events import EpochEnded, Event
from chainrule.training.plan import Plan
from chainrule.training.state import State

SECONDS_AHEAD = 0.001
"""How much training to do ahead with an engine that does not end early. A call of the engine has
an overhead of some 100 µs, as much as several epochs of a tiny table. Undoing costs at most twice
this time."""


class Trains(Protocol):
    """Trains epochs in one call, and yields their events, or `Epochs`."""

    def __call__(self, epochs: range, *, ends_early: bool) -> Iterator[Event | Epochs]:
        """Train all of the epochs; fewer if `ends_early` and the stopping rule ends them."""


def train_ahead(
    plan: Plan, state: State, epochs: range, train: Trains
) -> Generator[Event | Epochs, None, int]:
    """Yield the events of epochs that `train` trains in one call; undo those that are not wanted.

    After an event, the consumer may close this generator, or replace the optimizer. Of `Epochs`, it
    may keep only the first ones. Parameters, the optimizer's state and the orders are then reset to
    those after that epoch, with the same bits as if each epoch had been trained by itself.

    Parameters
    ----------
    plan : Plan
        A plan that has `orders`.
    state : State
    epochs : range
    train : callable

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
    trained = wanted = 0

    def settle() -> None:
        if wanted == len(epochs):
            return
        assert plan.orders is not None
        orders_back()
        if wanted == trained:  # the engine ended there; only orders were drawn for more epochs
            if wanted:
                plan.orders(epochs[:wanted])
            return
        # Back to the beginning, and then the wanted epochs once more, with the optimizer that they
        # were trained with: cheaper than a copy of all parameters after each epoch.
        state.parameters[...] = parameters
        memory.restore(remembered)
        exchanged, state.optimizer = state.optimizer, optimizer
        if wanted:
            for _ in train(epochs[:wanted], ends_early=False):
                pass
        state.optimizer = exchanged

    try:
        for event in train(epochs, ends_early=True):
            if isinstance(event, Epochs):
                trained = len(event)
                try:
                    yield event
                finally:
                    wanted = len(event)
            else:
                wanted += isinstance(event, EpochEnded)
                yield event
            # The epochs after this one were trained with the old learning rate.
            if state.optimizer is not optimizer:
                break
    except GeneratorExit:
        settle()
        raise
    settle()
    return wanted


def one_by_one(
    events: Generator[Event | Epochs, None, None], state: State
) -> Generator[Event, None, None]:
    """Yield an event for each of several `Epochs`, and keep those whose events were consumed.

    The others are not kept if the consumer closes this generator, or replaces the optimizer.
    """
    with closing(events):
        for event in events:
            if not isinstance(event, Epochs):
                yield event
                continue
            optimizer, ended = state.optimizer, 0
            try:
                for row in event.events():
                    ended += 1
                    yield row
                    if state.optimizer is not optimizer:
                        break
            finally:
                event.keep(ended)
