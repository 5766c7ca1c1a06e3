"""The base of all notations: plain data that describes how text is read as values."""

import dataclasses
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Self

from chainrule.errors import InvalidTableError
from chainrule.tables.missing_words import is_missing_word
from chainrule.tables.notes import Note
from chainrule.tables.row_numbers import RowNumbers

if TYPE_CHECKING:
    import polars as pl

MOST_UNREADABLE = 0.05
"""The largest share of a column's values that may be unreadable in its notation; they become
missing values, with a note. Above it the column is read as text in training, and refused by a
trained model. Typing errors are far rarer than 5 %, and a second kind of value is far more
frequent."""

_MOST_SHOWN, _MOST_TEXTS = 40, 50


@dataclass(frozen=True)
class Notation(ABC):
    """How the values of a column are written.

    A notation is decided once, from the table that a model is trained with, and kept in the model.
    Columns of typed values (such as numbers of a Parquet file) pass through `read` unchanged, so
    that a column means the same in every format, and reading is idempotent.
    """

    kind: ClassVar[str]
    """The name of the notation in files."""
    expected: ClassVar[str]
    """What the values must be, for messages, such as "numbers"."""

    @abstractmethod
    def parse(self, column: "pl.Series") -> "pl.Series":
        """Return a column's values as they are written; null where one is missing or unreadable.

        Raises
        ------
        InvalidTableError
            If values of the column's type cannot be read in this notation.
        """

    def absent(self, text: "pl.Series") -> "pl.Series":
        """Return a mask of the (stripped) texts that stand for a missing value."""
        return is_missing_word(text)

    @property
    def missing_numbers(self) -> tuple[float, ...]:
        """The numbers that stand for a missing value."""
        return ()

    @property
    def missing_categories(self) -> tuple[str, ...]:
        """The texts that stand for a missing value where the values are categories."""
        return ()

    def settle(self, values: "pl.Series") -> "pl.Series":
        """Return parsed values, with null for those that stand for a missing one."""
        return values

    def read(self, column: "pl.Series") -> "pl.Series":
        """Return a column's values; null where one is missing or cannot be read."""
        return self.settle(self.parse(column))

    def read_all(
        self, column: "pl.Series", numbers: RowNumbers | None = None
    ) -> "tuple[pl.Series, Unreadable | None]":
        """Return a column's values, and what could not be read.

        Parameters
        ----------
        column : polars.Series
        numbers : RowNumbers, optional
            Where its rows stand in the file; by default they are counted from 1.

        Raises
        ------
        InvalidTableError
            If more than `MOST_UNREADABLE` of the values that are not missing cannot be read.
        """
        values = self.parse(column)
        bad = unreadable(column, values, self)
        if bad is None:
            return self.settle(values), None
        found = Unreadable.of(column, bad, self, numbers)
        present = int(values.len() - values.null_count())
        if found.count > MOST_UNREADABLE * (present + found.count):
            raise InvalidTableError(
                f"column {column.name!r} holds {found.described()}, where the model needs "
                f"{self.described()}; correct {'it' if found.count == 1 else 'them'}, or leave "
                "the field empty"
            )
        return self.settle(values), found

    def described(self) -> str:
        """Return what values are and how they are written, for messages."""
        return self.expected

    def fault(self) -> str:
        """Return what is wrong with fields that were read from a file, or ""."""
        return ""

    def to_json(self) -> dict[str, Any]:
        """Return the kind, and the fields that differ from their defaults, for JSON."""
        entry: dict[str, Any] = {"kind": self.kind}
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if value != field.default:
                entry[field.name] = list(value) if isinstance(value, tuple) else value
        return entry

    @classmethod
    def from_json(cls, entry: Mapping[str, Any]) -> Self:
        """Build the notation that `to_json` described.

        Raises
        ------
        ValueError
            If fields are unknown, of another type, or contradict each other.
        """
        values = {}
        fields = {field.name: field for field in dataclasses.fields(cls)}
        for name, value in entry.items():
            if name == "kind":
                continue
            if name not in fields:
                raise ValueError(f"a notation of {cls.kind} has no field {name[:40]!r}")
            values[name] = _checked(fields[name], value)
        notation = cls(**values)
        fault = notation.fault()
        if fault:
            raise ValueError(fault)
        return notation


def _checked(field: "dataclasses.Field[Any]", value: Any) -> Any:
    """Return a field's value if it is of the type that the field declares."""
    kinds: Mapping[Any, type] = {tuple[str, ...]: str, tuple[float, ...]: float}
    if field.type in kinds:
        kind = kinds[field.type]
        if isinstance(value, list) and len(value) <= 64 and all(type(x) is kind for x in value):
            return tuple(value)
    elif type(value) is field.type:
        return value
    raise ValueError(f"{field.name} of a notation is {str(value)[:60]!r}")


def unreadable(column: "pl.Series", values: "pl.Series", notation: Notation) -> "pl.Series | None":
    """Return a mask of the values that are present but could not be parsed; None if all could."""
    import polars as pl

    if values.null_count() == column.null_count():
        return None
    bad = values.is_null() & column.is_not_null()
    if column.dtype.is_float():
        bad &= column.is_not_nan().fill_null(False)
    elif column.dtype == pl.String:
        places = bad.arg_true()
        bad = bad.scatter(places, ~notation.absent(column.gather(places).str.strip_chars()))
    return bad if bad.any() else None


@dataclass(frozen=True)
class Unreadable:
    """The values of a column that cannot be read in its notation.

    Parameters
    ----------
    column : str
        Its name.
    count : int
    texts : mapping of str to int
        The values, with their counts.
    first : str
        Where the first one stands: "row 12 (line 14)".
    expected : str
        What the other values of the column are.
    """

    column: str
    count: int
    texts: Mapping[str, int]
    first: str
    expected: str

    @classmethod
    def of(
        cls,
        column: "pl.Series",
        bad: "pl.Series",
        notation: Notation,
        numbers: RowNumbers | None = None,
    ) -> "Unreadable":
        """Return the values of a column where `bad` is true."""
        texts = column.filter(bad).cast(str).str.strip_chars().value_counts(name="n")
        texts = texts.sort("n", column.name, descending=[True, False]).head(_MOST_TEXTS)
        index = bad.arg_max() or 0
        first = f"row {index + 1}" if numbers is None else numbers.named(index)
        return cls(column.name, int(bad.sum()), dict(texts.rows()), first, notation.expected)

    def with_more(self, more: "Unreadable") -> "Unreadable":
        """Return the union with `more`, which is from later rows."""
        texts = Counter(self.texts) + Counter(more.texts)
        return replace(self, count=self.count + more.count, texts=texts)

    def described(self) -> str:
        """Return a description: the most frequent values, and the row of the first."""
        texts = sorted(self.texts.items(), key=lambda item: (-item[1], item[0]))
        if self.count == 1:
            return f"{_shown(texts[0][0])} in {self.first}"
        named = ", ".join(
            _shown(text) + (f" {times:,} times" if times > 1 else "") for text, times in texts[:3]
        )
        return f"{self.count:,} values that cannot be read ({named}; the first in {self.first})"

    def note(self) -> Note:
        """Return a note: which values, how many, and how they are treated."""
        many = self.count > 1
        advice = f"correct {'them' if many else 'it'} if the value is known"
        if all(text[:1] in "<>≤≥" for text in self.texts):
            advice = "write a number instead of a bound (half of a lower bound, for example)"
        return Note(
            self.column,
            f"holds {self.described()} among {self.expected}",
            f"{'they are' if many else 'it is'} taken as missing; {advice}",
        )


def _shown(value: object) -> str:
    text = str(value)
    return repr(text if len(text) <= _MOST_SHOWN else f"{text[: _MOST_SHOWN - 1]}…")


def refuse_type(column: "pl.Series", expected: str) -> InvalidTableError:
    """Return the error for a column of a type that cannot be read."""
    return InvalidTableError(
        f"column {column.name!r} holds values of type {column.dtype}, where the model needs "
        f"{expected}"
    )
