"""Checking users' inputs, targets and weights, and converting them to the engines' format."""

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from chainrule.engines.base import Examples
from chainrule.engines.finite import all_finite
from chainrule.equations.targets import smoothed_targets
from chainrule.errors import InvalidArgumentError
from chainrule.limits import SHARE
from chainrule.network.cost import Cost
from chainrule.network.spec import NetworkSpec

Floats: TypeAlias = NDArray[np.floating]

# The order of examples is a list of 32-bit indices.
_MOST_EXAMPLES = 2**31 - 1


def as_examples(
    spec: NetworkSpec,
    X: ArrayLike,
    Y: ArrayLike,
    sample_weight: ArrayLike | None = None,
    names: tuple[str, str, str] = ("X", "Y", "sample_weight"),
) -> Examples:
    """Check inputs, targets and weights together, and return them in the engines' format.

    An array that is already C-ordered and of the network's dtype is not copied.

    Raises
    ------
    InvalidArgumentError
        If an argument does not fit the network or the others. `names` are the arguments' names for
        the message.
    """
    features = as_features(spec, X, names[0])
    targets = as_targets(spec, Y, len(features), names[1])
    weights = None
    if sample_weight is not None:
        weights = as_weights(sample_weight, len(features), spec.dtype, names[2])
    return Examples(features, targets, weights)


def packed(
    dtype: str, X: NDArray[Any], Y: NDArray[Any], weights: NDArray[Any] | None = None
) -> Examples:
    """Return examples that need no check in the engines' format: C-ordered and of that dtype.

    Targets are rows of values, or class indices if Y has one dimension.
    """
    return Examples(
        np.ascontiguousarray(X, dtype),
        np.ascontiguousarray(Y, np.int32 if Y.ndim == 1 else dtype),
        None if weights is None else np.ascontiguousarray(weights, dtype),
    )


def as_features(spec: NetworkSpec, X: ArrayLike, name: str = "X") -> Floats:
    """Return X as a finite, C-ordered (m, n[0]) array of the network's dtype, m ≥ 1.

    Category codes are checked against the network's embedding tables.
    """
    array = _as_floats(X, spec.dtype, name)
    if array.ndim != 2 or array.shape[1] != spec.n_features:
        hint = ""
        if array.ndim == 1 and array.size == spec.n_features:
            hint = f"; for one example use {name}.reshape(1, -1)"
        elif array.ndim == 1 and spec.n_features == 1:
            hint = f"; for one feature use {name}.reshape(-1, 1)"
        raise InvalidArgumentError(
            f"{name}: expected shape (examples, {spec.n_features}), one example per row; "
            f"got {array.shape}{hint}"
        )
    if len(array) == 0:
        raise InvalidArgumentError(f"{name}: expected at least one example (row); got none")
    if len(array) > _MOST_EXAMPLES:
        raise InvalidArgumentError(
            f"{name}: expected at most {_MOST_EXAMPLES} examples (rows); got {len(array)}"
        )
    _check_finite(array, name)
    spec.layers[0].check_inputs(array, name)
    return array


def as_targets(
    spec: NetworkSpec, Y: ArrayLike, m: int, name: str = "Y"
) -> Floats | NDArray[np.int32]:
    """Return Y as a finite, C-ordered (m, n[L]) array of values, or as (m,) class indices.

    Raises
    ------
    InvalidArgumentError
        If Y does not fit the network in any of these forms; the message lists those that would.
    """
    n = spec.n_outputs
    raw = _as_array(Y, name)
    if raw.ndim == 0 or len(raw) != m:
        raise InvalidArgumentError(
            f"{name}: expected one target for each of the {m} examples; got shape {raw.shape}"
        )
    takes_classes = n > 1 and spec.gives_probabilities
    if raw.shape == (m, n):
        targets = _as_floats(raw, spec.dtype, name)
    elif n == 1 and raw.shape == (m,):
        targets = _as_floats(raw.reshape(m, 1), spec.dtype, name)
    elif takes_classes and raw.shape in ((m,), (m, 1)):
        return as_classes(raw.reshape(m), n, name)
    else:
        choices = [f"({m}, {n}) values"]
        if n == 1:
            choices.append(f"({m},) values")
        if takes_classes:
            choices.append(f"({m},) class indices from 0 to {n - 1}")
        raise InvalidArgumentError(f"{name}: expected {' or '.join(choices)}; got {raw.shape}")
    _check_finite(targets, name)
    _check_range(spec, targets, name)
    return targets


def softened_examples(spec: NetworkSpec, examples: Examples, label_smoothing: float) -> Examples:
    """Return the examples with smoothed targets, for training: see `smoothed`."""
    if SHARE.checked("label_smoothing", label_smoothing) == 0:
        return examples
    targets = smoothed(spec, examples.targets(spec.n_outputs), label_smoothing)
    return examples._replace(Y=targets.astype(spec.dtype, copy=False))


def smoothed(spec: NetworkSpec, targets: Floats, label_smoothing: float) -> Floats:
    """Return smoothed targets: a share of each one is spread evenly over all classes (Y1).

    Raises
    ------
    InvalidArgumentError
        If the share is not in [0, 1), or the targets are not classes.
    """
    share = SHARE.checked("label_smoothing", label_smoothing)
    cost = spec.heads[0].cost if len(spec.heads) == 1 else None
    if cost is None or cost.row.targets.low != 0 or not spec.gives_probabilities:
        raise InvalidArgumentError(
            "label_smoothing: expected 0, since the targets are values and not classes; got "
            f"{label_smoothing!r} with the cost {spec.cost}"
        )
    # With a binary cost, each sigmoid is a classification of its own, between two classes.
    binary = cost.row.targets.high == 1 and not spec.heads[0].activation.of_layer
    classes = 2 if binary else spec.n_outputs
    return np.asarray(smoothed_targets(targets, share, classes))


def as_classes(classes: NDArray[Any], n: int, name: str = "Y") -> NDArray[np.int32]:
    """Return class indices as 32-bit integers, the engines' format: (m,).

    Raises
    ------
    InvalidArgumentError
        If they are not integers from 0 to n − 1.
    """
    if classes.dtype.kind not in "iub":
        classes = _as_floats(classes, "float64", name)
        _check_finite(classes, name)
    with np.errstate(invalid="ignore"):  # values that do not fit are reported below
        indices = np.ascontiguousarray(classes, np.int32)
    if indices.min() < 0 or indices.max() >= n or (indices != classes).any():
        wrong = (classes < 0) | (classes >= n) | (indices != classes)
        first = int(np.argmax(wrong))
        raise InvalidArgumentError(
            f"{name}: class indices must be whole numbers from 0 to {n - 1} (the network has {n} "
            f"outputs); got {classes[first].item()!r} at row {first}"
        )
    return indices


def as_weights(sample_weight: ArrayLike, m: int, dtype: str, name: str = "sample_weight") -> Floats:
    """Return sample weights as a (m,) array: none negative, not all zero, with a finite sum."""
    weights = _as_floats(sample_weight, dtype, name)
    if weights.shape != (m,):
        raise InvalidArgumentError(f"{name}: expected shape ({m},); got {weights.shape}")
    _check_finite(weights, name)
    if (weights < 0).any() or not weights.any():
        below = weights.min() < 0
        place = f", the least at row {int(weights.argmin())}" if below else ": all are zero"
        raise InvalidArgumentError(
            f"{name}: expected weights ≥ 0, at least one of them > 0; "
            f"got values from {weights.min()} to {weights.max()}{place}"
        )
    with np.errstate(over="ignore"):
        total = weights.sum()
    if not np.isfinite(total):
        raise InvalidArgumentError(
            f"{name}: expected weights whose sum is in the range of {weights.dtype}; got values up "
            f"to {weights.max()}. Divide them by their mean: only their ratios matter"
        )
    return weights


def check_unmasked(value: object, name: str) -> None:
    """Raise if some values are masked: NumPy would use the numbers beneath the mask."""
    if isinstance(value, np.ma.MaskedArray) and np.ma.is_masked(value):
        raise InvalidArgumentError(
            f"{name}: expected no masked values; got {int(np.ma.getmaskarray(value).sum())}. "
            "Fill or impute them, or leave their rows out"
        )


def _as_array(value: ArrayLike, name: str) -> NDArray[Any]:
    check_unmasked(value, name)
    try:
        array = np.asarray(value)
    except (ValueError, TypeError, OverflowError) as error:
        raise InvalidArgumentError(f"{name}: cannot be read as an array ({error})") from error
    if array.dtype.kind not in "biuf":
        if array.dtype.kind == "O":
            # NumPy would parse strings as numbers here, in arrays of objects but in no others.
            texts = any(isinstance(entry, str | bytes) for entry in array.flat)
            try:
                if not texts:
                    return array.astype(np.float64)
            except (ValueError, TypeError, OverflowError):
                pass
        one = array.ndim == 0 and array.dtype.kind == "O"
        made = f", made from a {type(value).__name__} " if one else " "
        raise InvalidArgumentError(
            f"{name}: expected numbers; got an array of {array.dtype}{made}"
            "(encode text and categories as numbers first)"
        )
    return array


def _as_floats(value: ArrayLike, dtype: str, name: str) -> Floats:
    if type(value) is np.ndarray and value.dtype == dtype and value.flags.c_contiguous:
        return value
    array = _as_array(value, name)
    with np.errstate(over="ignore"):  # numbers too large for float32 become inf: reported later
        return np.ascontiguousarray(array, dtype) if array.ndim else array.astype(dtype)


def _check_finite(array: Floats, name: str) -> None:
    if not all_finite(array):
        finite = np.isfinite(array)
        place = np.unravel_index(int(np.argmin(finite)), array.shape)
        column = f", column {int(place[1])}" if array.ndim == 2 else ""
        raise InvalidArgumentError(
            f"{name}: expected finite numbers in the range of {array.dtype}; got {array[place]} at "
            f"row {int(place[0])}{column} ({int((~finite).sum())} such values in all); "
            "remove or impute them"
        )


def _check_range(spec: NetworkSpec, targets: Floats, name: str) -> None:
    begin = 0
    for head in spec.heads:
        end = begin + head.units
        whole = len(spec.heads) == 1 and spec.output_activation != "heads"
        if head.cost is not None:
            own = name if whole else f"{name}[:, {begin}:{end}]"
            _check_range_of(head.cost, targets[:, begin:end], own)
        begin = end


def _check_range_of(cost: Cost, targets: Floats, name: str) -> None:
    words, low, high = cost.row.targets
    if targets.min() < low or targets.max() > high:
        raise InvalidArgumentError(
            f"{name}: the cost {cost} expects targets {words}; "
            f"got values from {targets.min()} to {targets.max()}"
        )
