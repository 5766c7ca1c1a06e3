"""A trained ensemble, and one whose training was interrupted."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from chainrule.ensembles.members import Member
from chainrule.model.network import Network


@dataclass(frozen=True, eq=False)
class Ensemble:
    """A trained ensemble."""

    network: Network
    """The merged network."""
    rows: NDArray[np.intp]
    """The rows with an out-of-fold prediction: all, unless a time limit left folds out."""
    outputs: NDArray[np.floating]
    """Z[L] of these rows by the members that did not learn from them, (rows, n[L])."""
    members: tuple[Member, ...]
    """All that were trained, by variation and fold."""
    weights: NDArray[np.float64]
    """How much each variation counts."""
    losses: NDArray[np.float64]
    """The out-of-fold loss of each variation; NaN for those without a member for each fold."""
    loss: float
    """The out-of-fold loss of the ensemble."""
    first_fold: Network
    """The members whose fold is the first, merged: an ensemble that did not learn from it."""
    complete: bool
    """Whether it is the ensemble that was asked for, with neither a limit nor an interruption."""

    @property
    def used(self) -> int:
        """The number of members in the merged network."""
        return sum(bool(self.weights[member.place.variation] > 0) for member in self.members)


class EnsembleInterrupted(KeyboardInterrupt):
    """The training of an ensemble was interrupted.

    Parameters
    ----------
    interrupt : BaseException
        The KeyboardInterrupt, or the SystemExit raised by a signal handler.
    ensemble : Ensemble or None
        Of the variations that were complete; None if not even the first was.
    """

    def __init__(self, interrupt: BaseException, ensemble: Ensemble | None) -> None:
        super().__init__("interrupted")
        self.interrupt, self.ensemble = interrupt, ensemble
