"""The rules that stop a training, and that change its learning rate between epochs."""

from collections.abc import Callable
from math import inf

from chainrule.engines.schedule import Schedule
from chainrule.engines.schedules import SCHEDULES
from chainrule.settings.given import Settings
from chainrule.settings.rates import AUTO, PLANNED_BY_DEFAULT
from chainrule.training.events import EpochEnded
from chainrule.training.stopping import DEFAULT_PATIENCE, StoppingRule

GRACE = 3 / 16
"""The share of all epochs that a validation loss always has to become better again."""

_FALLING = (AUTO, PLANNED_BY_DEFAULT)


def stopping_rule(
    given: Settings,
    measure: Callable[[EpochEnded], float],
    keeps_best: bool,
    adam_is_constant: bool = False,
    epochs: int | None = None,
) -> StoppingRule:
    """Return the stopping rule that the settings describe.

    Parameters
    ----------
    given : mapping
        The settings.
    measure : callable
        The measure to be minimised.
    keeps_best : bool
        Whether the weights with the lowest measure are kept.
    adam_is_constant : bool, default False
        Whether 'adam' ignores the `learning_rate` rule, as in scikit-learn.
    epochs : int, optional
        The length of the training, if the measure is a validation loss. With the default schedule
        and patience, the training then ends when that loss has become much worse.
    """
    rule = given["learning_rate"]
    slows = isinstance(rule, str) and rule == "adaptive" and not _fixed(given, adam_is_constant)
    grace = inf
    if epochs is not None and _is_default(given):
        grace = GRACE * epochs
    return StoppingRule(patience_of(given), given["tol"], measure, keeps_best, slows, grace)


def patience_of(given: Settings) -> float:
    """Return the patience in epochs; by default ∞ with a schedule over the whole training.

    Such a schedule is at its best at its end: an epoch without an improvement before says little.
    """
    patience = given["n_iter_no_change"]
    if patience not in (None, "auto"):
        return patience  # type: ignore[no-any-return]
    return inf if is_planned(given["learning_rate"]) else float(DEFAULT_PATIENCE)


def is_planned(rate: object) -> bool:
    """Whether a learning-rate setting is a schedule over the whole training."""
    return isinstance(rate, Schedule) or (isinstance(rate, str) and rate in (AUTO, *SCHEDULES))


def _is_default(given: Settings) -> bool:
    """Whether the learning rate only falls, over the whole training, and no patience is set."""
    falls = isinstance(given["learning_rate"], str) and given["learning_rate"] in _FALLING
    return falls and given["n_iter_no_change"] in (None, "auto")


def inverse_scaling(
    given: Settings, examples_seen: Callable[[int], int], adam_is_constant: bool = False
) -> Callable[[int], float] | None:
    """Return the learning rate as a function of the epochs for "invscaling", else None.

    `examples_seen` returns the total number of examples in a number of epochs.
    """
    rule = given["learning_rate"]
    if not isinstance(rule, str) or rule != "invscaling" or _fixed(given, adam_is_constant):
        return None
    first, power = given["learning_rate_init"], given["power_t"]
    return lambda epochs: float(first / (examples_seen(epochs) + 1) ** power)


def _fixed(given: Settings, adam_is_constant: bool) -> bool:
    return adam_is_constant and bool(given["solver"] == "adam")
