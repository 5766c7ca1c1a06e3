"""The names that some settings choose from, read from what the package has when they are needed.

Nothing heavy is imported before: the command line shows a page of help without it.
"""

import re
from typing import Any

from chainrule.limits import listed

# Change the learning rate between epochs: scikit-learn's rules.
RULES = ("constant", "invscaling", "adaptive")


def optimizers() -> tuple[str, ...]:
    """Return the optimizers."""
    from chainrule.engines.optimizers import OPTIMIZERS

    return tuple(OPTIMIZERS)


def solvers() -> tuple[str, ...]:
    """Return L-BFGS, and the optimizers."""
    return ("lbfgs", *optimizers())


def solvers_with(parameter: str) -> tuple[str, ...]:
    """Return the optimizers that have a use for a parameter of the estimators."""
    from chainrule.engines.optimizers import with_parameter

    return with_parameter(parameter)


def schedules() -> tuple[str, ...]:
    """Return what the learning rate may follow: rules and schedules."""
    from chainrule.engines.schedules import SCHEDULES

    return (*RULES, *SCHEDULES)


def losses() -> tuple[str, ...]:
    """Return the losses of classes, then those of values."""
    from chainrule.settings.losses import CLASSIFICATION, REGRESSION

    return (*CLASSIFICATION, *REGRESSION)


def losses_with(parameter: str) -> tuple[str, ...]:
    """Return the losses that have a parameter of the estimators."""
    from chainrule.settings import losses

    return losses.losses_with(parameter)


def dtypes() -> tuple[str, ...]:
    """Return the precisions of a network."""
    from chainrule.network.spec import DTYPES

    return DTYPES


def is_schedule(value: Any) -> bool:
    """Whether this is a schedule of the package, or a function of the step."""
    from chainrule.engines.schedule import is_schedule as is_rate_schedule

    return is_rate_schedule(value)


def read_activation(value: Any) -> None:
    """Raise unless this names an activation."""
    from chainrule.network.activation import activation_of

    activation_of(value)


def read_init(value: Any) -> None:
    """Raise unless this names an initialiser, or is "auto"."""
    from chainrule.network.layers.dense import check_init

    check_init(value)


def read_engine(value: Any) -> None:
    """Raise unless this names an engine that is here, or is "auto"."""
    from chainrule.engines import engine_named

    engine_named(value)


def with_names(text: str) -> str:
    """Return a text of help or documentation with what there is in the places for it.

    {optimizers}, {optimizers of PARAMETER}: those with a use for a parameter of the estimators;
    {schedules}, {schedules in words}; {losses of classes}, {losses of values}, and both
    {… in words}; {engines}.

    Examples
    --------
    >>> with_names("The decay of {optimizers of nesterovs_momentum}.")
    'The decay of sgd.'
    """
    if "{" not in text:
        return text
    from chainrule.engines import ENGINES
    from chainrule.engines.schedules import SCHEDULES
    from chainrule.settings.losses import CLASSIFICATION, REGRESSION
    from chainrule.settings.losses import listed as in_words

    places = {
        "engines": listed(tuple(ENGINES)),
        "optimizers": ", ".join(optimizers()),
        "schedules": ", ".join(SCHEDULES),
        "schedules in words": "; ".join(f"'{name}' {row.about}" for name, row in SCHEDULES.items()),
        "losses of classes": listed(tuple(CLASSIFICATION)),
        "losses of values": listed(tuple(REGRESSION)),
        "losses of classes in words": in_words(CLASSIFICATION),
        "losses of values in words": in_words(REGRESSION),
    }
    for place, names in places.items():
        text = text.replace(f"{{{place}}}", names)
    users = r"{optimizers of (\w+)}"
    return re.sub(users, lambda of: listed(solvers_with(of[1]), "and"), text)
