"""How fast messages are read, and when a frame is drawn."""

import asyncio
import time

from chainrule.playground.server.pace import Bucket, Ticks


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_burst_is_read_at_once_and_more_at_the_rate():
    clock = Clock()
    bucket = Bucket(10, 5, clock)
    waits = [bucket.wait() for _ in range(8)]
    assert waits[:5] == [0.0] * 5
    assert [round(wait, 9) for wait in waits[5:]] == [0.1, 0.2, 0.3]


def test_after_a_pause_a_burst_is_allowed_again_and_no_more_than_that():
    clock = Clock()
    bucket = Bucket(10, 5, clock)
    for _ in range(5):
        bucket.wait()
    clock.now += 1000
    assert [bucket.wait() for _ in range(5)] == [0.0] * 5
    assert bucket.wait() > 0


def take(ticks: Ticks, number: int) -> None:
    """Wait for some ticks."""

    async def all_of_them() -> None:
        for _ in range(number):
            await ticks.next()

    asyncio.run(all_of_them())


def test_ticks_come_no_faster_than_their_rate():
    began = time.monotonic()
    take(Ticks(100), 10)
    assert time.monotonic() - began >= 0.1


def test_ticks_become_slower_while_nothing_happens():
    ticks = Ticks(1000)
    assert ticks.interval == 0.001
    take(ticks, 37)
    assert ticks.interval == 0.1
    ticks.hurry()
    assert ticks.interval == 0.001


def test_a_rest_delays_the_next_tick():
    ticks = Ticks(1000)
    began = time.monotonic()
    ticks.rest(0.1)
    take(ticks, 1)
    assert time.monotonic() - began >= 0.1
