"""The names that some settings accept, read from the package's registries on demand.

Heavy modules are imported inside the functions, so that the command line can show its help without
importing them.
"""

import re
from typing import Any

from chainrule.limits import listed

# scikit-learn's rules for changing the learning rate between epochs.
RULES = ("constant", "invscaling", "adaptive")


def optimizers() -> tuple[str, ...]:
    """Return the names of the optimizers."""
    from chainrule.engines.optimizers import OPTIMIZERS

    return tuple(OPTIMIZERS)


def solvers() -> tuple[str, ...]:
    """Return the names of L-BFGS and of the optimizers."""
    return ("lbfgs", *optimizers())


def solvers_with(parameter: str) -> tuple[str, ...]:
    """Return the optimizers that use the given estimator parameter."""
    from chainrule.engines.optimizers import with_parameter

    return with_parameter(parameter)


def schedules() -> tuple[str, ...]:
    """Return the names of the learning-rate rules and schedules."""
    from chainrule.engines.schedules import SCHEDULES

    return (*RULES, *SCHEDULES)


def losses() -> tuple[str, ...]:
    """Return the classification losses, then the regression losses."""
    from chainrule.settings.losses import CLASSIFICATION, REGRESSION

    return (*CLASSIFICATION, *REGRESSION)


def losses_with(parameter: str) -> tuple[str, ...]:
    """Return the losses that use the given estimator parameter."""
    from chainrule.settings import losses

    return losses.losses_with(parameter)


def dtypes() -> tuple[str, ...]:
    """Return the dtypes that a network can have."""
    from chainrule.network.spec import DTYPES

    return DTYPES


def is_schedule(value: Any) -> bool:
    """Whether `value` is a schedule of the package, or a function of the step."""
    from chainrule.engines.schedule import is_schedule as is_rate_schedule

    return is_rate_schedule(value)


def read_activation(value: Any) -> None:
    """Raise an error unless `value` names an activation."""
    from chainrule.network.activation import activation_of

    activation_of(value)


def read_init(value: Any) -> None:
    """Raise an error unless `value` names an initialiser, or is "auto"."""
    from chainrule.network.layers.weighted import check_init

    check_init(value)


def read_engine(value: Any) -> None:
    """Raise an error unless `value` names an available engine, or is "auto"."""
    from chainrule.engines import engine_named

    engine_named(value)


def with_names(text: str) -> str:
    """Return a help or documentation text with its placeholders replaced by lists of names.

    The placeholders are {optimizers}; {optimizers of PARAMETER}, the optimizers that use an
    estimator parameter; {schedules}, {schedules in words}; {losses of classes},
    {losses of classes in words}; {losses of values}, {losses of values in words}; {engines}.

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
