"""The verdict on a model in sentences: how it compares with its baselines on some rows.

One rule decides, for the report, the terminal and Python. A difference counts only if its 95 %
interval does not contain 0 (`Judgement.outcome`); tables show the same intervals. A comparison
rests on the primary measures: accuracy and log loss for classes, RMSE for values. A baseline beats
the network if it is better in one of them and worse in none. If another measure contradicts this,
the sentence says so.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from chainrule.assessment.bootstrap import Interval
from chainrule.assessment.judgement import Baseline, Judgement, Outcome
from chainrule.assessment.measures import ACCURACY, F1, LOG_LOSS, RMSE, Measure
from chainrule.model.table_model import TableModel
from chainrule.number_texts import count, listed, number, share

Level = Literal["good", "beaten", "partial", "useless"]

_SHORT_NAME = 24
_BEATEN_BY = {"linear": "a linear model", "trees": "boosted trees"}
_DECIDED = ("better", "worse")
_IN_SENTENCES = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "log_loss": "log loss",
}


@dataclass(frozen=True)
class Verdict:
    """A verdict on a model.

    Parameters
    ----------
    level : str
        "good": better than constant predictions, and no other baseline beats it. "beaten": another
        baseline does. "partial": better than constant predictions, but only in some measures.
        "useless": in none, F1 aside.
    badge : str
        The level in words.
    sentence : str
        Its score, and the comparison with constant predictions.
    comparisons : tuple of str
        A sentence for each other baseline.
    summary : str
        One sentence on all baselines: which differences are significant.
    """

    level: Level
    badge: str
    sentence: str
    comparisons: tuple[str, ...]
    summary: str


def primary_measures(judged: Judgement) -> tuple[Measure, ...]:
    """Return the measures that a verdict rests on."""
    return (ACCURACY, LOG_LOSS) if ACCURACY in judged.measures else (RMSE,)


def baseline_name(model: TableModel, judged: Judgement, baseline: Baseline) -> str:
    """Return the name of a baseline in a sentence."""
    if baseline == "trees":
        return "boosted trees"
    if model.target.task == "regression":
        return "always predicting the mean" if baseline == "constant" else "ridge regression"
    if baseline == "linear":
        return "logistic regression"
    most = str(model.target.classes[int(np.argmax(judged.baselines["constant"][0]))])
    short = most if len(most) <= _SHORT_NAME else f"{most[: _SHORT_NAME - 1]}…"
    return f"always predicting “{short}”"


def standing(judged: Judgement, baseline: Baseline) -> Outcome | Literal["mixed"]:
    """Return how the network compares with a baseline, over the primary measures."""
    found = {judged.outcome(baseline, measure) for measure in primary_measures(judged)}
    if found >= {"better", "worse"}:
        return "mixed"
    decided: tuple[Outcome, ...] = ("better", "worse", "inconclusive")
    return next((one for one in decided if one in found), "same")


def verdict(model: TableModel, judged: Judgement) -> Verdict:
    """Return the verdict on a judgement."""
    others = [name for name in judged.compared if name != "constant"]
    beaten = [name for name in others if standing(judged, name) == "worse"]
    level, badge, rest = _beside_constant(judged)
    if level == "good" and beaten:
        names = listed(
            ["a linear model" if name == "linear" else "boosted trees" for name in beaten]
        )
        level, badge = "beaten", f"Better than guessing, worse than {names}"
    return Verdict(
        level,
        badge,
        _sentence(model, judged) + rest,
        tuple(_comparison(model, judged, name) for name in others),
        summary(model, judged),
    )


def _beside_constant(judged: Judgement) -> tuple[Level, str, str]:
    """Return the level compared with constant predictions, its badge, and the sentence's end."""
    found = {one: judged.outcome("constant", one) for one in judged.measures}
    first, *rest = primary_measures(judged)
    if found[first] == "better" and all(found[one] != "worse" for one in rest):
        exceptions = [_named(one) for one, outcome in found.items() if outcome == "worse"]
        return "good", "Better than guessing", _but("worse", exceptions)
    # Any network beats the F1 of a class that constant predictions never predict: it is 0.
    if "better" not in {outcome for one, outcome in found.items() if one != F1}:
        return "useless", "Useless here", " This network is useless here."
    better = [one for one, outcome in found.items() if outcome == "better"]
    told = "worse" if found[first] == "better" else "better"
    names = [_named(one) for one, outcome in found.items() if outcome == told]
    advice = ""
    if LOG_LOSS in found:
        if found[LOG_LOSS] == "better":
            advice = " Use its probabilities, not its classes."
        elif found[LOG_LOSS] == "worse" and found[ACCURACY] == "better":
            advice = " Use its classes, not its probabilities."
    badge = f"Better than guessing only in {listed([_named(one) for one in better])}"
    return "partial", badge, _but(told, names) + advice


def _but(word: str, names: list[str]) -> str:
    return f" But it is {word} in {listed(names)}." if names else ""


def _sentence(model: TableModel, judged: Judgement) -> str:
    """Return the comparison with constant predictions in the first primary measure."""
    measure = primary_measures(judged)[0]
    target, rows = model.target.name, count(judged.table.height, f"{judged.part} row")
    own = judged.scores["network"][measure.key]
    if measure == ACCURACY:
        reached = f"predicts {target} correctly in {value_text(measure, own.value)} of cases"
    else:
        reached = f"predicts {target} with an RMSE of {value_text(measure, own.value)}"
    reached += _between(measure, own)
    usual = value_text(measure, judged.scores["constant"][measure.key].value)
    constant = f"{baseline_name(model, judged, 'constant')} ({usual})"
    gain = judged.gain("constant", measure)
    beside = {
        "better": f"better than {constant} by {_size(measure, gain)}.",
        "worse": f"worse than {constant} by {_size(measure, gain)}.",
        "inconclusive": f"these rows do not show a difference from {constant}.",
        "same": f"the same as {constant} in every row.",
    }[judged.outcome("constant", measure)]
    return f"On {rows}, the network {reached}: {beside}"


def _comparison(model: TableModel, judged: Judgement, baseline: Baseline) -> str:
    """Return the sentence on one baseline: primary measures, and any that contradict them."""
    name = baseline_name(model, judged, baseline)
    found = {one: judged.outcome(baseline, one) for one in primary_measures(judged)}
    scored = ", ".join(
        f"{_named(one)} {value_text(one, judged.scores[baseline][one.key].value)}" for one in found
    )
    subject = f"{name[0].upper()}{name[1:]} ({scored}{_sampled(judged, baseline)})"
    if set(found.values()) == {"same"}:
        return f"{subject}: the same predictions in every row."
    told = [
        f"{outcome} in {_named(one)}, by {_size(one, judged.gain(baseline, one))}"
        for one, outcome in found.items()
        if outcome in ("better", "worse")
    ]
    unclear = [_named(one) for one, outcome in found.items() if outcome == "inconclusive"]
    if not told:
        text = f"the difference in {listed(unclear)} is inconclusive"
    else:
        text = f"the network is {', and '.join(told)}"
        if unclear:
            text += f"; the difference in {listed(unclear)} is inconclusive"
    return f"{subject}: {text}{_exceptions(judged, baseline)}.{_advice(judged, baseline)}"


def _exceptions(judged: Judgement, baseline: Baseline) -> str:
    """Return the other measures that say the opposite of the primary ones, or more than they."""
    stands = standing(judged, baseline)
    primary = primary_measures(judged)
    rest: dict[str, list[str]] = {"better": [], "worse": []}
    for one in judged.measures:
        outcome = judged.outcome(baseline, one)
        if one not in primary and outcome in rest and outcome != stands:
            rest[outcome].append(_named(one))
    told = [f"it is {word} in {listed(names)}" for word, names in rest.items() if names]
    return "".join(f"; {one}" for one in told)


def _advice(judged: Judgement, baseline: Baseline) -> str:
    if standing(judged, baseline) != "worse":
        return ""
    simpler = "that simpler model" if baseline == "linear" else "that model"
    return f" Use {simpler}, or change the network’s settings."


def _sampled(judged: Judgement, baseline: Baseline) -> str:
    rows = judged.fitted_rows.get(baseline, judged.training_rows)
    if rows >= judged.training_rows:
        return ""
    return f"; fitted to {rows:,} of {judged.training_rows:,} training rows"


def summary(model: TableModel, judged: Judgement) -> str:
    """Return one sentence on which differences from the baselines are significant."""
    groups: dict[str, list[str]] = {}
    for baseline in judged.compared:
        # The name in the terminal's table, where there is no room for logistic regression.
        linear = baseline == "linear"
        name = "the linear model" if linear else baseline_name(model, judged, baseline)
        groups.setdefault(_pattern(judged, baseline), []).append(name)
    told = [pattern.format(listed(names, "or")) for pattern, names in groups.items()]
    return f"On these rows, the network {'; it '.join(told)}."


def _pattern(judged: Judgement, baseline: Baseline) -> str:
    """Return how the network compares with a baseline, with {} for the baseline's name."""
    found: dict[str, list[str]] = {}
    for one in primary_measures(judged):
        found.setdefault(judged.outcome(baseline, one), []).append(_named(one))
    if list(found) == ["same"]:
        return "predicts the same as {}"
    told = [f"{word} than {{}} in {listed(found[word])}" for word in _DECIDED if word in found]
    if not told:
        return "cannot be distinguished from {}"
    if len(told) == 2:
        return (
            f"is better than {{}} in {listed(found['better'])} but worse in "
            f"{listed(found['worse'])}"
        )
    unclear = found.get("inconclusive")
    return f"is {told[0]}" + (f" ({listed(unclear)}: inconclusive)" if unclear else "")


def _named(measure: Measure) -> str:
    return _IN_SENTENCES.get(measure.key, measure.name)


def value_text(measure: Measure, value: float) -> str:
    """Return a score for people: accuracies as percentages."""
    return share(value) if measure.key in ("accuracy", "balanced_accuracy") else number(value)


def _between(measure: Measure, found: Interval) -> str:
    if found.low != found.low:
        return ""
    low, high = value_text(measure, found.low), value_text(measure, found.high)
    return f" (95% interval {low} to {high})"


def _size(measure: Measure, gain: Interval) -> str:
    low, high = sorted((abs(gain.low), abs(gain.high)))
    if measure == ACCURACY:
        return (
            f"{100 * abs(gain.value):.1f} percentage points "
            f"(95% interval {100 * low:.1f} to {100 * high:.1f})"
        )
    return f"{number(abs(gain.value))} (95% interval {number(low)} to {number(high)})"
