"""Work on the parts of a table at the same time."""

import threading
from collections.abc import Callable, Iterable
from typing import TypeVar

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


def in_threads(
    function: Callable[[_Item], _Result], items: Iterable[_Item], threads: int
) -> list[_Result]:
    """Return what a function makes of each item, in their order.

    The calling thread takes part, and works alone if the system starts no other (a limit of
    processes). If items raise errors, that of the first one is raised.
    """
    given = list(items)
    results: dict[int, _Result] = {}
    errors: dict[int, BaseException] = {}
    places = iter(range(len(given)))
    lock = threading.Lock()

    def work() -> None:
        while True:
            with lock:
                place = None if errors else next(places, None)
            if place is None:
                return
            try:
                results[place] = function(given[place])
            except BaseException as error:
                # Ctrl-C takes precedence over other errors.
                errors[place if isinstance(error, Exception) else -1] = error

    team: list[threading.Thread] = []
    try:
        for _ in range(min(threads, len(given)) - 1):
            one = threading.Thread(target=work)
            try:
                one.start()
            except (RuntimeError, MemoryError):
                break
            team.append(one)
        work()
    except BaseException as error:  # Ctrl-C between two items: the other threads stop, too
        errors[-1] = error
    for one in team:
        one.join()
    if errors:
        raise errors[min(errors)]
    return [results[place] for place in range(len(given))]
