"""What a report is about, with everything computed that its sections show."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from chainrule.assessment.importance import Importance
from chainrule.assessment.judgement import Judgement
from chainrule.assessment.measures import Measure
from chainrule.model.table_model import TableModel
from chainrule.report.canvas import shortened
from chainrule.training.history import History

if TYPE_CHECKING:
    import polars as pl


_LENGTH = 24
"""A class in a name that comes again and again is cut to this."""


@dataclass(frozen=True)
class Subject:
    """A trained model, its rows and what was found out about it.

    Parameters
    ----------
    model : TableModel
    parts : mapping of str to polars.DataFrame
        "train", and those of "validation" and "test" that there are.
    part : str
        The part that the model is judged by.
    judged : Judgement
    importance : Importance
    history : History
    command : str
    notes : sequence of str
    versions : mapping of str to str
    seed : int
    date : str
    """

    model: TableModel
    parts: "Mapping[str, pl.DataFrame]"
    part: str
    judged: Judgement
    importance: Importance
    history: History
    command: str
    notes: Sequence[str]
    versions: Mapping[str, str]
    seed: int
    date: str

    @property
    def target(self) -> str:
        """The name of the column that is predicted."""
        return self.model.target.name

    @property
    def classes(self) -> list[str]:
        """The classes as text; empty for values."""
        return [str(name) for name in self.model.target.classes]

    @property
    def measures(self) -> tuple[Measure, ...]:
        """The scores that were compared."""
        return self.judged.measures

    @property
    def baseline_names(self) -> dict[str, str]:
        """What the baselines are called."""
        if self.classes:
            most = int(np.argmax(self.judged.baselines["constant"][0]))
            answer = shortened(self.classes[most], _LENGTH)
            return {"constant": f"Always “{answer}”", "linear": "Logistic regression"}
        return {"constant": "Always the mean", "linear": "Ridge regression"}

    @cached_property
    def answers(self) -> NDArray[np.int64]:
        """The class that the network gives each judged row."""
        return np.asarray(np.argmax(self.judged.answers, axis=1), np.int64)
