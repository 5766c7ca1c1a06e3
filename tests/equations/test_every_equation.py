"""What holds for each equation of the package, found by walking it.

An equation's parameters are named by the symbols, so their names say what to call it with: a new
equation is tested here without a line, unless it brings a new symbol.
"""

import importlib
import inspect
import pkgutil

import numpy as np
import pytest

import chainrule.equations
from chainrule.engines.optimizers import OPTIMIZERS
from chainrule.equations.conformal import prediction_set
from chainrule.equations.heads import HeadPart
from chainrule.equations.text import equation_text

_Z = np.array([[0.5, -1.0, 2.0], [1.5, 0.25, -0.75]])
_A = np.array([[0.25, 0.5, 0.125], [0.75, 0.5, 0.875]])
_W = np.array([[0.5, -0.25], [1.0, 0.75]])

ARRAYS = {
    "Z": _Z,
    "A": _A,
    "A_prev": _A,
    "Y": np.array([[1.0, 0.0, 0.25], [0.0, 1.0, 0.75]]),
    "W": _W,
    "W_next": _W,
    "b": np.array([[0.5], [-0.5]]),
    "grad_A": -_Z,
    "delta": -_Z,
    "delta_next": -_Z,
    "a": np.array([0.25, 0.75]),
    "C": np.array([0.5, 1.5, 0.25]),
    "weights": np.array([1.0, 2.0, 0.5]),
    "M": np.array([[0.0, 2.0, 2.0], [2.0, 0.0, 2.0]]),
    "E": _W,
    "fractions": _A,
    "codes": np.array([1.0, 0.0, 1.0]),
    "x": np.array([[0.5, -1.0, 2.0]]),
    "w": np.array([[0.5, -0.25]]),
    "c": np.array([[1.5, 0.75]]),
    "psi": _Z[None],
    "V": np.array([[0.5, -0.25, 1.0, 0.75]]),
    "d": np.array([[0.5, -0.5]]),
    "delta_x": np.array([[0.25, 1.0, -0.5]]),
    "delta_e": -_Z[None],
    "delta_psi": _A[None],
    "X_hat": _Z,
    "lower": np.array([[0.25], [-2.0]]),
    "width": np.array([[0.5], [2.0]]),
    "scale": np.array([[1.5], [0.5]]),
    "r": np.array([[0.5], [-2.0]]),
    "s": np.array([[1.5], [-0.5]]),
    "strengths": np.array([[0.5], [1.5]]),
    "shift": np.array([[0.5], [-0.5]]),
    "mean": np.array([[0.5], [-0.5]]),
    "variance": np.array([[2.0], [0.25]]),
    "running": np.array([[2.0], [0.25]]),
    "value": np.array([[1.0], [0.5]]),
    "G": _W,
    "theta": np.array([0.5, -2.0]),
    "gradient": np.array([0.25, 1.0]),
    "U": _W,
    "N": _W,
    "draws": _W,
    "X": np.array([[0.5], [-1.0]]),
    "reference": np.array([[0.25], [0.5]]),
    "grad_X": np.array([[1.0], [2.0]]),
    "grad_way": _Z,
    "residuals": np.array([0.5, -0.25, 0.125]),
    "t": np.array([0.25, 0.5, 0.75]),
    "shares": np.array([0.25, 0.5, 0.25]),
    "alpha": np.array([0.0, 0.5, 0.25]),
    "total": np.array([0.0, 0.25, 0.3125]),
    "tau": np.array([0.0, 1.0, 2.0, 3.0, 7.0]),
    "prediction": np.array([[0.5], [1.5]]),
    "scores": _A,
    "quantile": np.array(0.5),
    "counts": np.array([3.0, 0.0, 5.0]),
    "R": _Z,
    "outputs": _Z,
    "v": np.array([0.0, 0.5, -0.25, 1.0]),
    "p": np.array([0.25, 0.5, 0.25]),
    "q": np.array([0.5, 0.375, 0.125]),
}
NUMBERS = {
    "learning_rate": 0.1,
    "l1": 0.01,
    "l2": 0.01,
    "strength": 0.01,
    "total_weight": 4.0,
    "n_in": 2,
    "n_out": 2,
    "groups": 2,
}
# Of the schedules.
NUMBERS |= {"initial": 0.5, "final": 0.125, "maximum": 2.0, "target": 0.5, "decay": 0.5}
NUMBERS |= {"factor": 2.0, "length": 3.0, "peak": 1.0, "flat": 1.0, "restarts": 1, "cycles": 2}
NUMBERS |= {"momentum": 0.9, "epsilon": 1e-5}
NUMBERS |= {"center": 0.5, "spread": 2.0, "rise": 0.75, "fall": 0.25}
NUMBERS |= {"share": 0.5}
NUMBERS |= {"temperature": 2.0, "rows": 9, "coverage": 0.5, "other_rows": 4}
NUMBERS |= {"max_norm": 0.5, "smoothing": 0.1, "classes": 2, "n_codes": 4}
FUNCTIONS = {
    "sigma": lambda Z: Z * 2.0,
    "derivative": lambda Z: Z * 2.0,
    "through_activation": lambda grad_A: grad_A * 2.0,
    "heads": [HeadPart(1, lambda A, *rest: A * 2.0), HeadPart(1, lambda A, *rest: A * 3.0, 0.5)],
}
STATES = {
    update: kind.equations.init
    for kind in OPTIMIZERS.values()
    for update in (kind.equations.update, kind.equations.variant)
}


def all_equations():
    """Return every function of the package whose docstring starts with an equation's id."""
    found = []
    for info in pkgutil.walk_packages(chainrule.equations.__path__, "chainrule.equations."):
        module = importlib.import_module(info.name)
        for _, function in inspect.getmembers(module, inspect.isfunction):
            if function.__module__ == info.name and equation_text(function):
                found.append(function)
    return found


EQUATIONS = all_equations()


def _arguments(function, array):
    """Return a value for each parameter that has no default, and for each optional array."""
    arguments = {}
    for name, parameter in inspect.signature(function).parameters.items():
        if name in ARRAYS:
            arguments[name] = array(ARRAYS[name])
        elif name == "state":
            arguments[name] = STATES[function](array(ARRAYS["theta"]))
        elif parameter.default is inspect.Parameter.empty:
            arguments[name] = NUMBERS[name] if name in NUMBERS else FUNCTIONS[name]
    return arguments


def _arrays(value):
    """Return the arrays in a result, which may be a tuple of tuples."""
    if isinstance(value, tuple):
        return [array for part in value for array in _arrays(part)]
    return [value] if hasattr(value, "__array_namespace__") else []


@pytest.mark.parametrize("function", EQUATIONS, ids=lambda function: function.__name__)
def test_equation_returns_arrays_of_the_library_and_precision_it_got(xp, dtype, array, function):
    for result in _arrays(function(**_arguments(function, array))):
        assert result.__array_namespace__() == array(0.0).__array_namespace__()
        expected = "bool" if function is prediction_set else dtype
        assert result.dtype == getattr(xp, expected)


@pytest.mark.parametrize("function", EQUATIONS, ids=lambda function: function.__name__)
def test_equation_changes_nothing_in_place(function):
    # Writing to a read-only array is an error. (Arrays of JAX cannot be written to at all.)
    def read_only(numbers):
        copy = np.array(numbers)
        copy.flags.writeable = False
        return copy

    function(**_arguments(function, read_only))
