"""The events that a training emits."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias


@dataclass(frozen=True)
class TrainingStarted:
    """Training is about to take its first step."""

    epochs: int
    steps_per_epoch: int
    n_examples: int
    n_parameters: int
    engine: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    """What decides the training, by name: the layers, cost, optimizer, batch size, …, as numbers,
    texts, true and false, and None."""


@dataclass(frozen=True)
class StepsEnded:
    """A part of an epoch ended: emitted about every 0.05 seconds, for progress displays."""

    epoch: int
    steps: int
    """Steps of this epoch so far."""
    steps_per_epoch: int
    loss: float
    """Mean cost over the examples of the steps since the last such event."""


@dataclass(frozen=True)
class EpochEnded:
    """An epoch ended; its fields are one row of the history.

    `loss` is the mean of C over the examples, each evaluated before the update of its own step, at
    the parameters that the steps update, even if the network is evaluated at an average of them.
    `validation_loss` is the mean over the validation data after the epoch. Neither includes the
    penalties, so the two can be compared; `penalty` has them.
    """

    epoch: int
    """Counted from 1 over all trainings of the network."""
    loss: float
    penalty: float
    learning_rate: float
    """α of the epoch's last step."""
    gradient_norm: float
    """Mean over the epoch's steps of the gradient's Euclidean norm."""
    seconds: float
    metrics: dict[str, float] = field(default_factory=dict)
    """Metrics of the training data, after the epoch."""
    validation_loss: float | None = None
    validation_metrics: dict[str, float] = field(default_factory=dict)
    objective: float = float("nan")
    """What each step minimised (the batch's J and penalties, before the update), as a mean over the
    epoch's batches weighted by their numbers of examples."""

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
    """Training resumes from a checkpoint."""

    epochs: tuple[EpochEnded, ...]
    """The events of the epochs that were finished before the checkpoint."""
    step: int
    """Steps of this training so far."""


@dataclass(frozen=True)
class Checkpointed:
    """A checkpoint was written, from which training can resume with the same bits."""

    path: Path
    step: int
    """Steps of this training so far."""
    seconds: float
    """Time that writing it took."""


@dataclass(frozen=True)
class Stopped:
    """Training ended."""

    epochs: int
    """Epochs that this training finished."""
    reason: str
    """"finished"; "callback", if one asked for the end; "converged", if the stopping rule did."""
    best_epoch: int | None = None
    """The epoch whose weights are kept; None for the last one."""
    stale: int | None = None
    """The epochs without an improvement after which the stopping rule ended the training."""
    measure: str = ""
    """What improved no more: "validation loss", "validation score" or "training loss"."""


Event: TypeAlias = TrainingStarted | Resumed | StepsEnded | EpochEnded | Checkpointed | Stopped

Callback: TypeAlias = Callable[[Event], bool | None]
"""Called with every event; if it returns True after an `EpochEnded`, training stops.

If it has a method `training_ended`, that is called with None after the last event, or with the
exception that ended the training, so that files and connections can be closed. The module
`chainrule.training.watching` names the methods by which it can look at the parameters and at single
steps.
"""
