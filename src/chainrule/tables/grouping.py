"""Columns that look like identifiers whose values repeat: a patient, a customer, a machine.

Rows of one patient are alike. If some of them are training rows and others test rows, the test
scores show how well the network predicts these patients, not how well it predicts new ones.
"""

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    import polars as pl

_IDENTIFIERS = frozenset({"id", "ids", "uid", "uuid", "guid", "identifier", "mrn", "ssn", "email"})
_SUBJECTS = frozenset(
    {"patient", "subject", "participant", "person", "user", "customer", "client", "member"}
    | {"account", "household", "student", "pupil", "employee", "worker", "donor", "respondent"}
)
# What a name may have beside a subject: customer_no is one, customer_age is not.
_BESIDE = frozenset({"no", "nr", "num", "number", "code", "name", "key", "ref"}) | _IDENTIFIERS
_NAMES = (["name"], ["full", "name"], ["fullname"])
_FEWEST_VALUES = 10
_MOST_ROWS_OF_ONE = 0.2


class LikelyGroup(NamedTuple):
    """A column that looks like an identifier, with the numbers of its values and of its rows."""

    column: str
    values: int
    rows: int


def likely_groups(table: "pl.DataFrame", columns: "Iterable[str]") -> tuple[LikelyGroup, ...]:
    """Return the columns that look like identifiers whose values repeat.

    The name says so (it ends with id, email, …, or is patient, customer_no, user name, …), the
    values are text or whole numbers, there are at least 10 of them, at least half of the rows share
    theirs with another row, and none has more than a fifth of all rows. So `gender_id` with two
    values, a number for each row, `customer_age` and a city are not identifiers.

    Examples
    --------
    >>> import polars as pl
    >>> from chainrule.tables.grouping import likely_groups
    >>> table = pl.DataFrame({"patient": [n // 3 for n in range(90)], "age": range(90)})
    >>> [group.column for group in likely_groups(table, table.columns)]
    ['patient']
    """
    return tuple(found for name in columns if (found := _as_group(table[name])) is not None)


def _as_group(column: "pl.Series") -> LikelyGroup | None:
    import polars as pl

    if not _names_an_identifier(column.name):
        return None
    column = column.drop_nulls()
    dtype = column.dtype
    whole = dtype.is_integer() or (dtype.is_float() and bool((column == column.floor()).all()))
    if not (whole or isinstance(dtype, pl.String | pl.Categorical | pl.Enum)):
        return None
    counts = column.value_counts()[:, 1]
    rows = int(counts.sum())
    if counts.len() < _FEWEST_VALUES or 2 * int(counts.filter(counts > 1).sum()) < rows:
        return None
    if int(counts.max()) > _MOST_ROWS_OF_ONE * rows:  # type: ignore[arg-type]
        return None
    return LikelyGroup(column.name, counts.len(), rows)


def _names_an_identifier(name: str) -> bool:
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name)
    words = re.findall(r"[^\W\d_]+", apart.lower())
    if not words:
        return False
    # Names that are not divided into words: patientid, userid.
    together = any(words[-1] == f"{subject}id" for subject in _SUBJECTS)
    of_subject = not _SUBJECTS.isdisjoint(words) and set(words) <= _SUBJECTS | _BESIDE
    return words[-1] in _IDENTIFIERS or together or of_subject or words in _NAMES
