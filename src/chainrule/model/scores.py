"""How good predictions are: scikit-learn's definitions, in one dictionary.

With two classes, precision, recall and F1 are those of the class that sorts last (M of B and M,
1 of 0 and 1, true of false and true), named by "positive_class"; with more, they are the plain
means over the classes ("macro"). ROC AUC is one against the rest, the plain mean over the classes.
A number that these rows do not define (ROC AUC where a class is absent) is None.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.tables.target import Class


def classification_scores(
    true: NDArray[np.integer], probabilities: NDArray[np.floating], classes: Sequence[Class]
) -> dict[str, Any]:
    """Return accuracy, precision, recall, F1, ROC AUC and the confusion matrix.

    Parameters
    ----------
    true : array (m,)
        Class indices.
    probabilities : array (m, classes)
    classes : sequence
        Names, in the order of the columns.

    Returns
    -------
    dict
        JSON-ready. "confusion_matrix" has the counts of true classes (rows) given predicted ones
        (columns).
    """
    from sklearn.metrics import (
        accuracy_score,
        confusion_matrix,
        precision_recall_fscore_support,
        roc_auc_score,
    )

    predicted = np.argmax(probabilities, axis=1)
    binary = len(classes) == 2
    precision, recall, f1, _ = precision_recall_fscore_support(
        true,
        predicted,
        labels=[1] if binary else range(len(classes)),
        average="macro",
        zero_division=0,
    )
    area = None
    if len(np.unique(true)) == len(classes):
        # The rounding of float32 must not make scikit-learn doubt that rows sum to 1.
        exact = probabilities.astype(np.float64)
        exact /= exact.sum(axis=1, keepdims=True)
        area = float(roc_auc_score(true, exact[:, 1] if binary else exact, multi_class="ovr"))
    scores: dict[str, Any] = {
        "rows": len(true),
        "accuracy": float(accuracy_score(true, predicted)),
        "precision": float(precision),
        "recall": float(recall),
        "f1": float(f1),
        "roc_auc": area,
    }
    if binary:
        scores["positive_class"] = classes[1]
    counts = confusion_matrix(true, predicted, labels=range(len(classes)))
    scores["confusion_matrix"] = {"classes": list(classes), "counts": counts.tolist()}
    return scores


def regression_scores(
    true: NDArray[np.floating], predicted: NDArray[np.floating]
) -> dict[str, Any]:
    """Return RMSE and MAE in the target's units, and R²."""
    from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error

    return {
        "rows": len(true),
        "rmse": float(root_mean_squared_error(true, predicted)),
        "mae": float(mean_absolute_error(true, predicted)),
        "r2": float(r2_score(true, predicted)) if len(true) > 1 else None,
    }
