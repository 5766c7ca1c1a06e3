"""What each setting may be, whoever gives it."""

from collections.abc import Callable, Mapping
from numbers import Integral, Real
from types import MappingProxyType
from typing import Any

import numpy as np

from chainrule.checks import is_real
from chainrule.engines.optimizers import OPTIMIZERS
from chainrule.engines.schedule import is_schedule
from chainrule.engines.schedules import SCHEDULES
from chainrule.network.spec import DTYPES

# The rules that change a number as training goes, and the schedules that go by name.
RULES = ("constant", "invscaling", "adaptive")
SOLVERS = ("lbfgs", *OPTIMIZERS)

# More would take the memory that there is before anything could say so.
_MOST_LAYERS = 10_000

_LARGEST = float(np.finfo(np.float64).max)

_Check = tuple[Callable[[Any], bool], str]


def number(
    low: float, high: float = np.inf, *, open_low: bool = False, open_high: bool = True
) -> _Check:
    """Return whether a value is a number in an interval, and that in words."""
    left, right = "(" if open_low else "[", ")" if open_high else "]"

    def fits(value: Any) -> bool:
        if not is_real(value):
            return False
        # Compared as it is: Python's whole numbers may be too large for a float.
        above = value > low if open_low else value >= low
        within = value < high if open_high else value <= high
        return bool(above and within and value <= _LARGEST)

    return fits, f"a number in {left}{low:g}, {high:g}{right}"


def _whole(least: int, *also: object, most: float = np.inf) -> _Check:
    def fits(value: Any) -> bool:
        if any(value is other or (type(value) is type(other) and value == other) for other in also):
            return True
        if not isinstance(value, Integral) or isinstance(value, bool):
            return False
        return least <= int(value) <= most

    names = "".join(f" or {other!r}" for other in also)
    bound = "" if most == np.inf else f" and at most {most}"
    return fits, f"a whole number of at least {least}{bound}{names}"


def _one_of(*names: object) -> _Check:
    def fits(value: Any) -> bool:
        return value is None if value is None and None in names else _is_name(value, names)

    return fits, "one of " + ", ".join(map(repr, names))


def _is_name(value: Any, names: tuple[object, ...]) -> bool:
    return isinstance(value, str) and value in names


_FLAG: _Check = (lambda value: isinstance(value, bool | np.bool_), "True or False")

# Anything with another shape (a list of activations, callbacks, initial weights) is checked by
# whoever takes it apart.
CHECKS: Mapping[str, _Check] = MappingProxyType(
    {
        "solver": _one_of(*SOLVERS),
        "alpha": number(0),
        "l1": number(0),
        "batch_size": _whole(1, "auto"),
        "learning_rate": (
            lambda value: _is_name(value, (*RULES, *SCHEDULES)) or is_schedule(value),
            ", ".join(map(repr, (*RULES, *SCHEDULES)))
            + ", a schedule such as CosineDecay(0.01), or a function of the step",
        ),
        "learning_rate_init": number(0, open_low=True),
        "power_t": number(0),
        "max_iter": _whole(1),
        "shuffle": _FLAG,
        "tol": number(0),
        "verbose": (
            lambda value: isinstance(value, bool | np.bool_) or _whole(0)[0](value),
            "True, False or a whole number",
        ),
        "warm_start": _FLAG,
        "momentum": number(0, 1, open_high=False),
        "nesterovs_momentum": _FLAG,
        "early_stopping": (
            lambda value: isinstance(value, bool | np.bool_ | str) or callable(value),
            'True, False, "loss", the name of a scorer or a function of (estimator, X, y)',
        ),
        "validation_fraction": number(0, 1),
        "beta_1": number(0, 1),
        "beta_2": number(0, 1),
        "epsilon": number(0, open_low=True),
        "n_iter_no_change": (
            lambda value: _whole(1)[0](value) or (isinstance(value, Real) and value == np.inf),
            "a whole number of at least 1, or infinity",
        ),
        "max_fun": _whole(1),
        "n_layers": _whole(0, None, most=_MOST_LAYERS),
        "n_units": _whole(1, None),
        "batch_norm": _FLAG,
        "standardize": _FLAG,
        "standardize_target": _FLAG,
        "dtype": _one_of(*DTYPES, None),
        "threads": _whole(1, None),
        "focal_gamma": number(0),
        "huber_delta": number(0, open_low=True),
        "quantile": number(0, 1, open_low=True),
        "label_smoothing": number(0, 1),
        "max_grad_norm": (
            lambda value: value is None or number(0, open_low=True)[0](value),
            "a number above 0, or None",
        ),
        "weight_decay": number(0),
        "ema_decay": number(0, 1),
        "precision": _one_of("full", "mixed"),
    }
)
