"""The comparison of two models on the same rows, such as the best of a search and the default."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from chainrule.assessment.bootstrap import Interval
from chainrule.assessment.judgement import compared, within_range
from chainrule.assessment.measures import (
    ACCURACY,
    AREA,
    CLASS_MEASURES,
    LOG_LOSS,
    MAE,
    RMSE,
    VALUE_MEASURES,
    Measure,
)
from chainrule.assessment.predictions import examples_of, outputs_of
from chainrule.model.table_model import TableModel
from chainrule.number_texts import count, fixed, listed, number, points, share, signed

if TYPE_CHECKING:
    import polars as pl

_MOST_ROWS = 100_000
_MOST_CELLS = 1_000_000
_DECIDING = (ACCURACY, LOG_LOSS, RMSE, MAE)
_SHOWN = {ACCURACY.key, AREA.key, LOG_LOSS.key, *(one.key for one in VALUE_MEASURES)}


@dataclass(frozen=True)
class Comparison:
    """The scores of two models on the same rows, and their paired differences, with intervals.

    Parameters
    ----------
    names : (str, str)
        The names of the models.
    part : str
        The part that the rows belong to: "test" or "validation".
    rows : int
    measures : tuple of Measure
    scores : (dict, dict)
        An interval for each measure's key, for each of the models.
    differences : dict
        The interval of first − second for each measure's key.
    """

    names: tuple[str, str]
    part: str
    rows: int
    measures: tuple[Measure, ...]
    scores: tuple[dict[str, Interval], dict[str, Interval]]
    differences: dict[str, Interval]

    @property
    def sentence(self) -> str:
        """The scores in which the first model is better or worse, or the comparison is unclear."""
        first, second = self.names
        on = f"On {count(self.rows, f'{self.part} row')}"
        if all(found == (0.0, 0.0, 0.0) for found in self.differences.values()):
            return f"{on}, {first} and {second} have the same scores."
        outcomes: dict[str, list[str]] = {"better": [], "worse": [], "inconclusive": []}
        for measure in self.measures:
            if measure in _DECIDING:
                found = self.differences[measure.key]
                shown = f"{_difference(measure, found.value)}, 95% interval {_span(measure, found)}"
                outcomes[_outcome(measure, found)].append(f"{_in_words(measure)} ({shown})")
        clear = [
            f"{word} in {listed(outcomes[word])}" for word in ("better", "worse") if outcomes[word]
        ]
        unclear = listed(outcomes["inconclusive"])
        if not clear:
            return (
                f"{on}, it is inconclusive whether {first} is better than {second}: the intervals "
                f"of the differences contain 0, in {unclear}."
            )
        rest = f"; the difference in {unclear} is inconclusive" if unclear else ""
        return f"{on}, {first} against {second} is {listed(clear)}{rest}."

    def table(self) -> list[tuple[str, str, str, str]]:
        """Return rows of measure, score of the first and of the second model, and difference."""
        first, second = self.scores
        return [
            (
                measure.name,
                _score(measure, first[measure.key]),
                _score(measure, second[measure.key]),
                f"{_difference(measure, self.differences[measure.key].value)}"
                f" ({_span(measure, self.differences[measure.key])})",
            )
            for measure in self.measures
            if measure.key in _SHOWN
        ]


def compare(
    first: TableModel,
    second: TableModel,
    rows: "pl.DataFrame",
    names: tuple[str, str],
    *,
    part: str = "test",
    seed: int = 0,
) -> Comparison:
    """Return the comparison of two models of the same table on some rows.

    Parameters
    ----------
    first, second : TableModel
    rows : polars.DataFrame
        If there are more than 100,000, a sample is drawn.
    names : (str, str)
        The names of the models.
    part : str
        The part that the rows belong to: "test" or "validation".
    seed : int
        Seed of the sample and of the bootstrap.
    """
    n_classes = len(first.target.classes)
    most = min(_MOST_ROWS, _MOST_CELLS // max(1, n_classes))
    if rows.height > most:
        chosen = np.random.default_rng(seed).choice(rows.height, most, replace=False)
        rows = rows[np.sort(chosen)]
    answers = {}
    for name, model in (("network", first), ("other", second)):
        examples = examples_of(model, rows)
        answers[name] = outputs_of(model, examples.X)
    measures = CLASS_MEASURES if n_classes else VALUE_MEASURES
    with within_range():
        scores, differences, _ = compared(examples.true, answers, measures, n_classes, seed)
    return Comparison(
        names,
        part,
        rows.height,
        measures,
        (scores["network"], scores["other"]),
        differences["other"],
    )


def _outcome(measure: Measure, found: Interval) -> str:
    if not (found.is_above_zero or found.is_below_zero):
        return "inconclusive"
    return "better" if found.is_above_zero == measure.greater_is_better else "worse"


def _in_words(measure: Measure) -> str:
    """Return a measure's name for use inside a sentence: accuracy, log loss, RMSE."""
    return measure.name if measure.name.isupper() else measure.name.lower()


def _value(measure: Measure, value: float) -> str:
    if measure.key == ACCURACY.key:
        return share(value)
    return fixed(value) if measure.key in ("roc_auc", "r2") else number(value)


def _score(measure: Measure, found: Interval) -> str:
    if found.low != found.low:
        return _value(measure, found.value)
    low, high = (_value(measure, end).removesuffix("%") for end in (found.low, found.high))
    return f"{_value(measure, found.value)} ({low}–{high})"


def _difference(measure: Measure, value: float) -> str:
    if measure.key == ACCURACY.key:
        return f"{points(value)} points"
    if measure.key in ("roc_auc", "r2"):
        return fixed(value, sign=True)
    return signed(value, 2)


def _span(measure: Measure, found: Interval) -> str:
    if found.low != found.low:
        return "no interval"
    ends = (_difference(measure, end).removesuffix(" points") for end in (found.low, found.high))
    return " to ".join(ends)
