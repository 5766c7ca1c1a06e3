"""Sentences on temperature, intervals and sets, for the sections on calibration and on errors."""

import numpy as np
from numpy.typing import NDArray

from chainrule.errors import InvalidArgumentError
from chainrule.model.network import Network
from chainrule.model.probability_scores import (
    brier_losses,
    calibration_error,
    log_losses,
    stated_probabilities,
)
from chainrule.model.table_model import TableModel
from chainrule.model.temperature import Temperature, tempered
from chainrule.number_texts import count, number, share
from chainrule.report.subject import Subject

COVERAGE = 0.9


def told_temperature(subject: Subject) -> str:
    """Return the effect of the temperature on the probabilities; "" if none was fitted."""
    found = Temperature.from_details(subject.model.details)
    if found is None:
        return ""
    if not found.applied:
        return (
            f"The temperature with the lowest log loss on the validation rows, "
            f"{number(found.fitted)}, was not applied, because it does not clearly improve the "
            "probabilities of rows that it was not fitted to."
        )
    X, true = subject.model.truth(subject.parts[subject.part])
    network = subject.model.network
    before, after = (
        _measured(_probabilities(one, X), true)
        for one in (tempered(network, 1 / found.value), network)
    )
    names = ("calibration error", "Brier score", "log loss")
    each = [
        f"{name} {number(old)} before and {number(new)} after"
        for name, old, new in zip(names, before, after, strict=True)
    ]
    how = "less" if found.value > 1 else "more"
    return (
        f"A temperature of {number(found.value)}, fitted to the validation rows, made the "
        f"probabilities {how} certain: {', '.join(each)}."
    )


def told_interval(subject: Subject) -> str:
    """Return how wide the intervals of 90 % are; "" if the model has none."""
    rows = _calibration_rows(subject.model)
    if not rows:
        return ""
    found = subject.model.predict(subject.parts[subject.part], interval=COVERAGE)
    lower, upper = found["lower"].to_numpy(), found["upper"].to_numpy()
    # Of counts, intervals end at 0, so half of their width is not their quantile.
    half = subject.model.quantile(COVERAGE)
    if subject.model.target.transform is None:
        ends = f"are the prediction ±{number(half)}"
    else:
        ends = f"have a median width of {number(float(np.median(upper - lower)))}"
    return (
        f" Prediction intervals at {share(COVERAGE, 0)} coverage, calibrated on {rows}, "
        f"{ends}{_checked(subject, 'value')}."
    )


def told_sets(subject: Subject) -> str:
    """Return how many classes the sets of 90 % have; "" if the model has none."""
    rows = _calibration_rows(subject.model)
    if not rows:
        return ""
    found = subject.model.predict(subject.parts[subject.part], interval=COVERAGE)
    size = float(found["prediction_set"].list.len().to_numpy().mean())
    return (
        f"Prediction sets at {share(COVERAGE, 0)} coverage, calibrated on {rows}, have "
        f"{number(size)} classes on average{_checked(subject, 'class')}."
    )


def _calibration_rows(model: TableModel) -> str:
    """Return the number of calibration rows in words; "" if there are too few or none."""
    try:
        model.quantile(COVERAGE)
    except InvalidArgumentError:
        return ""
    assert model.conformal is not None
    return count(model.conformal.rows, "validation row")


def _checked(subject: Subject, what: str) -> str:
    """Return the coverage on the test rows, in words; "" if there are no test rows."""
    if subject.part != "test":
        return ""
    scores = subject.model.scores_of(*subject.model.truth(subject.parts[subject.part]))
    held = float(np.mean(scores <= subject.model.quantile(COVERAGE)))
    return f", and contain the true {what} of {share(held, 1)} of the test rows"


def _probabilities(network: Network, X: NDArray[np.floating]) -> NDArray[np.float64]:
    p = network.predict(X).astype(np.float64)
    return np.hstack([1 - p, p]) if p.shape[1] == 1 else p


def _measured(p: NDArray[np.float64], true: NDArray[np.integer]) -> tuple[float, float, float]:
    return (
        calibration_error(*stated_probabilities(true, p)),
        float(np.mean(brier_losses(true, p))),
        float(np.mean(log_losses(true, p))),
    )
