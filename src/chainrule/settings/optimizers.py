"""Construction of the package's optimizers from settings."""

import numpy as np

from chainrule.engines.optimizer import Optimizer
from chainrule.engines.optimizers import OPTIMIZERS
from chainrule.engines.schedule import LearningRate
from chainrule.settings.given import Settings


def optimizer_of(given: Settings, rate: LearningRate) -> Optimizer:
    """Return the optimizer named by the setting `solver`, configured by its own settings.

    Settings that `given` does not contain have the optimizer's defaults.
    """
    # scikit-learn allows a momentum of 1, with which the velocity never decays; it is replaced by
    # the largest number below 1.
    momentum = min(float(given["momentum"]), float(np.nextafter(1.0, 0.0)))
    return OPTIMIZERS[given["solver"]].described({**given, "momentum": momentum}, rate)
