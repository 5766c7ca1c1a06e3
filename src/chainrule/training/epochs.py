"""Epochs that ended together, in one call of the engine: their numbers as columns."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeGuard

from chainrule.training.events import EpochEnded


@dataclass
class Epochs:
    """The rows of consecutive epochs that ended together, with the parameters of the last one.

    A small network has tens of thousands of epochs per second, so its consumers get the columns of
    many epochs in one call, instead of an event for each.
    """

    numbers: range
    """Counted from 1 over all trainings of the network."""
    losses: list[float]
    penalties: list[float]
    learning_rates: list[float]
    gradient_norms: list[float]
    objectives: list[float]
    common: Mapping[str, Any]
    """The fields that are the same in all events."""

    def __len__(self) -> int:
        return len(self.numbers)

    def keep(self, count: int) -> None:
        """Keep the first `count` epochs: the training goes back to the end of the last of them."""
        self.numbers = self.numbers[:count]
        for column in (
            self.losses,
            self.penalties,
            self.learning_rates,
            self.gradient_norms,
            self.objectives,
        ):
            del column[count:]

    def events(self) -> Iterator[EpochEnded]:
        """Yield an event for each epoch; see `EpochEnded` for the fields."""
        numbers = zip(
            self.numbers, self.losses, self.penalties, self.learning_rates, self.gradient_norms,
            self.objectives, strict=True,
        )  # fmt: skip
        for epoch, loss, penalty, rate, norm, objective in numbers:
            # The same as the constructor of the frozen class in a third of its time.
            event = object.__new__(EpochEnded)
            vars(event).update(
                self.common,
                epoch=epoch,
                loss=loss,
                penalty=penalty,
                learning_rate=rate,
                gradient_norm=norm,
                objective=objective,
            )
            yield event


class TakesEpochs(Protocol):
    """A consumer of events that also takes epochs that ended together, instead of their events."""

    epochs_ended: Callable[[Epochs], object]
    """Called with the epochs; unlike a callback, it cannot end the training. None: the consumer
    needs an event for each epoch after all."""


def takes_epochs(consumer: object) -> TypeGuard[TakesEpochs]:
    """Return whether a consumer takes epochs that ended together."""
    return callable(getattr(consumer, "epochs_ended", None))
