"""Temperature scaling: fits T on validation rows and folds it into a network's output layer.

A network whose output layer has the weights W/T and the biases b/T has the outputs TS1 or TS2. So
predictions, exports, traces, explanations and files need no second mechanism.
"""

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from chainrule.checks import is_real
from chainrule.engines.base import Engine, Examples
from chainrule.engines.passes import as_columns
from chainrule.equations._array import Array
from chainrule.equations.fused_pairs import sigmoid_binary_cross_entropy, softmax_cross_entropy
from chainrule.equations.targets import smoothed_targets
from chainrule.equations.temperature import (
    sigmoid_temperature_curvature,
    softmax_temperature_curvature,
    temperature_slope,
    tempered_sigmoid,
    tempered_softmax,
)
from chainrule.model.network import Network
from chainrule.network.parameters import views
from chainrule.network.spec import NetworkSpec

Floats: TypeAlias = NDArray[np.floating]
Mode: TypeAlias = Literal["auto", "on", "off"]

LOWEST, HIGHEST = 0.1, 10.0
"""The limits of T."""

# Fewer rows say too little about a temperature for "auto" to use it.
_FEWEST_ROWS = 20
_FOLDS = 5
# More numbers than this are thinned out, to limit the time for large tables and many classes.
_MOST_NUMBERS = 1_000_000
_MOST_STEPS = 100
_ACCURACY = 1e-10


@dataclass(frozen=True)
class Temperature:
    """A fitted temperature, and whether it is applied.

    Parameters
    ----------
    value : float
        T of the model; 1 if the fitted temperature was not applied.
    fitted : float
        T with the lowest log loss on the validation rows.
    gain, error : float
        Cross-validated reduction of the validation log loss by the fitted temperature, and its
        standard error; NaN if there are too few rows.
    before, after : float
        Log loss of the validation rows at T = 1 and at T = `value`.
    rows : int
        Number of validation rows with a weight above 0.
    """

    value: float
    fitted: float
    gain: float
    error: float
    before: float
    after: float
    rows: int

    @property
    def applied(self) -> bool:
        """Whether the model's outputs were divided by a temperature other than 1."""
        return self.value != 1.0

    def to_details(self) -> dict[str, float | int]:
        """Return the fields as plain data for a model file's details."""
        return asdict(self)

    @classmethod
    def from_details(cls, details: Mapping[str, Any]) -> "Temperature | None":
        """Return the temperature in a model file's details; None if there is none."""
        found = details.get("temperature")
        names = {one.name for one in fields(cls)}
        if not isinstance(found, Mapping) or set(found) != names:
            return None
        numbers: dict[str, Any] = {
            name: float("nan") if found[name] is None else found[name] for name in names
        }
        usual = all(is_real(one) for one in numbers.values())
        if not usual or not all(LOWEST <= numbers[one] <= HIGHEST for one in ("value", "fitted")):
            return None
        return cls(**numbers)


class _Output(NamedTuple):
    """The equations of an output activation."""

    tempered: Callable[[Array, float], Array]
    cost: Callable[[Array, Array], Array]
    curvature: Callable[[Array, Array], Array]


_OUTPUTS: Mapping[str, _Output] = {
    "softmax": _Output(tempered_softmax, softmax_cross_entropy, softmax_temperature_curvature),
    "sigmoid": _Output(
        tempered_sigmoid, sigmoid_binary_cross_entropy, sigmoid_temperature_curvature
    ),
}


def calibrate(
    network: Network, validation: Examples, engine: Engine, mode: Mode
) -> list[Temperature | None]:
    """Fit a temperature for each head on validation rows, and fold it into the network.

    Parameters
    ----------
    network : Network
        Changed in place.
    validation : Examples
        Rows that the network was not trained on, with the weights of the validation loss.
    engine : Engine
    mode : {"auto", "on", "off"}
        "auto" applies the temperature if it lowers the log loss: see `fitted_temperature`.

    Returns
    -------
    list
        One entry for each head of the output layer; None for heads that do not give probabilities
        or have pre-activations that are not finite, and for all heads if `mode` is "off" or no
        validation row has a weight above 0.
    """
    if mode == "off" or not any(_parts(network.spec)) or not validation.weight > 0:
        return [None] * len(network.spec.heads)
    Z = pre_activations(network, validation.X, engine)
    return calibrated_by(network, Z, validation, mode)


def calibrated_by(
    network: Network, outputs: Floats, examples: Examples, mode: Mode
) -> list[Temperature | None]:
    """Fit a temperature for each head to pre-activations Z[L], (m, n[L]), and fold it in.

    As `calibrate`, but the pre-activations need not be those of the network itself: those of an
    ensemble's members are of rows that they did not learn from.
    """
    spec = network.spec
    parts = _parts(spec)
    if mode == "off" or not any(parts) or not examples.weight > 0:
        return [None] * len(parts)
    Z = as_columns(outputs).astype(np.float64)
    Y = as_columns(examples.targets(spec.n_outputs)).astype(np.float64)
    weights = None if examples.weights is None else examples.weights.astype(np.float64)
    found: list[Temperature | None] = []
    for units, output in zip(head_units(spec), parts, strict=True):
        # A training that diverged may leave weights whose products are out of range.
        if output is None or not np.isfinite(Z[units]).all():
            found.append(None)
            continue
        one = fitted_temperature(Z[units], Y[units], output, weights, mode)
        if one.applied:
            fold(network, one.value, units)
        found.append(one)
    return found


def fitted_temperature(
    Z: NDArray[np.float64],
    Y: NDArray[np.float64],
    output: str = "softmax",
    weights: NDArray[np.float64] | None = None,
    mode: Mode = "auto",
) -> Temperature:
    """Return the temperature with the lowest log loss, and whether it is applied.

    With "auto", it is applied if it lowers the log loss of rows that it was not fitted to by more
    than the standard error of that gain, by five-fold cross-validation. It is not applied if there
    are fewer than 20 rows.

    Where the log loss falls all the way to the lowest temperature, as it does for rows that are all
    predicted correctly, m rows say only that an error is rarer than about one in m. Their targets
    are then smoothed (Y1) so that the true class has (m + 1)/(m + 2), Laplace's rule of succession.
    Source: Platt 1999, "Probabilistic outputs for support vector machines", section 2.2.

    Parameters
    ----------
    Z, Y : arrays (n[L], m)
        Pre-activations of the output layer, and targets.
    output : {"softmax", "sigmoid"}
    weights : array (m,), optional
    mode : {"auto", "on"}
    """
    m = Z.shape[1]
    w = np.ones(m) if weights is None else weights
    used = np.flatnonzero(w > 0)
    # Rounded up: evenly spaced rows, at most _MOST_NUMBERS pre-activations.
    used = used[:: max(1, -(-len(used) * len(Z) // _MOST_NUMBERS))]
    Z, Y, w = np.ascontiguousarray(Z[:, used]), np.ascontiguousarray(Y[:, used]), w[used]
    fitted = _fitted(Z, Y, w, _OUTPUTS[output])
    gain = error = float("nan")
    if len(used) >= _FEWEST_ROWS:
        gain, error = _cross_validated(Z, Y, w, _OUTPUTS[output], fitted)
    pays = gain > error
    value = fitted if mode == "on" or pays else 1.0
    cost = _OUTPUTS[output].cost
    before, after = (float(np.sum(w * cost(Z / T, Y)) / np.sum(w)) for T in (1.0, value))
    return Temperature(value, fitted, gain, error, before, after, len(used))


def _fitted(
    Z: NDArray[np.float64],
    Y: NDArray[np.float64],
    w: NDArray[np.float64],
    output: _Output,
    start: float = 1.0,
) -> float:
    """Return T with the lowest log loss; that of smoothed targets if it is the lowest T or none."""
    if _slope(Z, Y, w, output, 1 / LOWEST)[0] <= 0:
        classes = len(Z) if output is _OUTPUTS["softmax"] else 2
        share = classes / ((classes - 1) * (len(w) + 2))
        Y = smoothed_targets(Y, share, classes)
    return _minimum(Z, Y, w, output, start)


def _slope(
    Z: NDArray[np.float64],
    Y: NDArray[np.float64],
    w: NDArray[np.float64],
    output: _Output,
    beta: float,
) -> tuple[float, Array]:
    """Return the slope of the weighted log loss in β = 1/T, and A[L] there."""
    A = output.tempered(Z, 1 / beta)
    return float(np.sum(w * temperature_slope(Z, A, Y)) / np.sum(w)), A


def _minimum(
    Z: NDArray[np.float64],
    Y: NDArray[np.float64],
    w: NDArray[np.float64],
    output: _Output,
    start: float = 1.0,
) -> float:
    """Return T with the lowest weighted log loss, by Newton's method in β = 1/T from T = `start`.

    The loss is convex in β, so the sign of its slope says on which side the minimum is. A step
    beyond the limits goes to the limit, and a step beyond what is already excluded is replaced by
    bisection.
    """
    total = np.sum(w)
    least, most = 1 / HIGHEST, 1 / LOWEST
    low, high, beta = 0.0, float("inf"), 1 / start  # the minimum lies between low and high
    for _ in range(_MOST_STEPS):
        falls, A = _slope(Z, Y, w, output, beta)
        if falls <= 0 and beta >= most:
            return LOWEST
        if falls >= 0 and beta <= least:
            return HIGHEST
        if falls < 0:
            low = beta
        else:
            high = beta
        curvature = float(np.sum(w * output.curvature(Z, A)) / total)
        far = most if falls < 0 else least
        step = beta - falls / curvature if curvature > 0 else far
        following = min(max(step, least), most)
        if not low < following < high:
            following = (max(low, least) + min(high, most)) / 2
        if falls == 0 or abs(following - beta) <= _ACCURACY * beta:
            break
        beta = following
    return 1 / beta


def _cross_validated(
    Z: NDArray[np.float64],
    Y: NDArray[np.float64],
    w: NDArray[np.float64],
    output: _Output,
    start: float,
) -> tuple[float, float]:
    """Return the gain of rows that the temperature was not fitted to, and its standard error."""
    folds = np.arange(len(w)) % _FOLDS
    gains = np.empty(len(w))
    for fold_number in range(_FOLDS):
        others, own = folds != fold_number, folds == fold_number
        T = _fitted(Z[:, others], Y[:, others], w[others], output, start)
        costs = (output.cost(Z[:, own] / each, Y[:, own]) for each in (1.0, T))
        gains[own] = np.subtract(*costs)
    total = np.sum(w)
    gain = np.sum(w * gains) / total
    return float(gain), float(np.sqrt(np.sum((w * (gains - gain)) ** 2)) / total)


def pre_activations(network: Network, X: Floats, engine: Engine) -> Floats:
    """Return Z[L] of inputs in the network's dtype, (m, n[L])."""
    spec = network.spec
    # The same parameters with the identity as the last activation.
    last = replace(spec.layers[-1], activation="identity")  # type: ignore[type-var]
    plain = replace(spec, layers=(*spec.layers[:-1], last), cost="mse")
    Z = np.empty((len(X), spec.n_outputs), spec.dtype)
    engine.forward(plain, network.parameters, X, Z)
    return Z


def outputs_at(spec: NetworkSpec, Z: Floats, temperatures: Sequence[float]) -> Floats:
    """Return A[L] of pre-activations Z[L], (m, n[L]), with a temperature for each head."""
    columns = as_columns(Z).astype(np.float64)
    A = spec.activations[-1].function(columns)
    for units, output, temperature in zip(
        head_units(spec), _parts(spec), temperatures, strict=True
    ):
        if output is not None and temperature != 1:
            A[units] = _OUTPUTS[output].tempered(columns[units], temperature)
    return np.ascontiguousarray(as_columns(A), spec.dtype)


def fold(network: Network, temperature: float, units: slice = slice(None)) -> None:
    """Divide the pre-activations of output units by a temperature, in place."""
    for block in views(network.spec, network._own_parameters())[-1]:
        block[units] = block[units].astype(np.float64) / temperature


def tempered(network: Network, temperature: float) -> Network:
    """Return a copy of a network whose output pre-activations are divided by a temperature.

    With 1/T, it is the network before T was folded into it, up to rounding.
    """
    made = copy.copy(network)
    made._parameters = network.parameters.copy()
    made._quick = None
    fold(made, temperature)
    return made


def _parts(spec: NetworkSpec) -> list[str | None]:
    """Return the activation of each head that gives probabilities; None for the others."""
    names = [head.activation.name for head in spec.heads]
    return [name if name in _OUTPUTS else None for name in names]


def head_units(spec: NetworkSpec) -> list[slice]:
    """Return the output units of each head."""
    ends = np.cumsum([head.units for head in spec.heads]).tolist()
    return [slice(end - head.units, end) for end, head in zip(ends, spec.heads, strict=True)]
