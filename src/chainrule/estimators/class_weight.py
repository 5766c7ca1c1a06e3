"""Sample weights multiplied by `class_weight`."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.class_weight import compute_sample_weight

from chainrule.checks import is_real, shown
from chainrule.errors import InvalidArgumentError
from chainrule.estimators.array_types import Floats
from chainrule.estimators.labels import Labels
from chainrule.suggestions import did_you_mean
from chainrule.training.class_weights import balanced_weights


def with_class_weights(
    class_weight: Any, labels: Labels, y: NDArray[Any], weights: Floats | None
) -> Floats:
    """Return the sample weights, each multiplied by the weight of its class.

    Parameters
    ----------
    class_weight : dict or "balanced"
        For multilabel y, a list of dicts, one per label, or "balanced".
    labels : Labels
    y : array (m,) or (m, n)
    weights : array (m,), optional
        The sample weights.

    Raises
    ------
    InvalidArgumentError
        If `class_weight` is neither, contains a weight that is not a finite number ≥ 0, or names
        an unknown class.
    """
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    balanced = isinstance(class_weight, str) and class_weight == "balanced"
    if y.ndim > 1:
        try:
            by_class = compute_sample_weight(class_weight, y)
        except ValueError as error:
            raise InvalidArgumentError(
                f"class_weight: {error}; got {shown(class_weight)}"
            ) from None
        return np.asarray(by_class if weights is None else by_class * weights)
    places = labels.indices(y)
    if balanced:
        found = balanced_weights(places, len(labels.classes), weights)
    elif isinstance(class_weight, dict):
        own = np.ones(len(y)) if weights is None else weights.astype(np.float64)
        found = own * _given(class_weight, labels.classes.tolist())[places]
    else:
        raise InvalidArgumentError(
            'class_weight: expected "balanced", or a dict of weights by class, such as '
            f"{{{shown(labels.classes.tolist()[0])}: 2.0}}; got {shown(class_weight)}"
            f"{did_you_mean(class_weight, ('balanced',))}"
        )
    if not found.any():
        raise InvalidArgumentError(
            "class_weight: expected some example of a weight > 0; got 0 for all of them"
        )
    return np.asarray(found)


def _given(class_weight: dict[Any, Any], classes: list[Any]) -> NDArray[np.float64]:
    """Return the weight of each class; 1 for classes without an entry.

    An entry for a class that is not in the data is accepted if all classes in the data have an
    entry: the class may be missing by chance from a subset of the data. If a class in the data has
    no entry either, a misspelling is more likely, and an error is raised.
    """
    for name, weight in class_weight.items():
        if not is_real(weight) or not 0 <= weight < np.inf:
            raise InvalidArgumentError(
                f"class_weight: expected a finite number ≥ 0 for class {shown(name)}; "
                f"got {shown(weight)}"
            )
    unknown = [name for name in class_weight if name not in classes]
    if unknown and any(each not in class_weight for each in classes):
        raise InvalidArgumentError(
            f"class_weight: expected some of the classes {shown(classes[:30])}; got "
            f"{shown(unknown[0])} too"
        )
    return np.array([class_weight.get(each, 1.0) for each in classes], np.float64)
