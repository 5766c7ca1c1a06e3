"""Validation of the constructor's parameters when `fit` is called."""

import inspect
from collections.abc import Mapping
from functools import cache
from typing import Any

from chainrule.settings.table import PARAMETERS

_LIMITS = {name: row.limit for name, row in PARAMETERS.items() if row.limit is not None}
_OTHER = object()


def check_parameters(estimator: Any) -> None:
    """Raise an error that names the parameter if a parameter of the estimator is invalid.

    Raises
    ------
    InvalidArgumentError
        A ValueError, like scikit-learn's own error.
    """
    kind: type = type(estimator)
    given, defaults = vars(estimator), _defaults(kind)
    for name, limit in _LIMITS.items():
        if name not in given or given[name] is defaults.get(name, _OTHER):
            continue
        if not limit.fits(given[name]):
            limit.require(given[name], f"The {name!r} parameter of {kind.__name__} must be")


@cache
def _defaults(kind: type) -> Mapping[str, Any]:
    """Return the defaults of an estimator of the package, which need no check."""
    own = next(base for base in kind.__mro__ if base.__module__.startswith("chainrule."))
    parameters = inspect.signature(own).parameters.values()
    return {one.name: one.default for one in parameters if one.default is not one.empty}
