"""Setting a share of the examples aside as validation data."""

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
    """The indices of the training rows and of the validation rows, both ascending."""

    training: NDArray[np.intp]
    validation: NDArray[np.intp]


def checked_share(share: object, n_examples: int) -> float:
    """Return the share of examples to set aside, in [0, 1).

    Raises
    ------
    InvalidArgumentError
        If `share` is not in [0, 1), or there are too few examples to divide.
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
    """Divide examples at random, setting aside about `share` of them and of each class.

    Each part has at least one example, and at least one of each class is trained on.

    Parameters
    ----------
    n_examples : int
        At least 2.
    share : float
        In (0, 1).
    seed : int
        The same seed sets the same rows aside.
    classes : array (n_examples,), optional
        Class indices; without them, the division is not stratified.
    """
    # The order of epoch 0, which no training uses: their epochs are counted from 1.
    order = epoch_orders(seed, range(1), n_examples, True)[0].astype(np.intp)
    if classes is not None:
        order = order[np.argsort(classes[order], kind="stable")]
        begins = np.flatnonzero(np.diff(classes[order], prepend=-1))
        order = np.delete(order, begins)  # one example of each class stays in training
    wanted = min(max(1, round(share * n_examples)), n_examples - 1, len(order))
    # Evenly spaced places in an order sorted by class take about the same share of each class.
    places = ((np.arange(wanted) + 0.5) * len(order) / max(1, wanted)).astype(np.intp)
    aside = np.zeros(n_examples, bool)
    aside[order[places]] = True
    return Rows(np.flatnonzero(~aside), np.flatnonzero(aside))


def set_aside(plan: Plan, softened: Examples, share: float) -> Plan:
    """Return the plan with its examples divided into training and validation data.

    Parameters
    ----------
    plan : Plan
        A plan with all examples and their true targets.
    softened : Examples
        The same examples with smoothed targets, which training uses.
    share : float
        In [0, 1); 0 sets none aside.

    Raises
    ------
    InvalidArgumentError
        If all examples of a part have weight 0.
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
