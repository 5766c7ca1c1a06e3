"""The verdict in plain sentences: whether the network is any good."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from chainrule.assessment.bootstrap import Interval
from chainrule.assessment.judgement import Judgement
from chainrule.assessment.measures import ACCURACY, LOG_LOSS, RMSE
from chainrule.model.table_model import TableModel
from chainrule.number_texts import count, number, share

Level = Literal["good", "beaten", "partial", "useless"]


@dataclass(frozen=True)
class Verdict:
    """A verdict on a model: its level, a sentence, and the comparison with a linear model."""

    level: Level
    sentence: str
    beside_linear: str


def verdict(model: TableModel, judged: Judgement) -> Verdict:
    """Return the verdict on a judgement.

    A network is "good" if its predictions are significantly better than the constant ones, and
    "beaten" if those of a linear model are significantly better still. It is "partial" if only its
    probabilities are better than the constant ones, and otherwise "useless".
    """
    if model.target.task == "regression":
        return _of_values(model, judged)
    return _of_classes(model, judged)


def _of_classes(model: TableModel, judged: Judgement) -> Verdict:
    target = model.target
    rows = count(judged.table.height, f"{judged.part} row")
    constant = (
        f"always predicting “{target.classes[int(np.argmax(judged.baselines['constant'][0]))]}”"
    )
    reached = share(judged.scores["network"]["accuracy"].value)
    usual = share(judged.scores["constant"]["accuracy"].value)
    gain = judged.gain("constant", ACCURACY)
    linear = f"logistic regression ({share(judged.scores['linear']['accuracy'].value)})"
    beside_linear = _beside_linear(judged.gain("linear", ACCURACY), linear, _points)
    if gain.is_above_zero:
        return Verdict(
            "beaten" if judged.gain("linear", ACCURACY).is_below_zero else "good",
            f"On {rows}, the network predicts {target.name} correctly in {reached} of cases: "
            f"better than {constant} ({usual}) by {_points(gain)}.",
            beside_linear,
        )
    if judged.gain("constant", LOG_LOSS).is_above_zero:
        return Verdict(
            "partial",
            f"On {rows}, the network’s predicted classes ({reached} correct) are no better than "
            f"{constant} ({usual}), but its probabilities are informative: use them instead.",
            beside_linear,
        )
    worse = "worse" if gain.is_below_zero else "no better"
    return Verdict(
        "useless",
        f"On {rows}, the network predicts {target.name} correctly in {reached} of cases: {worse} "
        f"than {constant} ({usual}). This network is useless here.",
        beside_linear,
    )


def _of_values(model: TableModel, judged: Judgement) -> Verdict:
    target = model.target
    rows = count(judged.table.height, f"{judged.part} row")
    reached = number(judged.scores["network"]["rmse"].value)
    usual = number(judged.scores["constant"]["rmse"].value)
    gain = judged.gain("constant", RMSE)
    linear = f"ridge regression ({number(judged.scores['linear']['rmse'].value)})"
    beside_linear = _beside_linear(judged.gain("linear", RMSE), linear, _amount)
    if gain.is_above_zero:
        return Verdict(
            "beaten" if judged.gain("linear", RMSE).is_below_zero else "good",
            f"On {rows}, the network predicts {target.name} with an RMSE of {reached}: better than "
            f"always predicting the mean ({usual}) by {_amount(gain)}.",
            beside_linear,
        )
    worse = "worse" if gain.is_below_zero else "no better"
    return Verdict(
        "useless",
        f"On {rows}, the network predicts {target.name} with an RMSE of {reached}: {worse} than "
        f"always predicting the mean ({usual}). This network is useless here.",
        beside_linear,
    )


def _beside_linear(gain: Interval, linear: str, shown: Callable[[Interval], str]) -> str:
    if gain.is_above_zero:
        return f"It beats {linear} on the same inputs by {shown(gain)}."
    if gain.is_below_zero:
        return (
            f"But {linear} on the same inputs is better by {shown(gain)}: use that simpler model, "
            "or change the network's settings."
        )
    return (
        f"Whether it is better than {linear} on the same inputs is inconclusive: the 95% interval "
        "of the difference contains 0."
    )


def _points(gain: Interval) -> str:
    low, high = sorted((abs(gain.low), abs(gain.high)))
    return (
        f"{100 * abs(gain.value):.1f} percentage points "
        f"(95% interval {100 * low:.1f} to {100 * high:.1f})"
    )


def _amount(gain: Interval) -> str:
    low, high = sorted((abs(gain.low), abs(gain.high)))
    return f"{number(abs(gain.value))} (95% interval {number(low)} to {number(high)})"
