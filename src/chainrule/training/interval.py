"""The interval between checkpoints."""

import re
import sys
import time

from chainrule.checks import whole_number
from chainrule.errors import InvalidArgumentError

_TIME = re.compile(r"\s*(\d{1,9}(?:\.\d{1,9})?)\s*(s|sec|m|min|h)\s*")
_STEPS = re.compile(r"\s*(\d{1,15})\s*")
_SECONDS = {"s": 1.0, "sec": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}

# Writing checkpoints may take at most this share of a training's time.
_LARGEST_SHARE = 0.01


class Interval:
    """An interval between checkpoints, as a number of steps or as a time.

    A time is lengthened if writing is slow: the wait is at least a hundred times as long as writing
    the last checkpoint took.

    Parameters
    ----------
    every : int or str
        A number of steps, or a time such as "60s", "5min" or "1h".

    Raises
    ------
    InvalidArgumentError
        If it is neither.

    Examples
    --------
    >>> Interval("5min").seconds, Interval(100).steps
    (300.0, 100)
    """

    def __init__(self, every: int | str) -> None:
        self.steps: int | None = None
        self.seconds: float | None = None
        number = _STEPS.fullmatch(every) if isinstance(every, str) else None
        if isinstance(every, str) and number is None:
            match = _TIME.fullmatch(every)
            if match is None or not float(match[1]) > 0:
                raise InvalidArgumentError(
                    "every: expected a number of steps, or a time such as '60s', '5min' or '1h'; "
                    f"got {every!r}"
                )
            self.seconds = float(match[1]) * _SECONDS[match[2]]
        else:
            self.steps = whole_number("every", int(number[1][:1000]) if number else every, 1)
        self._last_step, self._last_time = 0, time.monotonic()
        self._cost = 0.0

    def left(self, step: int) -> int:
        """Return how many steps may be taken before `is_due` must be asked again."""
        if self.steps is None:
            return sys.maxsize
        return self.steps - step % self.steps

    def is_due(self, step: int) -> bool:
        """Tell whether a checkpoint is due after this many steps of the training."""
        if self.steps is not None:
            return step // self.steps > self._last_step // self.steps
        assert self.seconds is not None
        wait = max(self.seconds, self._cost / _LARGEST_SHARE)
        return time.monotonic() - self._last_time >= wait

    def begin(self, step: int) -> None:
        """Start the interval at a step, at which training begins or resumes."""
        self._last_step, self._last_time = step, time.monotonic()

    def written(self, step: int, seconds: float) -> None:
        """Start the interval anew after a checkpoint, which took `seconds` to write."""
        self.begin(step)
        self._cost = seconds
