"""Limits of settings: validation of values, and the same description in all error messages."""

import math
import operator
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from chainrule.checks import is_real, is_whole, shown
from chainrule.errors import InvalidArgumentError
from chainrule.suggestions import did_you_mean


class Limit(ABC):
    """The set of values that a setting accepts."""

    form: ClassVar[str] = "text"
    """The type of a value in run.toml: "text", "whole", "number" or "flag"."""

    @property
    @abstractmethod
    def kind(self) -> str:
        """The type as written in docstrings: "float", "int or None"."""

    @abstractmethod
    def fits(self, value: Any) -> bool:
        """Return whether the limit accepts a value."""

    @abstractmethod
    def expected(self, quoted: bool = True) -> str:
        """Return a description of the accepted values; `quoted` puts names in quotes."""

    def require(self, value: Any, begin: str, quoted: bool = True) -> None:
        """Raise unless the limit accepts a value.

        Raises
        ------
        InvalidArgumentError
            ``{begin} {what is expected}; got {value}``.
        """
        if not self.fits(value):
            raise InvalidArgumentError(
                f"{begin} {self.expected(quoted)}; got {shown(value)}{self._meant(value)}"
            )

    def _meant(self, value: Any) -> str:
        """Return a suggestion to append to the error message; "" for none."""
        return ""


@dataclass(frozen=True)
class Number(Limit):
    """A finite number in an interval, by default [0, ∞)."""

    low: float = 0.0
    high: float = math.inf
    open_low: bool = False
    open_high: bool = True
    form = "number"
    kind = "float"

    def fits(self, value: Any) -> bool:
        """Return whether a value lies in the interval."""
        if not is_real(value):
            return False
        above = value > self.low if self.open_low else value >= self.low
        below = value < self.high if self.open_high else value <= self.high
        return bool(above and below)

    def expected(self, quoted: bool = True) -> str:
        """Return the interval in words."""
        if self.high == math.inf:
            return f"a finite number {'>' if self.open_low else '≥'} {self.low:g}"
        if self.open_low and self.open_high:
            return f"a number between {self.low:g} and {self.high:g}"
        left, right = "(" if self.open_low else "[", ")" if self.open_high else "]"
        return f"a number in {left}{self.low:g}, {self.high:g}{right}"

    def checked(self, name: str, value: Any) -> float:
        """Return an argument as a float, or raise an error that names the argument."""
        self.require(value, f"{name}: expected")
        return float(value)


@dataclass(frozen=True)
class Whole(Limit):
    """A whole number of at least `least` and, unless None, at most `most`."""

    least: int
    most: int | None = None
    form = "whole"
    kind = "int"

    def fits(self, value: Any) -> bool:
        """Return whether a value is a whole number within the bounds."""
        if not is_whole(value):
            return False
        number = operator.index(value)
        return self.least <= number and (self.most is None or number <= self.most)

    def expected(self, quoted: bool = True) -> str:
        """Return the bounds in words."""
        if self.most is None:
            return f"a whole number of at least {self.least}"
        return f"a whole number from {self.least} to {self.most}"


@dataclass(frozen=True)
class Choice(Limit):
    """One of several names, which are looked up at each use."""

    names: Callable[[], Sequence[str]]
    kind = "str"

    @classmethod
    def of(cls, *names: str) -> "Choice":
        """Return a choice between the given names."""
        return cls(lambda: names)

    def fits(self, value: Any) -> bool:
        """Return whether a value is one of the names."""
        return isinstance(value, str) and value in self.names()

    def expected(self, quoted: bool = True) -> str:
        """Return the list of names as text."""
        if quoted:
            return "one of " + ", ".join(map(repr, self.names()))
        return listed(self.names())

    def _meant(self, value: Any) -> str:
        return did_you_mean(value, self.names())


@dataclass(frozen=True)
class Other(Limit):
    """A limit given by a test function, with a fixed description."""

    test: Callable[[Any], bool]
    words: str
    noun: str
    form = "flag"

    @property
    def kind(self) -> str:
        """The given noun."""
        return self.noun

    def fits(self, value: Any) -> bool:
        """Return whether the test function accepts a value."""
        return self.test(value)

    def expected(self, quoted: bool = True) -> str:
        """Return the fixed description."""
        return self.words


@dataclass(frozen=True)
class Readable(Limit):
    """A text that a parser of the package accepts; the parser raises its own errors."""

    read: Callable[[Any], object]
    kind = "str"

    def fits(self, value: Any) -> bool:
        """Return whether the parser accepts a value."""
        try:
            self.read(value)
        except InvalidArgumentError:
            return False
        return True

    def expected(self, quoted: bool = True) -> str:
        """Return a generic description: only the parser's errors are specific."""
        return "a name of the package"

    def require(self, value: Any, begin: str, quoted: bool = True) -> None:
        """Raise the parser's error unless the parser accepts the value."""
        self.read(value)


@dataclass(frozen=True)
class Either(Limit):
    """The union of `first` with other limits or single values, such as None, infinity or a word."""

    first: Limit
    others: tuple[object, ...]

    @property
    def kind(self) -> str:
        """All types, joined by "or"."""
        return " or ".join([self.first.kind, *map(repr, self.others)])

    def fits(self, value: Any) -> bool:
        """Return whether any of the alternatives accepts a value."""
        return self._is_other(value) or self.first.fits(value)

    def expected(self, quoted: bool = True) -> str:
        """Return a description of all alternatives."""
        return " or ".join(
            limit.expected(quoted)
            if isinstance(limit, Limit)
            else ("infinity" if limit == math.inf else repr(limit))
            for limit in (self.first, *self.others)
        )

    def require(self, value: Any, begin: str, quoted: bool = True) -> None:
        """Raise unless any of the alternatives accepts a value."""
        if isinstance(self.first, Readable) and not self._is_other(value):
            self.first.read(value)
        super().require(value, begin, quoted)

    def _meant(self, value: Any) -> str:
        return self.first._meant(value)

    def _is_other(self, value: Any) -> bool:
        for other in self.others:
            if isinstance(other, Limit):
                if other.fits(value):
                    return True
            elif value is other or (isinstance(value, type(other)) and value == other):
                return True
        return False


def listed(names: Sequence[str], last: str = "or") -> str:
    """Return names as an enumeration: a, b or c."""
    return f" {last} ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def _is_flag(value: Any) -> bool:
    if isinstance(value, bool):
        return True
    import numpy as np  # imported lazily, because help pages do not need NumPy

    return isinstance(value, np.bool_)


FLAG = Other(_is_flag, "True or False", "bool")
COUNT = Whole(1)
NOT_NEGATIVE = Number()
POSITIVE = Number(open_low=True)
SHARE = Number(0, 1)
INSIDE = Number(0, 1, open_low=True)
VERBOSE = Other(
    lambda value: _is_flag(value) or Whole(0).fits(value), "True, False or a whole number", "bool"
)
MAX_NORM = Either(POSITIVE, (None,))
"""Maximum norm of a gradient; None: unlimited."""
