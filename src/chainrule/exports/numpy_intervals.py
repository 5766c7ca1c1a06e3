"""Intervals and sets in an exported Python file; the equations are the package's own source."""

from collections.abc import Callable
from typing import Any

from chainrule.equations.conformal import class_score, prediction_interval, prediction_set
from chainrule.equations.transforms import undone_target
from chainrule.exports.program import Program


def equations(program: Program) -> list[Callable[..., Any]]:
    """Return the equations that `source` calls."""
    if program.interval is None:
        return []
    if program.meaning == "classes":
        return [class_score, prediction_set]
    return [prediction_interval, *([] if program.transform is None else [undone_target])]


def source(program: Program, quantile: str) -> str:
    """Return the source of `predict_interval` or `predict_set`; `quantile` is the name of q."""
    interval = program.interval
    assert interval is not None
    share = f"COVERAGE = {interval.coverage!r}"
    if program.meaning == "classes":
        return (
            f"{share}\n\n\n"
            "def predict_set(X):\n"
            '    """Return whether each class is likely enough, (rows, classes) of bool."""\n'
            "    scores = class_score(predict_proba(X).astype(np.float64))\n"
            f"    return prediction_set(scores, {quantile})"
        )
    lines = [f"    lower, upper = prediction_interval(np.float64(_outputs(X)), {quantile})"]
    if interval.lowest > -float("inf"):
        lines.append(f"    lower = np.maximum(lower, {interval.lowest!r})")
    if program.transform is not None:
        plain = program.transform.plain
        inverse = f"{plain.center!r}, {plain.spread!r}, {plain.rise!r}, {plain.fall!r}"
        lines = [
            f"    t = np.clip(_learned(X), {plain.low!r}, {plain.high!r})",
            f"    lower, upper = prediction_interval(t, {quantile})",
            '    with np.errstate(over="ignore"):',
            f"        lower = undone_target(lower, {inverse})",
            f"        upper = undone_target(upper, {inverse})",
        ]
    shape, ends = "(rows, 2)", "np.stack([lower, upper], axis=-1)[:, 0]"
    if program.n_outputs > 1:
        shape, ends = "(rows, outputs, 2)", "np.stack([lower, upper], axis=-1)"
    return "\n".join(
        [
            f"{share}\n\n\ndef predict_interval(X):",
            f'    """Return the lower and the upper end of each value, {shape}."""',
            *lines,
            f"    return {ends}",
        ]
    )
