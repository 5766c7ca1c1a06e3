"""The rules that stop a training, and that change its learning rate between epochs."""

from collections.abc import Callable
from math import inf

from chainrule.engines.schedule import Schedule
from chainrule.engines.schedules import SCHEDULES
from chainrule.settings.given import Settings
from chainrule.settings.rates import AUTO
from chainrule.training.events import EpochEnded
from chainrule.training.stopping import DEFAULT_PATIENCE, StoppingRule


def stopping_rule(
    given: Settings,
    measure: Callable[[EpochEnded], float],
    keeps_best: bool,
    adam_is_constant: bool = False,
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
    """
    rule = given["learning_rate"]
    slows = isinstance(rule, str) and rule == "adaptive" and not _fixed(given, adam_is_constant)
    return StoppingRule(patience_of(given), given["tol"], measure, keeps_best, slows)


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
