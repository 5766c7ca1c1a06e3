"""The random state of an estimator: drawn where none is given, written down, taken back."""

import json
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


def as_text(random: np.random.RandomState) -> str:
    """Return the state of a generator as JSON."""
    return json.dumps(random.get_state(legacy=False), default=np.ndarray.tolist)


def set_from_text(random: np.random.RandomState, text: str) -> None:
    """Bring a generator to the state that `as_text` wrote.

    Raises
    ------
    ValueError
        If it is no state of such a generator.
    """
    here = random.get_state(legacy=False)
    there = json.loads(text)
    try:
        set_to = {**here, **{name: there[name] for name in here}}
        inner = dict(here["state"])
        for name, value in inner.items():
            given = there["state"][name]
            if isinstance(value, np.ndarray):
                given = np.array(given, value.dtype)
                if given.shape != value.shape:
                    raise ValueError(f"{name} has the shape {given.shape}")
            elif type(given) is not int or given < 0:
                raise ValueError(f"{name} is {given!r:.50}")
            inner[name] = given
        # NumPy does not ask whether the place lies inside the key.
        if "pos" in inner and not inner["pos"] <= inner["key"].size:
            raise ValueError(f"its place is {inner['pos']}")
        random.set_state({**set_to, "state": inner})
    except (TypeError, KeyError, AttributeError, OverflowError) as error:
        raise ValueError(f"not the state of a {here['bit_generator']} ({error!r})") from error
