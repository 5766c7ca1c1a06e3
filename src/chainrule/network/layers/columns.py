"""What embeddings check of the columns that they are given."""

from collections import Counter
from collections.abc import Iterable

from chainrule.errors import InvalidArgumentError


def check_each_once(columns: Iterable[int], what: str = "column") -> None:
    """Raise if a column is given several times; `what` is the user's word for it."""
    number, times = Counter(columns).most_common(1)[0]
    if times > 1:
        raise InvalidArgumentError(
            f"columns: expected each {what} once; got {number} {times} times"
        )
