"""Checkpoints of an estimator's training."""

from typing import Any

import numpy as np

from chainrule.estimators.orders import ShuffledOrders
from chainrule.estimators.stopping import Monitor
from chainrule.training.checkpointing import Checkpointer, Remembers
from chainrule.training.fingerprint import in_words
from chainrule.training.loop import Training

# What `Monitor` goes by; the rest is in the network, the optimizer and the examples.
_RULES = ("solver", "learning_rate", "early_stopping", "tol", "n_iter_no_change", "power_t")


def attach(
    checkpointer: Checkpointer,
    training: Training,
    estimator: Any,
    monitor: Monitor,
    orders: ShuffledOrders,
) -> None:
    """Bring an estimator and its training to where the checkpoint was, if there is one."""
    more = {name: _text(getattr(estimator, name)) for name in _RULES}
    more["estimator"] = type(estimator).__name__
    random_state = estimator.random_state
    # The state of a generator is the checkpoint's.
    fixed = random_state is not None and not isinstance(random_state, np.random.RandomState)
    more["random_state"] = _text(random_state) if fixed else "drawn"
    memories: dict[str, Remembers] = {"estimator": monitor, "orders": orders}
    given = () if estimator.callbacks is None else estimator.callbacks
    memories |= {
        f"callback {place} ({type(callback).__name__})": callback
        for place, callback in enumerate(given)
        if hasattr(callback, "remember") and hasattr(callback, "recall")
    }
    checkpointer.attach(training, memories, more)
    estimator.network_.epochs_trained = training.epochs_before


def _text(value: Any) -> str:
    """Return a parameter as text: a function by its name."""
    return value if isinstance(value, str) else in_words(value)
