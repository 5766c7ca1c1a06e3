"""What `chainrule.distill` returns: the student, and how it compares with its teacher."""

import itertools
import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.checks import is_real, shown
from chainrule.errors import InvalidArgumentError
from chainrule.network.random import Stream, generator
from chainrule.tables.splits import Split
from chainrule.tables.task import Task

# With fewer rows, hardly any are left to learn from or to compare with.
_FEWEST_ROWS = 10


@dataclass(frozen=True)
class Distillation:
    """A student, and how it compares with its teacher on rows that it did not learn from.

    Parameters
    ----------
    model : NetworkClassifier, NetworkRegressor, MLPClassifier, MLPRegressor or TableModel
        The student.
    task : {"classification", "regression"}
    agreement : float
        For classes, the share of the held-out rows for which student and teacher predict the same
        class; for values, R² of the student's predictions against the teacher's.
    score, teacher_score : float or None
        Accuracy or R² of both against the true targets of the held-out rows; None without them.
    parameters, teacher_parameters : int
        Numbers of parameters of both networks.
    rows : int
        Number of held-out rows.
    scored : int
        How many of them have a true target.

    Examples
    --------
    >>> from chainrule.model.distillation import Distillation
    >>> print(Distillation(None, "classification", 0.985, 0.957, 0.962, 12345, 1023456, 200, 200))
    distilled to 12,345 of 1,023,456 parameters: on 200 rows, 98.5 % of the answers are the same; \
accuracy 0.957, the teacher's 0.962
    """

    model: Any
    task: Task
    agreement: float
    score: float | None
    teacher_score: float | None
    parameters: int
    teacher_parameters: int
    rows: int
    scored: int

    def __str__(self) -> str:
        classes = self.task == "classification"
        if classes:
            # Rounded down: only answers that are all the same are 100 %.
            percent = math.floor(round(self.agreement * 1000, 6)) / 10
            same = f"{percent:.1f} % of the answers are the same"
        else:
            same = f"R² against the teacher's values is {self.agreement:.3f}"
        text = (
            f"distilled to {self.parameters:,} of {self.teacher_parameters:,} parameters: "
            f"on {self.rows:,} rows, {same}"
        )
        if self.score is None or self.teacher_score is None:
            return text
        measure = "accuracy" if classes else "R²"
        where = "" if self.scored == self.rows else f" on {self.scored:,} of them"
        return f"{text}; {measure} {self.score:.3f}{where}, the teacher's {self.teacher_score:.3f}"


def divided(m: int, held_out: object, seed: int, validation: float = 0.0) -> Split:
    """Divide m rows at random into those to learn from, to validate with, and to compare with.

    Parameters
    ----------
    m : int
    held_out : float
        The share of the rows to compare with, the test part.
    seed : int
    validation : float
        The share of the other rows to validate with.

    Raises
    ------
    InvalidArgumentError
        If the share is invalid, or there are too few rows.
    """
    if not is_real(held_out) or not 0 < held_out < 1:
        raise InvalidArgumentError(
            "held_out: expected a share of the rows between 0 and 1, such as 0.2; got "
            f"{shown(held_out)}"
        )
    if m < _FEWEST_ROWS:
        raise InvalidArgumentError(
            f"X: expected at least {_FEWEST_ROWS} rows, to learn from and to compare with; got {m}"
        )
    tested = math.ceil(held_out * m)
    validated = math.ceil(validation * (m - tested))
    learned = m - tested - validated
    if tested < 2 or learned < 2:
        raise InvalidArgumentError(
            "held_out: expected a share that leaves 2 rows or more to learn from and to compare "
            f"with; {held_out} of {m} rows leaves {learned} and {tested}"
        )
    order = generator(seed, Stream.SPLIT).permutation(m)
    ends = [0, tested, tested + validated, m]
    test, aside, train = (np.sort(order[a:b]) for a, b in itertools.pairwise(ends))
    return Split(train, aside, test)
