"""The constructor's parameters, checked when `fit` is called."""

from typing import Any

from chainrule.checks import shown
from chainrule.errors import InvalidArgumentError
from chainrule.network.layers.dense import check_init
from chainrule.settings.checks import CHECKS


def check_parameters(estimator: Any) -> None:
    """Raise unless every parameter of an estimator can be used, naming the one that cannot.

    Raises
    ------
    InvalidArgumentError
        Which is a ValueError, as scikit-learn's own is.
    """
    given = vars(estimator)
    for name, (fits, expected) in CHECKS.items():
        if name in given and not fits(given[name]):
            raise InvalidArgumentError(
                f"The {name!r} parameter of {type(estimator).__name__} must be {expected}; "
                f"got {shown(given[name])}"
            )
    if estimator.init is not None:
        check_init(estimator.init)
