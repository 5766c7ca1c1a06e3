"""What embeddings check of the columns that they are given."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from chainrule.checks import shown
from chainrule.errors import InvalidArgumentError


def entries_of(given: object, length: int, expected: str) -> Iterator[Sequence[Any]]:
    """Yield the entries of a list of tuples of a length; raise if it is none, or has none.

    `expected` begins the error: "columns: expected a list of …".
    """
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise InvalidArgumentError(f"{expected}; got {shown(given)}")
    entry = None
    for entry in given:
        if isinstance(entry, str) or not isinstance(entry, Sequence) or len(entry) != length:
            raise InvalidArgumentError(f"{expected}; got {shown(entry)} in it")
        yield entry
    if entry is None:
        raise InvalidArgumentError(f"{expected}; got an empty one: leave the layer out")


def check_each_once(columns: Iterable[int], what: str = "column") -> None:
    """Raise if a column is given several times; `what` is the user's word for it."""
    number, times = Counter(columns).most_common(1)[0]
    if times > 1:
        raise InvalidArgumentError(
            f"columns: expected each {what} once; got {number} {times} times"
        )
