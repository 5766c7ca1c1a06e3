"""The package's optimizers by the names of their settings."""

import re
from collections.abc import Sequence

import numpy as np

from chainrule.engines.optimizer import Optimizer
from chainrule.engines.optimizers import OPTIMIZERS, with_parameter
from chainrule.engines.schedule import LearningRate
from chainrule.engines.schedules import SCHEDULES
from chainrule.settings.given import Settings


def optimizer_of(given: Settings, rate: LearningRate) -> Optimizer:
    """Return the optimizer that the setting `solver` and those of its own describe.

    Every optimizer of the package goes by its name, with those of its settings that are
    given.
    """
    # scikit-learn allows a momentum of 1, which no velocity survives; this is the next number.
    momentum = min(float(given["momentum"]), float(np.nextafter(1.0, 0.0)))
    return OPTIMIZERS[given["solver"]].described({**given, "momentum": momentum}, rate)


def with_names(text: str) -> str:
    """Return a help text with the names of what there is in the places for them.

    {optimizers}: all, {optimizers of PARAMETER}: those with a use for a parameter of the
    estimators, {schedules}: all.

    Examples
    --------
    >>> with_names("The decay of {optimizers of nesterovs_momentum}.")
    'The decay of sgd.'
    """
    text = text.replace("{optimizers}", ", ".join(OPTIMIZERS))
    text = text.replace("{schedules}", ", ".join(SCHEDULES))
    return re.sub(r"{optimizers of (\w+)}", lambda of: _listed(with_parameter(of[1])), text)


def _listed(names: Sequence[str]) -> str:
    """Return names as a sentence lists them."""
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last
