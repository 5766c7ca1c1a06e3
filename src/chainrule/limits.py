"""What a setting may be: asked of a value and said in words, the same wherever it comes in."""

import difflib
import math
import operator
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from chainrule.checks import is_real, is_whole, shown
from chainrule.errors import InvalidArgumentError


class Limit(ABC):
    """Which values a setting may have."""

    form: ClassVar[str] = "text"
    """What one value is in run.toml: "text", "whole", "number" or "flag"."""

    @property
    @abstractmethod
    def kind(self) -> str:
        """What a docstring calls it: "float", "int or None"."""

    @abstractmethod
    def fits(self, value: Any) -> bool:
        """Whether a value may be this."""

    @abstractmethod
    def expected(self, quoted: bool = True) -> str:
        """Return in words what it may be; `quoted`: names as Python writes them."""

    def require(self, value: Any, begin: str, quoted: bool = True) -> None:
        """Raise unless a value may be this.

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
        """Return what to add to a refusal where it is plain what was meant."""
        return ""


@dataclass(frozen=True)
class Number(Limit):
    """A finite number in an interval; without arguments in [0, ∞)."""

    low: float = 0.0
    high: float = math.inf
    open_low: bool = False
    open_high: bool = True
    form = "number"
    kind = "float"

    def fits(self, value: Any) -> bool:
        """Whether a value lies in the interval."""
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
        """Return an argument as a float, or raise with its name."""
        self.require(value, f"{name}: expected")
        return float(value)


@dataclass(frozen=True)
class Whole(Limit):
    """A whole number of at least `least`."""

    least: int
    most: int | None = None
    form = "whole"
    kind = "int"

    def fits(self, value: Any) -> bool:
        """Whether a value is a whole number within the bounds."""
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
    """One of some names, which are looked up when they are asked for."""

    names: Callable[[], Sequence[str]]
    kind = "str"

    @classmethod
    def of(cls, *names: str) -> "Choice":
        """Return the choice between these names."""
        return cls(lambda: names)

    def fits(self, value: Any) -> bool:
        """Whether a value is one of the names."""
        return isinstance(value, str) and value in self.names()

    def expected(self, quoted: bool = True) -> str:
        """Return the names."""
        if quoted:
            return "one of " + ", ".join(map(repr, self.names()))
        return listed(self.names())

    def _meant(self, value: Any) -> str:
        near = difflib.get_close_matches(value, self.names(), n=1) if isinstance(value, str) else []
        return f" (did you mean {near[0]}?)" if near else ""


@dataclass(frozen=True)
class Other(Limit):
    """What only a function can tell, and that in words."""

    test: Callable[[Any], bool]
    words: str
    noun: str
    form = "flag"

    @property
    def kind(self) -> str:
        """The noun."""
        return self.noun

    def fits(self, value: Any) -> bool:
        """Whether the function says so."""
        return self.test(value)

    def expected(self, quoted: bool = True) -> str:
        """Return the words."""
        return self.words


@dataclass(frozen=True)
class Readable(Limit):
    """A text that a function of the package reads, which says itself what it does not take."""

    read: Callable[[Any], object]
    kind = "str"

    def fits(self, value: Any) -> bool:
        """Whether the function takes a value."""
        try:
            self.read(value)
        except InvalidArgumentError:
            return False
        return True

    def expected(self, quoted: bool = True) -> str:
        """Return what little can be said before a value is refused."""
        return "a name of the package"

    def require(self, value: Any, begin: str, quoted: bool = True) -> None:
        """Raise what the function raises."""
        self.read(value)


@dataclass(frozen=True)
class Either(Limit):
    """What `first` takes, or something else: another limit's, or None, infinity, a word."""

    first: Limit
    others: tuple[object, ...]

    @property
    def kind(self) -> str:
        """Both kinds."""
        return " or ".join([self.first.kind, *map(repr, self.others)])

    def fits(self, value: Any) -> bool:
        """Whether one of them takes a value."""
        return self._is_other(value) or self.first.fits(value)

    def expected(self, quoted: bool = True) -> str:
        """Return all of them in words."""
        return " or ".join(
            limit.expected(quoted)
            if isinstance(limit, Limit)
            else ("infinity" if limit == math.inf else repr(limit))
            for limit in (self.first, *self.others)
        )

    def require(self, value: Any, begin: str, quoted: bool = True) -> None:
        """Raise unless one of them takes a value."""
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
    """Return names as a sentence lists them: a, b or c."""
    return f" {last} ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def _is_flag(value: Any) -> bool:
    if isinstance(value, bool):
        return True
    import numpy as np  # a page of help does without

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
"""Of a gradient, at most; None: any."""
