"""The gradient check of one parameter: backpropagation against a difference of the loss."""

from typing import Any

from chainrule.engines.base import Examples
from chainrule.inspection.gradient_check import EntryCheck, check_entry
from chainrule.playground.inspection.numbers import plain, tex
from chainrule.playground.inspection.places import parameter, step_problem
from chainrule.playground.session.snapshot import Snapshot

# J(θ + h) and J(θ − h) differ in about their seventh digit: so many more make the difference.
_DIGITS = 13


def checked_gradient(
    snapshot: Snapshot,
    name: str,
    layer: int,
    row: int,
    column: int = 0,
    example: Examples | None = None,
) -> dict[str, Any]:
    """Return the gradient of a weight or bias, and the central difference of the loss beside it.

    Both are computed in float64, as predictions are: without dropout, and with the running
    statistics of batch normalisation.

    Parameters
    ----------
    snapshot : Snapshot
    name : {"W", "b"}
    layer : int
        The layer with weights, counted from 1.
    row, column : int
        From 0.
    example : Examples, optional
        By default the batch of the next step.

    Returns
    -------
    dict
        "backpropagation", "difference", "h", "loss", "loss_plus", "loss_minus", "relative" (their
        distance, relative to the larger one), "bound" (the largest distance that rounding and h
        explain), "agree" (None if a kink makes the difference meaningless), "equation" and
        "numbers" as TeX, and "text".

    Raises
    ------
    InvalidArgumentError
        If the network has no such parameter.
    """
    _, index = parameter(snapshot.spec, name, layer, row, column)
    found = check_entry(step_problem(snapshot, example), snapshot.plan.engine, index)
    larger = max(abs(found.gradient), abs(found.difference))
    distance = abs(found.gradient - found.difference)
    symbol = f"w_{{{row + 1},{column + 1}}}" if name == "W" else f"b_{{{row + 1}}}"
    return {
        "name": name,
        "layer": layer,
        "row": row,
        "column": column,
        "backpropagation": plain(found.gradient),
        "difference": plain(found.difference),
        "h": found.h,
        "loss": plain(found.loss),
        "loss_plus": plain(found.plus),
        "loss_minus": plain(found.minus),
        "relative": plain(distance / larger) if larger else 0.0,
        "bound": plain(found.bound),
        "agree": found.agrees,
        "equation": rf"\frac{{\partial J}}{{\partial {symbol}}} \approx "
        rf"\frac{{J({symbol} + h) - J({symbol} - h)}}{{2h}}",
        "numbers": rf"\frac{{{tex(found.plus, _DIGITS)} - {tex(found.minus, _DIGITS)}}}"
        rf"{{2 \cdot {tex(found.h)}}} = {tex(found.difference, 7)}",
        "text": _in_words(found, distance),
    }


def _in_words(found: EntryCheck, distance: float) -> str:
    if found.agrees is None:
        return (
            "Between the two points, a unit starts or stops being active. The loss has a kink "
            "there, so its difference cannot be compared with the gradient. Try another weight or "
            "example."
        )
    both = (
        f"Backpropagation gives {found.gradient:.7g}, the central difference of the loss gives "
        f"{found.difference:.7g}"
    )
    if found.agrees:
        return (
            f"{both}. They differ by {distance:.1e}, less than the {found.bound:.1e} that rounding "
            "and the step h can explain: they agree."
        )
    return (
        f"{both}. They differ by {distance:.1e}, more than the {found.bound:.1e} that rounding "
        "and the step h can explain: one of the two is wrong."
    )
