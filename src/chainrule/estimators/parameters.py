"""Validation of the constructor's parameters when `fit` is called."""

from typing import Any

from chainrule.settings.table import PARAMETERS

_LIMITS = {name: row.limit for name, row in PARAMETERS.items() if row.limit is not None}


def check_parameters(estimator: Any) -> None:
    """Raise an error that names the parameter if a parameter of the estimator is invalid.

    Raises
    ------
    InvalidArgumentError
        A ValueError, like scikit-learn's own error.
    """
    given = vars(estimator)
    for name, limit in _LIMITS.items():
        if name in given and not limit.fits(given[name]):
            kind = type(estimator).__name__
            limit.require(given[name], f"The {name!r} parameter of {kind} must be")
