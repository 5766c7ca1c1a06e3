"""Class weights: the same total weight for all classes, or weights chosen by the user."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.checks import is_real, shown
from chainrule.engines.base import Examples
from chainrule.errors import InvalidArgumentError
from chainrule.network.spec import NetworkSpec
from chainrule.suggestions import did_you_mean


def balanced_weights(
    places: NDArray[np.integer], n_classes: int, own: NDArray[np.floating] | None = None
) -> NDArray[np.float64]:
    """Return a weight for each example that gives all classes that occur the same total weight.

    Parameters
    ----------
    places : array (examples,)
        Class index of each example, from 0.
    n_classes : int
    own : array (examples,), optional
        Weights of the examples; their sum is preserved.
    """
    weights = np.ones(len(places)) if own is None else own.astype(np.float64)
    totals = np.bincount(places, weights, minlength=n_classes)
    shares = weights.sum() / (np.count_nonzero(totals) * np.where(totals > 0, totals, 1.0))
    return np.asarray(weights * shares[places])


def classes_of(spec: NetworkSpec, examples: Examples) -> NDArray[np.intp] | None:
    """Return the class of each example, or None if the targets are not one class each."""
    Y = examples.Y
    if Y.ndim == 1:
        return Y.astype(np.intp)
    if not spec.gives_probabilities:
        return None
    of_layer = spec.activations[-1].of_layer
    if spec.n_outputs == 1 and not of_layer:
        return Y[:, 0].astype(np.intp) if np.isin(Y, (0, 1)).all() else None
    if of_layer and np.isin(Y, (0, 1)).all():
        return np.argmax(Y, axis=1) if (Y.sum(axis=1) == 1).all() else None
    return None


def class_weighted(spec: NetworkSpec, examples: Examples, class_weight: Any) -> Examples:
    """Return examples with their weights multiplied by those of their classes.

    Parameters
    ----------
    spec : NetworkSpec
    examples : Examples
    class_weight : None, "balanced" or mapping
        None changes nothing; "balanced" gives all classes that occur the same total weight; a
        mapping gives weights by class index, 1 for those it leaves out.

    Raises
    ------
    InvalidArgumentError
        If it is none of these, or the targets are not one class each.
    """
    if class_weight is None:
        return examples
    balanced = isinstance(class_weight, str) and class_weight == "balanced"
    if not balanced and not isinstance(class_weight, Mapping):
        raise InvalidArgumentError(
            "class_weight: expected None, 'balanced' or a dict of weights by class, such as "
            f"{{0: 1.0, 1: 5.0}}; got {shown(class_weight)}"
            f"{did_you_mean(class_weight, ('balanced',))}"
        )
    places = classes_of(spec, examples)
    if places is None:
        raise InvalidArgumentError(
            "class_weight: expected targets that are one class each (indices, one-hot rows, or 0 "
            "and 1); these are not. Give sample_weight instead of class_weight"
        )
    n_classes = max(2, spec.n_outputs)
    own = examples.weights
    weights: NDArray[Any]
    if balanced:
        weights = balanced_weights(places, n_classes, own)
    else:
        by_class = _by_class(class_weight, n_classes)[places]
        weights = by_class if own is None else by_class * own
    with np.errstate(over="ignore"):
        weights = np.ascontiguousarray(weights, spec.dtype)
        total = weights.sum()
    if not 0 < total < np.inf:
        raise InvalidArgumentError(
            "class_weight: expected weights that, multiplied by those of the examples, have a sum "
            f"above 0 and in the range of {spec.dtype}; got {total:g}"
        )
    return examples._replace(weights=weights)


def _by_class(class_weight: Mapping[Any, Any], n_classes: int) -> NDArray[np.float64]:
    weights = np.ones(n_classes)
    for place, weight in class_weight.items():
        whole = isinstance(place, int | np.integer) and not isinstance(place, bool)
        if not whole or not 0 <= place < n_classes:
            raise InvalidArgumentError(
                f"class_weight: expected classes from 0 to {n_classes - 1}; got {shown(place)}"
            )
        if not is_real(weight) or not 0 <= weight < np.inf:
            raise InvalidArgumentError(
                f"class_weight: expected finite weights ≥ 0; got {shown(weight)} for class {place}"
            )
        weights[place] = weight
    return weights
