"""A part of the examples that is set aside for validation."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from chainrule.engines.base import Examples
from chainrule.engines.orders import epoch_orders
from chainrule.errors import InvalidArgumentError
from chainrule.limits import SHARE
from chainrule.training.class_weights import classes_of
from chainrule.training.plan import Plan


class Rows(NamedTuple):
    """Which rows are trained on, and which are not; both in ascending order."""

    training: NDArray[np.intp]
    validation: NDArray[np.intp]


def checked_share(share: object, n_examples: int) -> float:
    """Return the share of examples to set aside, in [0, 1).

    Raises
    ------
    InvalidArgumentError
        If it is none, or leaves no example on either side.
    """
    share = SHARE.checked("validation_split", share)
    if share > 0 and n_examples < 2:
        raise InvalidArgumentError(
            "validation_split: expected at least 2 examples, one to train on and one to set "
            f"aside; got {n_examples}"
        )
    return share


def divided(
    n_examples: int, share: float, seed: int, classes: NDArray[np.intp] | None = None
) -> Rows:
    """Divide examples at random: about that share of all, and of each class, is set aside.

    At least one example is on each side, and of each class one is trained on.

    Parameters
    ----------
    n_examples : int
        At least 2.
    share : float
        In (0, 1).
    seed : int
        The same one sets the same rows aside.
    classes : array (n_examples,), optional
    """
    # The order of an epoch before all: trainings count theirs from 1.
    order = epoch_orders(seed, range(1), n_examples, True)[0].astype(np.intp)
    if classes is not None:
        order = order[np.argsort(classes[order], kind="stable")]
        begins = np.flatnonzero(np.diff(classes[order], prepend=-1))
        order = np.delete(order, begins)  # of each class, one is trained on
    wanted = min(max(1, round(share * n_examples)), n_examples - 1, len(order))
    # Evenly spaced among the sorted classes: of each, about the same share.
    places = ((np.arange(wanted) + 0.5) * len(order) / max(1, wanted)).astype(np.intp)
    aside = np.zeros(n_examples, bool)
    aside[order[places]] = True
    return Rows(np.flatnonzero(~aside), np.flatnonzero(aside))


def set_aside(plan: Plan, softened: Examples, share: float) -> Plan:
    """Return the plan with the examples that are trained on, and those that are set aside.

    Parameters
    ----------
    plan : Plan
        Of all examples, with their true targets.
    softened : Examples
        The same with the targets that training sees.
    share : float
        In [0, 1); 0 sets none aside.

    Raises
    ------
    InvalidArgumentError
        If the examples of a part have no weight at all.
    """
    problem, validation = plan.problem, plan.validation
    if share:
        m = len(softened.X)
        rows = divided(m, share, plan.seed, classes_of(problem.spec, problem.examples))
        validation = problem.examples.take(rows.validation)
        softened = softened.take(rows.training)
        _check_weight(softened, "left to train on")
        _check_weight(validation, "set aside")
    return replace(
        plan,
        problem=replace(problem, examples=softened),
        batch_size=min(plan.batch_size, len(softened.X)),
        validation=validation,
    )


def _check_weight(examples: Examples, which: str) -> None:
    if not examples.weight > 0:
        raise InvalidArgumentError(
            f"sample_weight: expected some weight > 0 among the examples {which}; got none. Change "
            "validation_split or the seed, or leave out examples of weight 0"
        )
