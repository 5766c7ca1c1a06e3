"""The inputs of one call of `fit` or `partial_fit`."""

from dataclasses import dataclass

from chainrule.engines.base import Examples
from chainrule.estimators.validation import HeldOut


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
