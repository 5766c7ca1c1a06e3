"""The rules that end a training, and that change its learning rate between epochs."""

from collections.abc import Callable

from chainrule.settings.given import Settings
from chainrule.training.events import EpochEnded
from chainrule.training.stopping import StoppingRule


def stopping_rule(
    given: Settings,
    measure: Callable[[EpochEnded], float],
    keeps_best: bool,
    adam_is_constant: bool = False,
) -> StoppingRule:
    """Return when a training by these settings ends.

    Parameters
    ----------
    given : mapping
        The settings.
    measure : callable
        What is to fall.
    keeps_best : bool
        Whether the weights with the lowest measure are kept.
    adam_is_constant : bool, default False
        Whether 'adam' keeps its learning rate whatever the rule says, as in scikit-learn.
    """
    rule = given["learning_rate"]
    slows = isinstance(rule, str) and rule == "adaptive" and not _fixed(given, adam_is_constant)
    return StoppingRule(given["n_iter_no_change"], given["tol"], measure, keeps_best, slows)


def inverse_scaling(
    given: Settings, examples_seen: Callable[[int], int], adam_is_constant: bool = False
) -> Callable[[int], float] | None:
    """Return what gives the learning rate after so many epochs by "invscaling", if that is it.

    `examples_seen` says how many examples those epochs had in all.
    """
    rule = given["learning_rate"]
    if not isinstance(rule, str) or rule != "invscaling" or _fixed(given, adam_is_constant):
        return None
    first, power = given["learning_rate_init"], given["power_t"]
    return lambda epochs: float(first / (examples_seen(epochs) + 1) ** power)


def _fixed(given: Settings, adam_is_constant: bool) -> bool:
    return adam_is_constant and bool(given["solver"] == "adam")
