"""How often a checkpoint is due."""

import re
import sys
import time

from chainrule.checks import whole_number
from chainrule.errors import InvalidArgumentError

_TIME = re.compile(r"\s*(\d{1,9}(?:\.\d{1,9})?)\s*(s|sec|m|min|h)\s*")
_STEPS = re.compile(r"\s*(\d{1,15})\s*")
_SECONDS = {"s": 1.0, "sec": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}

# Writing takes at most this share of the time.
_LARGEST_SHARE = 0.01


class Interval:
    """Every so many steps, or every so much time.

    A time stretches where writing takes long: a checkpoint is due a hundred times as long after
    the last one as that took.

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
        """Return how many steps may be taken before it is time to ask again."""
        if self.steps is None:
            return sys.maxsize
        return self.steps - step % self.steps

    def is_due(self, step: int) -> bool:
        """Whether a checkpoint is due after so many steps of the training."""
        if self.steps is not None:
            return step // self.steps > self._last_step // self.steps
        assert self.seconds is not None
        wait = max(self.seconds, self._cost / _LARGEST_SHARE)
        return time.monotonic() - self._last_time >= wait

    def begin(self, step: int) -> None:
        """Take note that training begins, or goes on, after so many steps."""
        self._last_step, self._last_time = step, time.monotonic()

    def written(self, step: int, seconds: float) -> None:
        """Take note that a checkpoint has just been written, in so much time."""
        self.begin(step)
        self._cost = seconds
