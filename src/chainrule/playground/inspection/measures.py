"""How good the network is at this moment, and what its layers look like, in numbers."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.assessment.discrimination import Ranking
from chainrule.assessment.measures import (
    CLASS_MEASURES,
    VALUE_MEASURES,
    Measure,
    class_scorer,
    value_scorer,
)
from chainrule.engines.base import Examples, Floats, Problem
from chainrule.engines.passes import as_columns, backward_pass, forward_pass, with_penalties
from chainrule.network.parameters import views
from chainrule.playground.inspection.numbers import plain, plain_list
from chainrule.playground.inspection.places import drawn_layers
from chainrule.playground.session.snapshot import Snapshot
from chainrule.tables.target import TargetEncoder
from chainrule.training.diagnostics import diagnose, rows_of, spread

# Rows that scores are computed on.
_MOST_ROWS, _MOST_OUTPUTS = 5_000, 200_000

# Classes with a ROC curve of their own, points of a curve, points of a scatter plot, bins.
_MOST_CURVES, _MOST_POINTS, _MOST_DOTS, _BINS = 10, 101, 500, 30

_PROBABILITIES = (0.05, 0.25, 0.5, 0.75, 0.95)


def measures(
    snapshot: Snapshot, target: TargetEncoder, held_out: Examples | None = None
) -> dict[str, Any]:
    """Return scores, errors, and the distributions of a network's numbers, on bounded samples.

    Parameters
    ----------
    snapshot : Snapshot
    target : TargetEncoder
        The target column: the task, the classes, and how outputs become values.
    held_out : Examples, optional
        Examples that the network does not learn from; by default, the scores are those of the
        training examples.

    Returns
    -------
    dict
        "task", "part" ("test" or "train"), "rows", "scores", "confusion" and "roc" (None for
        values), "values" (None for classes), "layers" and "diagnostics". All are lists and numbers.
    """
    if held_out is not None and not len(held_out.X):
        held_out = None
    part = "train" if held_out is None else "test"
    examples = snapshot.examples if held_out is None else held_out
    most = min(_MOST_ROWS, max(1, _MOST_OUTPUTS // snapshot.spec.n_outputs))
    examples = spread(examples, min(len(examples.X), most))
    outputs = np.empty((len(examples.X), snapshot.spec.n_outputs), snapshot.spec.dtype)
    if len(outputs):
        snapshot.plan.engine.forward(snapshot.spec, snapshot.parameters, examples.X, outputs)
    found: dict[str, Any] = {"scores": [], "confusion": None, "roc": None, "values": None}
    if len(outputs) and np.isfinite(outputs).all():
        scored = _of_classes if target.task == "classification" else _of_values
        found |= scored(target, examples, outputs)
    learned = snapshot.examples if len(snapshot.examples.X) else examples
    problem = replace(
        snapshot.plan.problem,
        parameters=snapshot.parameters,
        examples=learned,
        penalties=snapshot.penalties,
    )
    return {
        "task": target.task,
        "part": part,
        "rows": len(examples.X),
        **found,
        "layers": _layers(problem),
        "diagnostics": [
            {"kind": one.kind, "layer": one.layer, "message": one.message}
            for one in (diagnose(problem) if len(learned.X) else ())
        ],
    }


def _of_classes(target: TargetEncoder, examples: Examples, outputs: Floats) -> dict[str, Any]:
    probabilities = outputs.astype(np.float64)
    if probabilities.shape[1] == 1:
        probabilities = np.hstack([1 - probabilities, probabilities])
    true = _classes_of(examples.Y)
    n = probabilities.shape[1]
    scores = class_scorer(true, probabilities, n)(np.ones(len(true)))
    counts = np.bincount(true * n + np.argmax(probabilities, axis=1), minlength=n * n)
    names = [str(one) for one in target.classes]
    return {
        "scores": _named(CLASS_MEASURES, scores),
        "confusion": {"classes": names, "counts": counts.reshape(n, n).tolist()},
        "roc": _curves(true, probabilities, names),
    }


def _classes_of(Y: NDArray[np.generic]) -> NDArray[np.int64]:
    """Return class indices of targets in any of the engines' forms."""
    if Y.ndim == 1:
        return Y.astype(np.int64)
    if Y.shape[1] == 1:
        return np.asarray(Y[:, 0].astype(np.float64) > 0.5, np.int64)
    return np.asarray(np.argmax(Y, axis=1), np.int64)


def _curves(
    true: NDArray[np.int64], probabilities: NDArray[np.float64], names: Sequence[str]
) -> list[dict[str, Any]]:
    """Return the ROC curve of the second of two classes, or of each of several against the rest."""
    n = probabilities.shape[1]
    curves = []
    for index in [1] if n == 2 else range(min(n, _MOST_CURVES)):
        positive = true == index
        if not 0 < positive.sum() < len(positive):
            continue  # without both kinds of rows there is no curve
        ranking = Ranking(positive, probabilities[:, index])
        curve = ranking.roc_curve()
        chosen = _evenly(len(curve.false_positive_rate), _MOST_POINTS)
        curves.append(
            {
                "class": names[index],
                "area": plain(ranking.area()),
                "false_positive_rate": plain_list(curve.false_positive_rate[chosen]),
                "true_positive_rate": plain_list(curve.true_positive_rate[chosen]),
            }
        )
    return curves


def _of_values(target: TargetEncoder, examples: Examples, outputs: Floats) -> dict[str, Any]:
    true = target.decode_values(examples.Y.reshape(len(outputs), -1).astype(np.float64))
    predicted = target.decode_values(outputs)
    scores = value_scorer(true, predicted)(np.ones(len(true)))
    chosen = _evenly(len(true), _MOST_DOTS)
    return {
        "scores": _named(VALUE_MEASURES, scores),
        "values": {
            "true": plain_list(true[chosen]),
            "predicted": plain_list(predicted[chosen]),
            "quantiles": {
                "probability": list(_PROBABILITIES),
                "residual": plain_list(np.quantile(predicted - true, _PROBABILITIES)),
            },
        },
    }


def _named(kinds: Sequence[Measure], scores: NDArray[np.float64]) -> list[dict[str, Any]]:
    return [
        {
            "key": kind.key,
            "name": kind.name,
            "value": plain(score),
            "greater_is_better": kind.greater_is_better,
        }
        for kind, score in zip(kinds, scores, strict=True)
    ]


def _layers(problem: Problem) -> list[dict[str, Any]]:
    """Return the distributions of each layer's numbers, by a forward and a backward pass."""
    spec = problem.spec
    if not len(problem.examples.X):
        return [_weights_of(problem, number) for number in range(1, len(drawn_layers(spec)) + 1)]
    some = spread(problem.examples, rows_of(problem.examples, spec.n_outputs))
    theta = views(spec, problem.parameters)
    X, Y = as_columns(some.X), as_columns(some.targets(spec.n_outputs))
    weights = some.weights
    if weights is not None and not weights.sum() > 0:
        weights = None
    with np.errstate(all="ignore"):  # of a diverged network, whose numbers are left out
        passes = forward_pass(spec, theta, X)
        back = backward_pass(spec, theta, X, Y, passes, weights)
        share = problem.penalties.share(some.weight)
        gradients = with_penalties(spec, theta, back.gradients, problem.penalties, share)
        layers = []
        for number, l in enumerate(drawn_layers(spec), start=1):  # noqa: E741
            gradient, delta = gradients[l - 1][0], back.deltas[l - 1]
            layers.append(
                {
                    **_weights_of(problem, number),
                    "activations": _histogram(passes[l - 1].A),
                    "gradients": _histogram(gradient),
                    "gradient_norm": plain(np.sqrt(np.sum(np.square(gradient, dtype=float)))),
                    "error_rms": plain(np.sqrt(np.mean(np.square(delta, dtype=float)))),
                }
            )
    return layers


def _weights_of(problem: Problem, number: int) -> dict[str, Any]:
    """Return what there is to say of a layer without any rows."""
    l = drawn_layers(problem.spec)[number - 1]  # noqa: E741 - the field's letter
    W, b = views(problem.spec, problem.parameters)[l - 1][:2]
    return {
        "layer": number,
        "name": f"{W.shape[0]} {problem.spec.layers[l - 1].activation}",
        "weights": _histogram(W),
        "biases": _histogram(b),
        "activations": None,
        "gradients": None,
        "gradient_norm": None,
        "error_rms": None,
    }


def _histogram(values: Floats) -> dict[str, Any] | None:
    """Return the counts of an array's numbers in equal bins; None if one of them is not finite."""
    exact = values.astype(np.float64)
    if not np.isfinite(exact).all():
        return None
    low, high = float(exact.min()), float(exact.max())
    # Fewer bins than numbers: with a handful of weights, most bins would be empty.
    bins = max(1, min(_BINS, exact.size)) if low < high else 1
    counts, _ = np.histogram(exact, bins, (low, high)) if bins > 1 else ([exact.size], None)
    return {"low": low, "high": high, "counts": [int(count) for count in counts]}


def _evenly(n: int, most: int) -> NDArray[np.int64]:
    """Return at most so many indices below n, spread evenly, both ends among them."""
    return np.unique(np.linspace(0, n - 1, min(n, most)).astype(np.int64))
