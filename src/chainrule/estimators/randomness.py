"""The seed of an estimator: drawn where none is given."""

from numbers import Integral
from typing import Any

import numpy as np

_LARGEST_SEED = 2**31 - 1


def drawn_seed(random_state: Any) -> int | None:
    """Return the seed that decides everything from here on; None: a generator of the user's does.

    Where none is given it is drawn, from NumPy's global generator, as scikit-learn would draw.
    """
    if random_state is None or random_state is np.random:
        from sklearn.utils import check_random_state

        return int(check_random_state(None).randint(_LARGEST_SEED))
    return int(random_state) if isinstance(random_state, Integral) else None
