"""What happens during training, as the loop tells it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias


@dataclass(frozen=True)
class TrainingStarted:
    """Training is about to take its first step."""

    epochs: int
    steps_per_epoch: int
    n_examples: int
    n_parameters: int
    engine: str


@dataclass(frozen=True)
class StepsEnded:
    """Some steps inside an epoch ended: often enough to watch, rarely enough to cost nothing."""

    epoch: int
    steps: int
    """Steps of this epoch so far."""
    steps_per_epoch: int
    loss: float
    """Mean cost of the examples of these steps."""


@dataclass(frozen=True)
class EpochEnded:
    """An epoch ended; all of this is one row of the history.

    `loss` is the mean of C over the examples, each taken before the update of its own step, at the
    parameters that the steps move, also where the network is evaluated at an average of them;
    `validation_loss` the same over the validation data after the epoch. Neither contains the
    penalties, so the two can be compared; `penalty` stands beside them.
    """

    epoch: int
    """Counted from 1 over the life of the network."""
    loss: float
    penalty: float
    learning_rate: float
    """α of the epoch's last step."""
    gradient_norm: float
    """Mean over the epoch's steps of the gradient's Euclidean norm."""
    seconds: float
    metrics: dict[str, float] = field(default_factory=dict)
    """On the training data, after the epoch."""
    validation_loss: float | None = None
    validation_metrics: dict[str, float] = field(default_factory=dict)
    objective: float = float("nan")
    """Mean over the epoch's batches, by their examples, of what each step minimised: the batch's J
    and its penalties, before the update."""

    def row(self) -> dict[str, float]:
        """Return the numbers under the names of the history's columns."""
        row: dict[str, float] = {"epoch": self.epoch, "loss": self.loss}
        if self.validation_loss is not None:
            row["validation_loss"] = self.validation_loss
        row |= self.metrics
        row |= {f"validation_{name}": value for name, value in self.validation_metrics.items()}
        row |= {
            "penalty": self.penalty,
            "learning_rate": self.learning_rate,
            "gradient_norm": self.gradient_norm,
            "seconds": self.seconds,
        }
        return row


@dataclass(frozen=True)
class Resumed:
    """Training goes on from a checkpoint, and these epochs lie behind it."""

    epochs: tuple[EpochEnded, ...]
    """As they were told when they ended."""
    step: int
    """Steps of this training so far."""


@dataclass(frozen=True)
class Checkpointed:
    """A checkpoint was written, from which training can go on to the same bits."""

    path: Path
    step: int
    """Steps of this training so far."""
    seconds: float
    """What writing it took."""


@dataclass(frozen=True)
class Stopped:
    """Training ended."""

    epochs: int
    """Epochs that this training finished."""
    reason: str
    """"finished", "callback", or an estimator's "converged"."""


Event: TypeAlias = TrainingStarted | Resumed | StepsEnded | EpochEnded | Checkpointed | Stopped

Callback: TypeAlias = Callable[[Event], bool | None]
"""Called with every event; True after an `EpochEnded` stops the training."""
