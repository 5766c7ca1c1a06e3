"""Variations of the settings, so that the members of an ensemble differ in more than their draws.

Source: TabPack and the ensembles of TabArena sample hyperparameters rather than choosing the best
ones: the mean of networks that err differently is better than each of them.
"""

import math
from collections.abc import Mapping
from typing import Any

from chainrule.ensembles.members import Place
from chainrule.network.random import Stream, generator

Given = Mapping[str, Any]


def varied(given: Given, seed: int, variation: int) -> dict[str, Any]:
    """Return the settings that a variation changes, by scikit-learn's names.

    Variation 0 changes nothing. The others have a learning rate and a weight decay around the given
    ones, drawn evenly on a logarithmic scale, and every other one drops a share of the activations.

    Parameters
    ----------
    given : mapping
        The settings.
    seed : int
    variation : int
    """
    if variation == 0:
        return {}
    random = generator(seed, Stream.MEMBERS, variation)
    rate, decay = random.uniform(-1, 1, 2)
    changed: dict[str, Any] = {
        "learning_rate_init": float(given["learning_rate_init"]) * 2.0 ** float(rate),
    }
    if "weight_decay" in given:
        changed["weight_decay"] = float(given["weight_decay"]) * 3.0 ** float(decay)
    if _no_dropout(given) and variation % 2 and given["solver"] != "lbfgs":
        changed["dropout"] = 0.1
    return changed


def member_seed(seed: int, place: Place) -> int:
    """Return the seed of a member's weights, orders of examples and dropout."""
    index = 1_000_000 + place.variation * 1_000 + place.fold
    return int(generator(seed, Stream.MEMBERS, index).integers(2**31 - 1))


def _no_dropout(given: Given) -> bool:
    dropout = given["dropout"]
    return isinstance(dropout, int | float) and math.isclose(dropout, 0)
