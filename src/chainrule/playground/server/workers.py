"""Threads for what takes longer than the event loop may be kept waiting."""

import asyncio
import contextlib
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

Value = TypeVar("Value")


class Workers:
    """A fixed number of threads, which no end of the process waits for.

    The threads of `concurrent.futures` are joined at the end of the process: Ctrl-C would then wait
    until a large table has been read.

    Parameters
    ----------
    number : int
    name : str
    """

    def __init__(self, number: int, name: str) -> None:
        self._jobs: queue.SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None] = (
            queue.SimpleQueue()
        )
        self._threads = [
            threading.Thread(target=self._work, name=f"{name}-{place}", daemon=True)
            for place in range(number)
        ]
        for thread in self._threads:
            thread.start()

    async def run(self, function: Callable[..., Value], *arguments: Any) -> Value:
        """Call a function in one of the threads, and return its value or raise its error."""
        future: Future[Value] = Future()
        self._jobs.put((future, lambda: function(*arguments)))
        return await asyncio.wrap_future(future)

    def close(self, seconds: float) -> None:
        """Let the threads end after their present job; wait for them for some time in all."""
        for _ in self._threads:
            self._jobs.put(None)
        for thread in self._threads:
            thread.join(seconds / len(self._threads))

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            future, call = job
            if not future.set_running_or_notify_cancel():
                continue
            try:
                value = call()
            except BaseException as error:  # raised where the value is awaited
                _settle(future.set_exception, error)
            else:
                _settle(future.set_result, value)
            del future, call, job  # an idle thread keeps nothing alive


def _settle(settle: Callable[[Any], None], value: object) -> None:
    with contextlib.suppress(RuntimeError):  # the event loop has ended
        settle(value)
