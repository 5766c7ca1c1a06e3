"""The subject of a report: everything that its sections show, computed beforehand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from chainrule.assessment.comparison import Comparison
from chainrule.assessment.importance import Importance
from chainrule.assessment.judgement import Judgement
from chainrule.assessment.measures import Measure
from chainrule.model.table_model import TableModel
from chainrule.pictures.canvas import shortened
from chainrule.tables.row_numbers import RowNumbers
from chainrule.training.history import History

if TYPE_CHECKING:
    import polars as pl


_LENGTH = 24
"""A class's name inside a baseline's name, which is repeated often, is cut to this length."""


@dataclass(frozen=True)
class Subject:
    """A trained model, its rows and its assessment.

    Parameters
    ----------
    model : TableModel
    parts : mapping of str to polars.DataFrame
        The rows: "train", and "validation" and "test" if there are any.
    judged : Judgement
    importance : Importance
    history : History
    command : str
    numbers : RowNumbers or None
        Where the scored rows stand in their file, if that is known.
    notes : sequence of str
    versions : mapping of str to str
    seed : int
    date : str
    comparison : Comparison or None
        The model against that of the default settings, after a search.
    """

    model: TableModel
    parts: "Mapping[str, pl.DataFrame]"
    judged: Judgement
    importance: Importance
    history: History
    command: str
    numbers: RowNumbers | None
    notes: Sequence[str]
    versions: Mapping[str, str]
    seed: int
    date: str
    comparison: Comparison | None = None

    @property
    def part(self) -> str:
        """The one of `parts` that the model is scored on."""
        return self.judged.part

    @property
    def n_trained(self) -> int:
        """How many rows the model was trained on; `parts` may have a sample of them."""
        known = self.model.details.get("rows", {}).get("train")
        return int(known or self.parts["train"].height)

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
        """The measures that are compared."""
        return self.judged.measures

    @property
    def baseline_names(self) -> dict[str, str]:
        """The baselines' names on the page."""
        names = {"constant": "Always the mean", "linear": "Ridge regression"}
        if self.classes:
            most = int(np.argmax(self.judged.baselines["constant"][0]))
            answer = shortened(self.classes[most], _LENGTH)
            names = {"constant": f"Always “{answer}”", "linear": "Logistic regression"}
        names["trees"] = "Boosted trees"
        return {name: names[name] for name in self.judged.compared}

    @cached_property
    def answers(self) -> NDArray[np.int64]:
        """The class that the network predicts for each scored row."""
        return np.asarray(np.argmax(self.judged.answers, axis=1), np.int64)
