"""A summary of an ensemble: plain data, for a fitted attribute, a model file and a report."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from chainrule.checks import is_real
from chainrule.ensembles.ensemble import Ensemble


@dataclass(frozen=True)
class EnsembleSummary:
    """What an ensemble consists of, and what it gained.

    Parameters
    ----------
    networks : int
        Networks in the ensemble: those of the variations that count.
    trained : int
        Networks that were trained.
    folds : int
        Folds of the examples; each network learned from all of them but one.
    weights : tuple of float
        How much each variation of the settings counts; the first one is the settings as given.
    losses : tuple of float
        The out-of-fold loss of each variation: of predictions by networks that did not learn from
        the example. NaN for a variation that is not complete.
    loss : float
        The out-of-fold loss of the ensemble.
    complete : bool
        Whether all networks were trained that there are without a time limit.
    """

    networks: int
    trained: int
    folds: int
    weights: tuple[float, ...]
    losses: tuple[float, ...]
    loss: float
    complete: bool

    @classmethod
    def of(cls, ensemble: Ensemble) -> "EnsembleSummary":
        """Return the summary of a trained ensemble."""
        return cls(
            ensemble.used,
            len(ensemble.members),
            len({member.place.fold for member in ensemble.members}),
            tuple(ensemble.weights.tolist()),
            tuple(ensemble.losses.tolist()),
            ensemble.loss,
            ensemble.complete,
        )

    @property
    def gain(self) -> float:
        """The share by which the loss is below that of the settings as given, out of fold."""
        first = self.losses[0]
        return (first - self.loss) / abs(first) if first else 0.0

    def to_details(self) -> dict[str, Any]:
        """Return the fields as plain data; a number that is not finite becomes None."""
        found = asdict(self)
        found["weights"] = list(self.weights)
        found["losses"] = [loss if np.isfinite(loss) else None for loss in self.losses]
        return found

    @classmethod
    def from_details(cls, found: Any) -> "EnsembleSummary":
        """Return the summary that plain data hold.

        Raises
        ------
        ValueError
            If they hold something else.
        """
        if not isinstance(found, Mapping):
            raise ValueError("expected the summary of an ensemble")
        counts = [found.get(name) for name in ("networks", "trained", "folds")]
        weights, losses = found.get("weights"), found.get("losses")
        complete = found.get("complete")
        usual = (
            all(type(count) is int and 0 < count < 2**31 for count in counts)
            and is_real(found.get("loss"))
            and isinstance(weights, list | tuple)
            and isinstance(losses, list | tuple)
            and len(weights) == len(losses) > 0
            and all(is_real(one) and 0 <= one <= 1 for one in weights)
            and all(one is None or is_real(one) for one in losses)
            and type(complete) is bool
        )
        if not usual:
            raise ValueError("expected the summary of an ensemble")
        assert weights is not None
        assert losses is not None
        known: dict[str, Any] = {name: found[name] for name in ("networks", "trained", "folds")}
        return cls(
            **known,
            weights=tuple(map(float, weights)),
            losses=tuple(float("nan") if one is None else float(one) for one in losses),
            loss=float(found["loss"]),
            complete=bool(complete),
        )
