"""Conversion of class labels to a network's targets, and of its outputs to labels."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.multiclass import check_classification_targets, type_of_target

from chainrule.checks import check_memory
from chainrule.errors import InvalidArgumentError
from chainrule.estimators.array_types import Floats

_KINDS = ("binary", "multiclass", "multilabel-indicator", "multiclass-multioutput")


class Labels(NamedTuple):
    """The classes of a problem, and whether it is binary, multiclass or multilabel."""

    classes: NDArray[Any]
    kind: str
    """"binary" (one logistic output), "multiclass" (softmax) or "multilabel" (logistic outputs)."""

    @classmethod
    def of(cls, y: NDArray[Any]) -> "Labels":
        """Return the labels that occur in y, (m,) or an indicator matrix (m, n).

        Raises
        ------
        ValueError
            If y does not contain classes, with scikit-learn's message.
        """
        if y.ndim == 1 and y.dtype.kind in "biu":
            # These are classes, unless there are so many that scikit-learn doubts it.
            classes = np.unique(y)
            if 2 * len(classes) <= len(y):
                return cls.among(classes)
        kind = type_of_target(y, input_name="y")
        if kind not in _KINDS:
            check_classification_targets(y)  # which raises
        if kind == "multilabel-indicator":
            return cls(np.arange(y.shape[1]), "multilabel")
        if kind == "multiclass-multioutput":
            raise InvalidArgumentError(
                "y: expected a class for each example or an indicator matrix of zeros and ones; "
                "Multioutput target data is not supported: use NetworkMixed('class'), which takes "
                "a class in each column"
            )
        return cls.among(np.unique(y))

    @classmethod
    def among(cls, classes: NDArray[Any]) -> "Labels":
        """Return the `Labels` of a problem in which each example has one of the sorted classes."""
        return cls(classes, "binary" if len(classes) <= 2 else "multiclass")

    @property
    def n_outputs(self) -> int:
        """Number of outputs of the network."""
        return 1 if self.kind == "binary" else len(self.classes)

    def indices(self, y: NDArray[Any]) -> NDArray[np.int64]:
        """Return the index of each label in `classes`, which must contain all of them."""
        return np.searchsorted(self.classes, y)

    def targets(self, y: NDArray[Any], dtype: str) -> Floats:
        """Return y as a network's targets, (m, n_outputs) of zeros and ones."""
        if self.kind == "multilabel":
            return np.ascontiguousarray(y, dtype)
        places = self.indices(y)
        if self.kind == "binary":
            return places.astype(dtype).reshape(-1, 1)
        check_memory(
            f"y: the targets of {len(y)} examples and {len(self.classes)} classes",
            len(y) * len(self.classes) * np.dtype(dtype).itemsize,
            "If y holds values and not classes, use a regressor; else fewer classes or examples at "
            "a time (partial_fit)",
        )
        targets = np.zeros((len(y), len(self.classes)), dtype)
        targets[np.arange(len(y)), places] = 1
        return targets

    def decided(self, outputs: Floats) -> NDArray[Any]:
        """Return the predicted labels: the largest output, or the outputs above one half."""
        if self.kind == "multilabel":
            return (outputs > 0.5).astype(int)
        if self.kind == "multiclass":
            return np.asarray(self.classes[outputs.argmax(axis=1)])
        if len(self.classes) == 1:
            return np.repeat(self.classes, len(outputs))
        return np.asarray(self.classes[(outputs[:, 0] > 0.5).astype(int)])

    def probabilities(self, outputs: Floats) -> Floats:
        """Return the probability of each class, (m, classes); 1 if there is only one class."""
        if self.kind != "binary":
            return outputs
        if len(self.classes) == 1:
            return np.ones_like(outputs)
        both = np.empty((len(outputs), 2), outputs.dtype)
        both[:, 1] = outputs[:, 0]
        np.subtract(1, outputs[:, 0], out=both[:, 0])
        return both

    def right(self, outputs: Floats, targets: Floats) -> NDArray[np.bool_]:
        """Return for each example whether all of its labels are predicted correctly."""
        if self.kind == "multiclass":
            return np.asarray(outputs.argmax(axis=1) == targets.argmax(axis=1))
        if len(self.classes) == 1:
            return np.ones(len(outputs), bool)
        return np.asarray(((outputs > 0.5) == (targets > 0.5)).all(axis=1))

    def missing(self, y: NDArray[Any]) -> NDArray[Any]:
        """Return the labels in y that are not among the classes."""
        if self.kind == "multilabel":
            return np.array([])
        return np.setdiff1d(y, self.classes)
