"""The package's optimizers by the names of their settings."""

import numpy as np

from chainrule.engines.optimizer import Optimizer
from chainrule.engines.optimizers import OPTIMIZERS
from chainrule.engines.schedule import LearningRate
from chainrule.settings.given import Settings


def optimizer_of(given: Settings, rate: LearningRate) -> Optimizer:
    """Return the optimizer that the setting `solver` and those of its own describe.

    Every optimizer of the package goes by its name, with those of its settings that are
    given.
    """
    # scikit-learn allows a momentum of 1, which no velocity survives; this is the next number.
    momentum = min(float(given["momentum"]), float(np.nextafter(1.0, 0.0)))
    return OPTIMIZERS[given["solver"]].described({**given, "momentum": momentum}, rate)
