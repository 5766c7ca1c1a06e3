"""The sentences and numbers of an explanation, as texts."""

import math
from dataclasses import dataclass

from chainrule.model.explained_row import Effect, RowExplanation
from chainrule.printable import printable

_DIGITS = 3
_LONGEST = 40


def short(text: object, longest: int = _LONGEST) -> str:
    """Return a text for people, cut with an ellipsis if it is too long."""
    shown = printable(text)
    return shown if len(shown) <= longest else f"{shown[: longest - 1]}…"


@dataclass(frozen=True)
class Words:
    """An explanation in words: probabilities in percent, values in the target's units.

    Parameters
    ----------
    row : RowExplanation
    target : str
    background : str
    table : str
        Its name, or "".
    """

    row: RowExplanation
    target: str
    background: str
    table: str

    @property
    def _scale(self) -> float:
        return 1.0 if self.row.class_name is None else 100.0

    @property
    def _decimals(self) -> int:
        size = self._scale * max(abs(effect.effect) for effect in self.row.effects)
        if not size > 0:
            return _DIGITS
        return min(12, max(0, _DIGITS - 1 - math.floor(math.log10(size))))

    @property
    def heading(self) -> str:
        """Which row of which table."""
        line = "" if self.row.line is None else f" (line {self.row.line:,})"
        table = f" of {short(self.table)}" if self.table else ""
        return f"Row {self.row.row:,}{line}{table}"

    @property
    def outcome(self) -> str:
        """The predicted and the true target."""
        row, target = self.row, short(self.target)
        true = "" if row.truth is None else f"; its true value is {_value(row.truth)}"
        if row.class_name is None:
            return f"Predicted {target}: {self.amount(row.value)}{true}"
        chance = f" ({self.amount(row.value)})" if row.class_name == row.prediction else ""
        return f"Predicted {target}: {_value(row.prediction)}{chance}{true}"

    @property
    def sentence(self) -> str:
        """The baseline, the prediction, and their difference."""
        row = self.row
        quantity = (
            f"The predicted {short(self.target)}"
            if row.class_name is None
            else f"The probability of {_value(row.class_name)}"
        )
        unit = "" if row.class_name is None else " percentage points"
        return (
            f"{quantity} is {self.amount(row.baseline)} on average over {self.background}, and "
            f"{self.amount(row.value)} for this row. The effects of the columns add up to the "
            f"difference, {self.effect(row.value - row.baseline)}{unit}:"
        )

    @property
    def unit(self) -> str:
        """The heading of the effects."""
        return "effect" if self.row.class_name is None else "points"

    def amount(self, value: float) -> str:
        """Return a probability in percent, or a value."""
        shown = f"{self._scale * value:,.{self._decimals}f}"
        return shown if self.row.class_name is None else f"{shown} %"

    def effect(self, effect: float) -> str:
        """Return an effect with its sign."""
        shown = f"{self._scale * effect:+,.{self._decimals}f}"
        return shown[1:] if not any(digit in shown for digit in "123456789") else shown

    def most_effects(self, most: int) -> tuple[tuple[Effect, ...], tuple[Effect, ...]]:
        """Return the effects to show one by one, and the rest, which is empty or at least two."""
        effects = self.row.effects
        shown = len(effects) if len(effects) <= most + 1 else most
        return effects[:shown], effects[shown:]

    @staticmethod
    def value(value: object, longest: int = _LONGEST) -> str:
        """Return a value of the table."""
        return short(_value(value), longest)


def _value(value: object) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "(missing)"
    if isinstance(value, bool) or not isinstance(value, int | float):
        return short(value)
    return f"{value:.6g}" if isinstance(value, float) else str(value)
