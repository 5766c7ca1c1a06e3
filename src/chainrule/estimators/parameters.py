"""The constructor's parameters, checked when `fit` is called."""

from typing import Any

from chainrule.settings.table import PARAMETERS


def check_parameters(estimator: Any) -> None:
    """Raise unless every parameter of an estimator can be used, naming the one that cannot.

    Raises
    ------
    InvalidArgumentError
        Which is a ValueError, as scikit-learn's own is.
    """
    given, kind = vars(estimator), type(estimator).__name__
    for name, row in PARAMETERS.items():
        if row.limit is not None and name in given:
            row.limit.require(given[name], f"The {name!r} parameter of {kind} must be")
