"""What `predict` is given, checked as scikit-learn checks it, faster where it is simple."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse
from sklearn.utils.validation import validate_data

from chainrule.engines.finite import all_finite

Floats = NDArray[np.floating]

# Rows of a sparse matrix that are made dense at a time.
_BLOCK_ROWS = 8192


def checked_features(estimator: Any, X: Any) -> Any:
    """Return X as floats, dense or sparse, if it fits the estimator; else scikit-learn's error."""
    plain = (
        type(X) is np.ndarray
        and X.ndim == 2
        and X.dtype in (np.float64, np.float32)
        and X.shape[1] == estimator.n_features_in_
        and len(X) > 0
        and X.flags.c_contiguous
        and not hasattr(estimator, "feature_names_in_")
        and all_finite(X)
    )
    if plain:
        return X
    return validate_data(
        estimator, X, accept_sparse=["csr", "csc"], dtype=(np.float64, np.float32), reset=False
    )


def dense(X: Any, dtype: str) -> Floats:
    """Return X as a C-ordered array of a network's dtype."""
    if issparse(X):
        X = X.toarray()
    return np.ascontiguousarray(X, dtype)


def blocks(X: Any) -> list[Any]:
    """Return X in parts: one, or those of a sparse matrix that fit into memory when dense."""
    if not issparse(X) or X.shape[0] <= _BLOCK_ROWS:
        return [X]
    rows = X.tocsr()
    return [rows[start : start + _BLOCK_ROWS] for start in range(0, X.shape[0], _BLOCK_ROWS)]
