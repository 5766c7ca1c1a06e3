"""The explanation of the prediction for one row."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Effect:
    """The effect of the value of one column: how far it moves a prediction from the baseline.

    Attributes
    ----------
    column : str
    value : object
        The row's value, as the table has it.
    effect : float
        In the units of the prediction: a difference of probabilities, or of values.
    """

    column: str
    value: Any
    effect: float


@dataclass(frozen=True)
class RowExplanation:
    """The explanation of the prediction for one row: the effect of each column.

    Attributes
    ----------
    row : int
        Row number in the table, counted from 1.
    line : int or None
        The row's line in its file, if that is known.
    prediction : object
        The most probable class, or the predicted value.
    truth : object
        The true class or value; None if the row has none.
    class_name : object
        The class whose probability is explained; None for values.
    value : float
        What is explained: the probability of `class_name`, or the predicted value.
    baseline : float
        Its mean over the background.
    effects : tuple of Effect
        One for each column, the largest effect first. Their sum is value − baseline.
    unexplained : float
        value − baseline minus the sum of the effects: the error of the numerical integration.
    """

    row: int
    line: int | None
    prediction: Any
    truth: Any
    class_name: Any
    value: float
    baseline: float
    effects: tuple[Effect, ...]
    unexplained: float
