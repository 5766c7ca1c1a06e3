"""The pace of a page: how fast its messages are read, and how often it is drawn a frame."""

import asyncio
import time
from collections.abc import Callable


class Bucket:
    """How long to wait before the next message is read.

    Parameters
    ----------
    rate : float
        Messages a second.
    size : float
        Messages that may come at once.
    clock : callable
        Seconds.
    """

    def __init__(self, rate: float, size: float, clock: Callable[[], float]) -> None:
        self._rate, self._size, self._clock = rate, size, clock
        self._left, self._at = size, clock()

    def wait(self) -> float:
        """Count one message; return the seconds to wait for."""
        now = self._clock()
        self._left = min(self._size, self._left + (now - self._at) * self._rate) - 1.0
        self._at = now
        return max(0.0, -self._left / self._rate)


class Ticks:
    """Ticks at a rate, which becomes slower while nothing happens.

    Parameters
    ----------
    rate : float
        Ticks a second.
    """

    _SLOWEST = 0.1
    _CALM = 36  # ticks without anything new, after which it becomes slower

    def __init__(self, rate: float) -> None:
        self._fastest = 1.0 / rate
        self._next = time.monotonic()
        self._calm = 0

    @property
    def interval(self) -> float:
        """Seconds between two ticks at present."""
        return self._fastest if self._calm <= self._CALM else self._SLOWEST

    def hurry(self) -> None:
        """Go back to the full rate."""
        self._calm = 0

    def rest(self, seconds: float) -> None:
        """Let no tick come before some seconds have passed."""
        self._next = max(self._next, time.monotonic() + seconds - self._fastest)

    async def next(self) -> None:
        """Wait for the next tick."""
        self._calm += 1
        now = time.monotonic()
        # Behind by more than a tick: those that were missed are not made up for.
        self._next = max(self._next + self.interval, now)
        await asyncio.sleep(self._next - now)
