"""The random state of an estimator, and its seed, which is drawn if none is given."""

from numbers import Integral
from typing import Any, Protocol

import numpy as np
from sklearn.utils import check_random_state

from chainrule.checks import shown
from chainrule.errors import InvalidArgumentError, InvalidCheckpointError
from chainrule.estimators.contract import Estimator
from chainrule.training.random_state import as_text, set_from_text


class Keeps(Protocol):
    """A checkpoint that keeps values which are drawn before a training."""

    def keep(self, name: str, value: Any, most: int | None = None) -> Any:
        """Return the value kept under a name: `value`, or the saved one on resuming."""


_LARGEST_SEED = 2**31 - 1


def begin_randomness(estimator: Estimator, fresh: bool, checkpointer: Keeps | None) -> None:
    """Set the random state for all random draws of the estimator, and record its seed."""
    if fresh or estimator.random_state is not None:
        estimator.seed_ = _drawn_seed(estimator.random_state)
        if checkpointer is not None and estimator.random_state is None:
            estimator.seed_ = checkpointer.keep("seed", estimator.seed_, most=2**32 - 1)
        given = estimator.random_state if estimator.seed_ is None else estimator.seed_
        try:
            estimator._random_state = check_random_state(given)
        except ValueError as error:
            raise InvalidArgumentError(
                f"random_state: expected a whole number from 0 to {2**32 - 1}, a "
                f"numpy.random.RandomState or None; got {shown(given)}"
            ) from error
    if checkpointer is not None:
        # When resuming, the draws before training (weights, validation split) are repeated.
        state = checkpointer.keep("random_state", as_text(estimator._random_state))
        try:
            set_from_text(estimator._random_state, state)
        except ValueError as error:
            raise InvalidCheckpointError(
                f"checkpoint: its random state cannot be taken: {error}"
            ) from error


def _drawn_seed(random_state: object) -> int | None:
    """Return the seed of all random draws, or None if the user passed a random generator.

    If no seed is given, it is drawn from NumPy's global generator, which scikit-learn uses too.
    """
    if random_state is None or random_state is np.random:
        return int(check_random_state(None).randint(_LARGEST_SEED))
    return int(random_state) if isinstance(random_state, Integral) else None
