"""The inputs of one call of `fit` or `partial_fit`."""

from dataclasses import dataclass

from chainrule.engines.base import Examples
from chainrule.estimators.validation import HeldOut
from chainrule.training.streaming import ExampleStream


@dataclass(frozen=True)
class FitRequest:
    """The examples of one training of an estimator, and the number of epochs."""

    examples: Examples
    """The training examples."""
    validation: HeldOut | None
    early: bool
    """Whether validation decides when to stop, and which weights are kept."""
    epochs: int
    """Maximum number of epochs (iterations for 'lbfgs')."""
    fresh: bool
    """Whether the network is new and the curves start empty."""
    incremental: bool
    """Whether this is a `partial_fit`: the optimizer keeps its state."""
    stream: ExampleStream | None = None
    """All training examples, if they are read while training; `examples` are then a sample."""

    @property
    def n_examples(self) -> int:
        """The number of training examples."""
        return len(self.examples.X) if self.stream is None else self.stream.rows

    @property
    def weight(self) -> float:
        """The sum of the weights of the training examples."""
        return self.examples.weight if self.stream is None else float(self.stream.rows)
