"""What one call of `fit` or `partial_fit` asks for."""

from dataclasses import dataclass

from chainrule.engines.base import Examples
from chainrule.estimators.validation import HeldOut


@dataclass(frozen=True)
class FitRequest:
    """The examples of one training of an estimator, and how far it goes."""

    examples: Examples
    """Trained on."""
    validation: HeldOut | None
    early: bool
    """Whether validation decides when to stop, and which weights are kept."""
    epochs: int
    """At most so many (iterations of 'lbfgs')."""
    fresh: bool
    """Whether the network is a new one, and the curves begin anew."""
    incremental: bool
    """Whether it is a `partial_fit`: the optimizer goes on from the state it has."""
