"""Variations of the settings, so that the members of an ensemble differ in more than their draws.

The mean of networks that err differently is better than each of them, and what suits one table (no
penalty, many dropped activations) does not suit another: a fixed portfolio covers more of it than
as many random draws. Source: Feurer and others 2022, "Auto-sklearn 2.0", and the ensembles of
TabArena (Erickson and others 2025). These were chosen on the tuning half of docs/quality.md.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from chainrule.ensembles.members import Place
from chainrule.network.random import Stream, generator

Given = Mapping[str, Any]


class Variation(NamedTuple):
    """What a variation changes of the settings as given."""

    rate: float = 1.0
    """Factor of the learning rate."""
    decay: float = 1.0
    """Factor of the weight decay."""
    dropout: float = 0.0
    """Share of the activations that are dropped, if the settings say 0."""
    penalised: bool = True
    """Whether the L2 penalty stays."""
    smoothed: bool = True
    """Whether label smoothing stays."""

    @property
    def words(self) -> str:
        """What it changes, in words."""
        parts = []
        if self.rate != 1:
            parts.append(f"learning rate × {self.rate:g}")
        if self.decay != 1:
            parts.append(f"weight decay × {self.decay:g}")
        if self.dropout:
            parts.append(f"dropout {self.dropout:g}")
        if not self.penalised:
            parts.append("no L2 penalty")
        if not self.smoothed:
            parts.append("no label smoothing")
        return ", ".join(parts) or "the settings as given"


PORTFOLIO: tuple[Variation, ...] = (
    Variation(),
    Variation(0.7, 0.5, 0.2, penalised=False),
    Variation(0.5, 1.0, 0.1),
    Variation(0.7, 0.15),
    Variation(1.0, 0.8, 0.2, penalised=False, smoothed=False),
    Variation(0.6, 1.0, 0.3),
    Variation(1.6, 0.2, penalised=False),
    Variation(0.4, 0.4, 0.1, penalised=False, smoothed=False),
)
"""The settings as given come first."""


def varied(given: Given, variation: int) -> dict[str, Any]:
    """Return the settings that a variation changes, by scikit-learn's names.

    Parameters
    ----------
    given : mapping
        The settings.
    variation : int
        An index of `PORTFOLIO`.
    """
    one = PORTFOLIO[variation]
    changed: dict[str, Any] = {}
    if one.rate != 1:
        changed["learning_rate_init"] = float(given["learning_rate_init"]) * one.rate
    if one.decay != 1:
        changed["weight_decay"] = float(given["weight_decay"]) * one.decay
    if one.dropout and _is_zero(given["dropout"]):
        changed["dropout"] = one.dropout
    if not one.penalised and not _is_zero(given["alpha"]):
        changed["alpha"] = 0.0
    if not one.smoothed and not _is_zero(given.get("label_smoothing", 0)):
        changed["label_smoothing"] = 0.0
    return changed


def member_seed(seed: int, place: Place) -> int:
    """Return the seed of a member's weights, orders of examples and dropout."""
    index = place.variation * 1_000 + place.fold
    return int(generator(seed, Stream.MEMBERS, index).integers(2**31 - 1))


def _is_zero(value: object) -> bool:
    return isinstance(value, int | float) and value == 0
