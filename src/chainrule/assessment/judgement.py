"""The comparison of a model with its baselines on rows that it was not trained on."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from chainrule.assessment.baselines import LinearAnswers, constant_answers
from chainrule.assessment.bootstrap import Interval, bootstrap, interval
from chainrule.assessment.measures import (
    CLASS_MEASURES,
    VALUE_MEASURES,
    Measure,
    Scorer,
    class_areas,
    class_scorer,
    value_scorer,
)
from chainrule.assessment.predictions import examples_of, outputs_of
from chainrule.assessment.proportions import difference_of
from chainrule.assessment.score_intervals import Classified
from chainrule.assessment.trees import TreeAnswers
from chainrule.errors import InvalidArgumentError
from chainrule.model.table_model import TableModel

if TYPE_CHECKING:
    import polars as pl

Baseline = Literal["constant", "linear", "trees"]
BASELINES: tuple[Baseline, ...] = ("constant", "linear", "trees")
Outcome = Literal["better", "worse", "inconclusive", "same"]

# Rows of all resamples together, times the rankings that each one needs: a second or two of work.
_MOST_WORK = 2e7
_MOST_RESAMPLES, _FEWEST_RESAMPLES = 1000, 200
_MOST_CELLS = 1_000_000


@dataclass(frozen=True)
class Judgement:
    """Predictions of a model and of its baselines for the same rows, and their scores.

    Parameters
    ----------
    table : polars.DataFrame
        The rows.
    numbers : array (m,)
        Position of each row, from 0, in the table that it was drawn from.
    true : array (m,)
        Class indices, or values in the target's units.
    answers : array (m, classes) or (m,)
        The network's predicted probabilities, or values.
    baselines : dict
        The same for "constant", "linear" and "trees"; without "trees" if they would take too long.
    measures : tuple of Measure
    scores : dict
        An interval for "network" and each baseline, and each measure's key.
    differences : dict
        Intervals of the paired differences network − baseline, for each baseline and each measure's
        key.
    resamples : int
        Number of bootstrap resamples.
    fitted_rows : dict
        Number of training rows that "linear" and "trees" were fitted to; 0 if they were not fitted.
    training_rows : int
        Number of training rows.
    part : str
        What the rows are: "test", or "validation" if there are no test rows.
    """

    table: "pl.DataFrame"
    numbers: NDArray[np.int64]
    true: NDArray[np.generic]
    answers: NDArray[np.float64]
    baselines: dict[str, NDArray[np.float64]]
    measures: tuple[Measure, ...]
    scores: dict[str, dict[str, Interval]]
    differences: dict[str, dict[str, Interval]]
    resamples: int
    fitted_rows: dict[str, int]
    training_rows: int
    part: str = "test"

    @property
    def compared(self) -> tuple[Baseline, ...]:
        """The baselines that the network is compared with."""
        return tuple(name for name in BASELINES if name in self.baselines)

    def gain(self, baseline: Baseline, measure: Measure) -> Interval:
        """Return the network's advantage over a baseline: above 0, the network is better."""
        value, low, high = self.differences[baseline][measure.key]
        if measure.greater_is_better:
            return Interval(value, low, high)
        return Interval(-value, -high, -low)

    def outcome(self, baseline: Baseline, measure: Measure) -> Outcome:
        """Return how the network compares with a baseline on these rows.

        "better" or "worse" if the interval of the difference does not contain 0, "same" if both
        predict the same in every row, otherwise "inconclusive". Table and verdict both use this
        rule.
        """
        gain = self.gain(baseline, measure)
        if gain.is_above_zero:
            return "better"
        if gain.is_below_zero:
            return "worse"
        return "same" if gain.low == gain.high == 0 else "inconclusive"


def judge(
    model: TableModel,
    train: "pl.DataFrame",
    rows: "pl.DataFrame",
    *,
    part: str = "test",
    most_rows: int = 100_000,
    seed: int = 0,
) -> Judgement:
    """Return the scores of a model and its baselines on some rows, with 95 % intervals.

    Parameters
    ----------
    model : TableModel
    train : polars.DataFrame
        The rows that the model was trained on; the baselines are fitted to them.
    rows : polars.DataFrame
        The rows to score; if there are more than `most_rows`, a sample is drawn.
    part : str
        The part that the rows belong to: "test" or "validation".
    most_rows : int
    seed : int
        Seed of all samples.
    """
    n_classes = len(model.target.classes)
    most = min(most_rows, _MOST_CELLS // max(1, n_classes))
    numbers = np.arange(rows.height)
    if rows.height > most:
        numbers = np.sort(np.random.default_rng(seed).choice(rows.height, most, replace=False))
        rows = rows[numbers]
    learned = examples_of(model, train)
    examples = examples_of(model, rows)
    fitted: dict[str, LinearAnswers | TreeAnswers] = {
        "linear": LinearAnswers(model, learned, seed),
        "trees": TreeAnswers(model, learned, seed),
    }
    answers = {
        "network": outputs_of(model, examples.X),
        "constant": constant_answers(model, learned, rows.height),
        **{name: one.predict(examples.X) for name, one in fitted.items() if one.rows},
    }
    measures = CLASS_MEASURES if n_classes else VALUE_MEASURES
    scores, differences, resamples = compared(examples.true, answers, measures, n_classes, seed)
    network = answers.pop("network")
    return Judgement(
        rows,
        numbers,
        examples.true,
        network,
        answers,
        measures,
        scores,
        differences,
        resamples,
        {name: one.rows for name, one in fitted.items()},
        train.height,
        part,
    )


def compared(
    true: NDArray[np.generic],
    answers: dict[str, NDArray[np.float64]],
    measures: tuple[Measure, ...],
    n_classes: int,
    seed: int,
) -> tuple[dict[str, dict[str, Interval]], dict[str, dict[str, Interval]], int]:
    """Return the intervals of all scores and of the differences, and the number of resamples.

    Each of the other answers is compared with "network", which is the first.
    """
    rows = len(true)
    scorers = {name: _scorer(true, given, n_classes) for name, given in answers.items()}
    once = np.ones(rows)
    values = np.array([scorer(once) for scorer in scorers.values()])

    def all_scores(weights: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.concatenate([scorer(weights) for scorer in scorers.values()])

    resamples = _resamples(rows, n_classes, len(answers))
    samples = bootstrap(all_scores, rows, resamples=resamples, seed=seed)
    samples = samples.reshape(resamples, *values.shape)
    scores: dict[str, dict[str, Interval]] = {name: {} for name in answers}
    for index, name in enumerate(answers):
        for place, measure in enumerate(measures):
            scores[name][measure.key] = interval(
                values[index, place], samples[:, index, place], rows=rows
            )
    classified: dict[str, Classified] = {}
    if n_classes:
        classes = np.asarray(true, np.int64)
        for name, given in answers.items():
            classified[name] = Classified(classes, given, constant=name == "constant")
            areas = class_areas(classes, given)
            for key, found in scores[name].items():
                scores[name][key] = classified[name].widened(key, found, areas)
    differences: dict[str, dict[str, Interval]] = {}
    for index, name in enumerate(answers):
        if not index:
            continue
        same = np.array_equal(answers["network"], answers[name])
        differences[name] = {}
        for place, measure in enumerate(measures):
            found = interval(
                values[0, place] - values[index, place],
                samples[:, 0, place] - samples[:, index, place],
                rows=rows,
            )
            key = measure.key
            if same:
                found = Interval(0.0, 0.0, 0.0)
            elif n_classes:
                exact = classified["network"].difference(key, classified[name])
                # Resamples that all have the same difference tell nothing of its uncertainty.
                if exact is None and found.low == found.high:
                    exact = difference_of(scores["network"][key], scores[name][key])
                found = found if exact is None else exact
            differences[name][key] = found
    return scores, differences, resamples


def judge_parts(
    model: TableModel, parts: "Mapping[str, pl.DataFrame]", *, seed: int = 0
) -> Judgement:
    """Judge a model on the test rows of a run; if there are none, on its validation rows.

    Parameters
    ----------
    model : TableModel
    parts : mapping of str to polars.DataFrame
        The rows of "train", and of "validation" and "test" if there are any.
    seed : int
        Seed of all samples.

    Raises
    ------
    InvalidArgumentError
        If there are no training rows, or no test or validation rows; or if scores overflow.
    """
    given = [name for name, rows in parts.items() if rows.height]
    part = "test" if "test" in given else "validation"
    if "train" not in given or part not in given:
        raise InvalidArgumentError(
            'parts: expected rows of "train", and of "test" or "validation" to score the model '
            f"on; got {', '.join(given) or 'none'}"
        )
    with within_range():
        return judge(model, parts["train"], parts[part], part=part, seed=seed)


@contextmanager
def within_range() -> Iterator[None]:
    """Turn a floating-point overflow into an error message with the remedy."""
    try:
        with np.errstate(over="raise"):
            yield
    except (FloatingPointError, OverflowError) as error:
        raise InvalidArgumentError(
            f"report: the target's values or predictions are too large: computing their scores "
            f"overflows ({error}). Use larger units for the target"
        ) from error


def _scorer(true: NDArray[np.generic], answers: NDArray[np.float64], n_classes: int) -> Scorer:
    if n_classes:
        return class_scorer(np.asarray(true, np.int64), answers, n_classes)
    return value_scorer(np.asarray(true, np.float64), answers)


def _resamples(rows: int, n_classes: int, models: int) -> int:
    affordable = int(_MOST_WORK / (rows * max(1, n_classes - 1) * models))
    return min(_MOST_RESAMPLES, max(_FEWEST_RESAMPLES, affordable))
