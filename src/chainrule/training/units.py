"""Inputs and targets that look unscaled, found on a sample before the first epoch."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from chainrule.engines.base import Examples
from chainrule.network.spec import NetworkSpec
from chainrule.training.diagnostics import Diagnosis, spread

# Initialisers give the first layer's units a variance of about the inputs' mean square, and outputs
# begin within a few units of 0. Raw digits of 0 to 16 (root mean square 8) still train as well as
# scaled ones; raw pixels (100) and measurements in units of their own (WDBC: 240) do not. The rule
# looks at all inputs together, so that a single large column among hundreds, which hardly counts
# in the sum, gives no warning, and neither do one-hot columns, counts and principal components.
_LARGEST = 10.0

# Sparse columns have a small mean square and are fine: inputs only count as too small if none of
# their values reaches this limit.
_SMALLEST = 0.1

_MOST_ROWS, _MOST_NUMBERS = 1024, 2**20

_SCALED = "to mean 0 and standard deviation 1"
_REMEDY = (
    f"Scale each column {_SCALED}, for example with scikit-learn's StandardScaler; "
    "NetworkClassifier, NetworkRegressor and TableEncoder do so themselves"
)


def unscaled(spec: NetworkSpec, examples: Examples) -> Iterator[Diagnosis]:
    """Yield diagnoses of inputs or targets that look unscaled in a sample of the examples.

    Parameters
    ----------
    spec : NetworkSpec
    examples : Examples
        The training data.

    Yields
    ------
    Diagnosis
        Of the kinds "unscaled_inputs" and "unscaled_targets".
    """
    widest = max(spec.n_features, spec.n_outputs)
    rows = max(1, min(len(examples.X), _MOST_ROWS, _MOST_NUMBERS // widest))
    some = spread(examples, rows)
    if some.weights is not None:  # examples of weight 0 have no say
        some = some.take(np.flatnonzero(some.weights))
    if not len(some.X):
        return
    with np.errstate(all="ignore"):
        if not _is_standardised(spec):
            yield from _inputs(some.X, spec.layers[0].codes)
        values = _values(spec)
        if values.any():
            yield from _targets(some.targets(spec.n_outputs)[:, values])


def _is_standardised(spec: NetworkSpec) -> bool:
    """Tell whether batch normalisation comes before the first weights."""
    for layer in spec.layers:
        if layer.has_weights or layer.standardises:
            return layer.standardises
    return False


def _values(spec: NetworkSpec) -> NDArray[np.bool_]:
    """Return which outputs are values of any size: those without an activation."""
    return np.concatenate(
        [np.full(head.units, head.activation.name == "identity") for head in spec.heads]
    )


def _inputs(X: NDArray[np.floating], codes: tuple[int, ...]) -> Iterator[Diagnosis]:
    squares = np.mean(np.square(X, dtype=np.float64), axis=0)
    squares[list(codes)] = 0.0
    n = len(squares) - len(codes)
    if n == 0:
        return
    size = float(np.sqrt(squares.sum() / n))
    column = int(np.argmax(squares))
    largest = float(np.sqrt(squares[column]))
    if size > _LARGEST:
        seen = f"column {column} of X alone {largest:.3g}" if n > 1 else ""
        yield Diagnosis(
            "unscaled_inputs",
            None,
            size,
            "the inputs look unscaled: their root mean square is "
            f"{size:.3g}{f' ({seen})' if seen else ''}, and the initial weights of a network suit "
            f"one of about 1. {_REMEDY}",
        )
    elif 0 < largest < _SMALLEST:
        most = float(np.abs(np.delete(X, codes, axis=1)).max())
        if most < _SMALLEST:
            yield Diagnosis(
                "unscaled_inputs",
                None,
                size,
                f"the inputs look unscaled: none is larger than {most:.3g}, and the initial "
                f"weights of a network suit inputs of about 1. {_REMEDY}",
            )


def _targets(Y: NDArray[np.floating]) -> Iterator[Diagnosis]:
    size = float(np.sqrt(np.mean(np.square(Y, dtype=np.float64))))
    if size > _LARGEST or 0 < size < _SMALLEST:
        yield Diagnosis(
            "unscaled_targets",
            None,
            size,
            f"the targets look unscaled: their root mean square is {size:.3g}, and a network's "
            f"outputs begin near 0 with a spread of about 1. Scale the targets {_SCALED}, and "
            "reverse the scaling in the predictions; NetworkRegressor does both",
        )
