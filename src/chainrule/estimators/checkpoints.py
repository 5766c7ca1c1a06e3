"""Checkpoints of an estimator's training."""

import numpy as np

from chainrule.estimators.contract import Estimator
from chainrule.estimators.curves import Curves
from chainrule.training.checkpointer import Checkpointer
from chainrule.training.fingerprint import in_words
from chainrule.training.memories import Remembers, memories_of
from chainrule.training.plan import Plan
from chainrule.training.state import State

# Parameters that decide when a training ends; the network, the optimizer and the examples cover
# the others.
_RULES = ("solver", "learning_rate", "early_stopping", "tol", "n_iter_no_change", "power_t")


def attach(
    checkpointer: Checkpointer, plan: Plan, state: State, estimator: Estimator, curves: Curves
) -> None:
    """Restore an estimator and its training from the checkpoint, if it exists."""
    more = {name: _text(getattr(estimator, name)) for name in _RULES}
    more["estimator"] = type(estimator).__name__
    random_state = estimator.random_state
    # The state of a random generator is stored in the checkpoint.
    fixed = random_state is not None and not isinstance(random_state, np.random.RandomState)
    more["random_state"] = _text(random_state) if fixed else "drawn"
    memories: dict[str, Remembers] = {"estimator": curves}
    if plan.orders is not None:
        memories["orders"] = plan.orders
    checkpointer.attach(plan, state, memories | memories_of(estimator.callbacks or ()), more)


def _text(value: object) -> str:
    """Return a parameter's value as text; a function is represented by its name."""
    return value if isinstance(value, str) else in_words(value)
