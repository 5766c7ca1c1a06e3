"""A slice of the loss surface: the loss on a plane through the present parameters.

Source: H. Li et al., "Visualizing the loss landscape of neural nets", NeurIPS 2018: random
directions are normalised filter by filter, here unit by unit, and the path of a training is shown
in the plane of its own principal components.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from chainrule.checks import shown, whole_number
from chainrule.engines.base import Floats, Problem
from chainrule.errors import InvalidArgumentError
from chainrule.limits import Number
from chainrule.network.parameters import placed_blocks
from chainrule.network.spec import NetworkSpec
from chainrule.playground.inspection.numbers import plain, plain_list
from chainrule.playground.inspection.places import known_examples
from chainrule.playground.session.snapshot import Snapshot
from chainrule.training.diagnostics import spread

Vector = NDArray[np.float64]

MOST_POINTS = 25
"""Points on a side of the grid."""

# Rows that the loss is computed on, and multiplications of all points together: a second of work.
_MOST_ROWS, _FEWEST_ROWS = 512, 64
_MOST_WORK = 2e10

_SPAN = Number(0, 100, open_low=True)

# The grid reaches this much further than the path, on each side.
_MARGIN = 0.25

# Numbers of all vectors of a path together: of a longer path or a larger network, fewer are used.
_MOST_NUMBERS = 20_000_000


class Plane(NamedTuple):
    """Two directions in the space of parameters."""

    first: Vector
    second: Vector

    def coordinates(self, vectors: Sequence[Vector]) -> Vector:
        """Return the coordinates of the nearest point of the plane to each vector, (n, 2)."""
        basis = np.column_stack([self.first, self.second])
        if not vectors:
            return np.zeros((0, 2))
        found, *_ = np.linalg.lstsq(basis, np.column_stack(vectors), rcond=None)
        return np.column_stack(list(found))


def loss_surface(
    snapshot: Snapshot,
    directions: str = "random",
    seed: int = 0,
    size: int = 21,
    span: float = 1.0,
    path: Sequence[Floats] = (),
    epochs: Sequence[int] = (),
    cancelled: Callable[[], bool] = lambda: False,
    seconds: float = 5.0,
) -> dict[str, Any]:
    """Return the loss on a grid of a plane through the present parameters.

    Parameters
    ----------
    snapshot : Snapshot
    directions : {"random", "path"}
        Random directions, normalised unit by unit; or the two principal components of the path.
    seed : int
        Seed of the random directions.
    size : int
        Points on a side of the grid, from 3 to 25; it is made odd, so that the present parameters
        lie on the grid.
    span : float
        How far the grid reaches from the present parameters: of random directions, in multiples of
        the norms of the units' weights; of a path, in multiples of what holds the whole path.
    path : sequence of arrays (n_parameters,)
        The parameters so far, in the order of time.
    epochs : sequence of int
        The epochs that they belong to.
    cancelled : callable
        Whether the result is no longer wanted; asked before every point.
    seconds : float
        After so long, the grid remains as it is.

    Returns
    -------
    dict
        "alpha", "beta", "loss" (a row for each β, a column for each α; None where it is not finite
        or was not computed), "loss_here", "path", "epochs", "share" (of the path's squared
        distances, how much lies in the plane), "rows", "complete" and "text".

    Raises
    ------
    InvalidArgumentError
        If an argument is invalid, or the path has no two different points for its components.
    """
    if directions not in ("random", "path"):
        raise InvalidArgumentError(
            f"directions: expected 'random' or 'path'; got {shown(directions)}"
        )
    size = whole_number("size", size, 3, MOST_POINTS) | 1
    span = _SPAN.checked("span", span)
    seed = whole_number("seed", seed, 0)
    problem = _sampled(snapshot, size * size)
    here = problem.parameters.astype(np.float64)
    moves, kept = _moves(path, epochs, here)
    if directions == "random":
        plane = random_plane(problem.spec, here, seed)
        reach = np.array([span, span])
    else:
        plane = _path_plane(moves)
        places = np.abs(plane.coordinates(moves)).max(axis=0)
        # The second component may be 0, if the path is straight.
        reach = span * (1 + _MARGIN) * np.maximum(places, 1e-3 * places.max())
    alpha, beta = (np.linspace(-r, r, size) for r in reach)
    losses = _losses(snapshot, problem, plane, alpha, beta, cancelled, seconds)
    middle = size // 2
    points = plane.coordinates(moves)
    rows = len(problem.examples.X)
    share = _share(plane, moves, points)
    return {
        "directions": directions,
        "seed": seed,
        "rows": rows,
        "alpha": plain_list(alpha),
        "beta": plain_list(beta),
        "loss": [plain_list(row) for row in losses],
        "loss_here": plain(losses[middle, middle]),
        "path": [plain_list(point) for point in points],
        "epochs": kept,
        "share": plain(share) if share is not None else None,
        "complete": not bool(np.isnan(losses).any()),
        "text": _in_words(directions, rows, share),
    }


def _sampled(snapshot: Snapshot, points: int) -> Problem:
    """Return the problem in float64, on as many examples as the work allows."""
    examples = known_examples(snapshot)
    per_row = max(1, len(snapshot.parameters)) * points
    n = int(min(len(examples.X), _MOST_ROWS, max(_FEWEST_ROWS, _MOST_WORK / per_row)))
    return replace(
        snapshot.plan.problem,
        parameters=snapshot.parameters,
        examples=spread(examples, n),
        penalties=snapshot.penalties,
    ).in_float64()


def _moves(
    path: Sequence[Floats], epochs: Sequence[int], here: Vector
) -> tuple[list[Vector], list[int]]:
    """Return the path's points relative to the present, spread evenly if they are many."""
    if len(path) != len(epochs):
        raise InvalidArgumentError(
            f"epochs: expected one for each of the {len(path)} points of path; got {len(epochs)}"
        )
    most = max(2, _MOST_NUMBERS // max(1, here.size))
    chosen = np.unique(np.linspace(0, len(path) - 1, min(len(path), most)).astype(int))
    if not len(path):
        chosen = chosen[:0]
    moves = [path[i].astype(np.float64) - here for i in chosen]
    return moves, [int(epochs[i]) for i in chosen]


def random_plane(spec: NetworkSpec, here: Vector, seed: int) -> Plane:
    """Return two random directions: the part of each unit's weights has the norm of its weights.

    The directions are 0 for biases and for the parameters of other layers, as in the source.
    """
    random = np.random.default_rng(seed)
    found = []
    for _ in range(2):
        direction = np.zeros_like(here)
        for placed in placed_blocks(spec):
            if placed.block.group not in ("weights", "embeddings"):
                continue
            drawn = random.standard_normal(placed.block.shape)
            weights = here[placed.slice].reshape(placed.block.shape)
            with np.errstate(over="ignore"):  # of a diverged network, whose losses are left out
                norms = np.linalg.norm(weights, axis=1, keepdims=True)
            drawn *= norms / np.linalg.norm(drawn, axis=1, keepdims=True)
            direction[placed.slice] = drawn.ravel()
        found.append(direction)
    return Plane(*found)


def _path_plane(moves: Sequence[Vector]) -> Plane:
    """Return the two principal components of a path, as unit vectors."""
    far = [one for one in moves if one.any()]
    if not far:
        raise InvalidArgumentError(
            "path: expected parameters of at least two different moments; train for an epoch, or "
            "choose random directions"
        )
    _, sizes, components = np.linalg.svd(np.stack(far), full_matrices=False)
    first = components[0]
    # Their signs are arbitrary: the path comes from the left, and from below.
    first = first if float(far[0] @ first) <= 0 else -first
    if len(sizes) > 1 and sizes[1] > 1e-9 * sizes[0]:
        second = components[1]
        return Plane(first, second if float(far[0] @ second) <= 0 else -second)
    # A straight path: any direction at a right angle completes the plane.
    other = np.random.default_rng(0).standard_normal(first.size)
    other -= float(other @ first) * first
    norm = float(np.linalg.norm(other))
    return Plane(first, other / norm if norm > 1e-12 else np.zeros_like(first))


def _losses(
    snapshot: Snapshot,
    problem: Problem,
    plane: Plane,
    alpha: Vector,
    beta: Vector,
    cancelled: Callable[[], bool],
    seconds: float,
) -> Vector:
    """Return the losses, (β, α); NaN where there was no time. The rows in the middle come first."""
    ends = time.monotonic() + seconds
    engine, here = snapshot.plan.engine, problem.parameters
    losses = np.full((len(beta), len(alpha)), np.nan)
    middle = len(beta) // 2
    for row in sorted(range(len(beta)), key=lambda index: abs(index - middle)):
        for column in range(len(alpha)):
            if cancelled() or time.monotonic() > ends:
                return losses
            with np.errstate(all="ignore"):
                theta = here + alpha[column] * plane.first + beta[row] * plane.second
            loss = engine.loss(replace(problem, parameters=theta))
            losses[row, column] = np.inf if np.isnan(loss) else loss
    return losses


def _share(plane: Plane, moves: Sequence[Vector], points: Vector) -> float | None:
    """Return how much of the path's squared distances from here lies in the plane."""
    whole = sum(float(one @ one) for one in moves)
    if not whole:
        return None
    inside = points[:, :1] * plane.first + points[:, 1:] * plane.second
    return float((inside * inside).sum() / whole)


def _in_words(directions: str, rows: int, share: float | None) -> str:
    plane = (
        "Each axis is a random direction, scaled for each unit to the norm of the unit's weights."
        if directions == "random"
        else "The axes are the first two principal components of the path."
    )
    of_path = (
        "" if share is None else f" {share:.0%} of the path's squared distances lie in this plane."
    )
    return f"Loss on {rows} training examples. {plane}{of_path}"
