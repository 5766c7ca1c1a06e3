"""Conversion of the state of NumPy's legacy generator to text and back."""

import json
from typing import Any

import numpy as np

from chainrule.checks import shown


def as_text(random: np.random.RandomState) -> str:
    """Return the state of a generator as JSON."""
    return json.dumps(random.get_state(legacy=False), default=np.ndarray.tolist)


def set_from_text(random: np.random.RandomState, text: str) -> None:
    """Set a generator to a state that `as_text` wrote.

    NumPy does not check a state, and an invalid one makes it read out of bounds. So everything in
    it is checked here.

    Raises
    ------
    ValueError
        If the text is not a state of such a generator.
    """
    here = random.get_state(legacy=False)
    try:
        random.set_state(_checked(json.loads(text), here, "state"))
    except (TypeError, KeyError, AttributeError, OverflowError, RecursionError) as error:
        raise ValueError(f"not the state of a {here['bit_generator']} ({error!r:.100})") from error


def _checked(given: Any, like: Any, name: str) -> Any:
    """Return an entry of a state, checked to have type and shape of a genuine generator's entry."""
    if isinstance(like, dict):
        if not isinstance(given, dict) or given.keys() != like.keys():
            raise ValueError(f"{name} does not belong to this kind of generator")
        checked = {part: _checked(given[part], like[part], part) for part in like}
        for place, block in (("pos", "key"), ("buffer_pos", "buffer")):
            if place in checked and not checked[place] <= checked[block].size:
                raise ValueError(f"its {place} is {shown(checked[place])}")
        return checked
    if isinstance(like, np.ndarray):
        largest = np.iinfo(like.dtype).max
        numbers = [_whole(number, largest, name) for number in given]
        if len(numbers) != like.size:
            raise ValueError(f"{name} has {len(numbers)} numbers")
        return np.array(numbers, like.dtype).reshape(like.shape)
    if isinstance(like, str):
        if given != like:
            raise ValueError(f"its {name} is {shown(given)}, but that of this training is {like!r}")
        return like
    if isinstance(like, float):
        # An int is not accepted: it may be too large for a float.
        if type(given) is not float or not np.isfinite(given):
            raise ValueError(f"its {name} is {shown(given)}")
        return given
    number = _whole(given, _LARGEST.get(name, 2**128 - 1), name)
    if name == "inc" and number % 2 == 0:  # an even increment would shorten the period
        raise ValueError(f"its {name} is {shown(given)}")
    return number


_LARGEST = {
    "has_gauss": 1,
    "has_uint32": 1,
    "uinteger": 2**32 - 1,
    "pos": 2**31,
    "buffer_pos": 2**31,
}


def _whole(number: Any, largest: int, name: str) -> int:
    if type(number) is not int or not 0 <= number <= largest:
        raise ValueError(f"its {name} is {shown(number)}")
    return number
