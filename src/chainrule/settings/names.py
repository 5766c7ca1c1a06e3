"""The names that some settings choose from, read from what the package has when they are needed.

Nothing heavy is imported before: the command line shows a page of help without it.
"""

from typing import Any

# Change the learning rate between epochs: scikit-learn's rules.
RULES = ("constant", "invscaling", "adaptive")


def solvers() -> tuple[str, ...]:
    """Return the optimizers, and L-BFGS."""
    from chainrule.engines.optimizers import OPTIMIZERS

    return ("lbfgs", *OPTIMIZERS)


def solvers_with(parameter: str) -> tuple[str, ...]:
    """Return the optimizers that look at a parameter of the estimators."""
    from chainrule.engines.optimizers import OPTIMIZERS
    from chainrule.settings.optimizers import parameters_of

    return tuple(name for name in OPTIMIZERS if parameter in parameters_of(name))


def schedules() -> tuple[str, ...]:
    """Return what the learning rate may follow: rules and schedules."""
    from chainrule.settings.rates import NAMED_SCHEDULES

    return (*RULES, *NAMED_SCHEDULES)


def classification_losses() -> tuple[str, ...]:
    """Return the losses of classes."""
    from chainrule.settings.losses import CLASSIFICATION

    return tuple(CLASSIFICATION)


def regression_losses() -> tuple[str, ...]:
    """Return the losses of values."""
    from chainrule.settings.losses import REGRESSION

    return tuple(REGRESSION)


def dtypes() -> tuple[str, ...]:
    """Return the precisions of a network."""
    from chainrule.network.spec import DTYPES

    return DTYPES


def is_schedule(value: Any) -> bool:
    """Whether this is a schedule of the package, or a function of the step."""
    from chainrule.engines.schedules import Schedule

    return isinstance(value, Schedule) or (callable(value) and not isinstance(value, type))


def read_activation(value: Any) -> None:
    """Raise unless this names an activation."""
    from chainrule.network.activation import canonical_activation

    canonical_activation(value)


def read_init(value: Any) -> None:
    """Raise unless this names an initialiser, or is "auto"."""
    from chainrule.network.layers.dense import check_init

    check_init(value)


def read_engine(value: Any) -> None:
    """Raise unless this names an engine that is here, or is "auto"."""
    from chainrule.engines import engine_named

    engine_named(value)
