"""What `predict` is given, checked as scikit-learn checks it, faster where it is simple."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse
from sklearn.utils.validation import validate_data

from chainrule.checks import check_memory
from chainrule.engines.finite import all_finite
from chainrule.errors import InvalidArgumentError
from chainrule.training.examples import check_unmasked

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
    return _validated(estimator, X, reset=False)


def checked_data(estimator: Any, X: Any, y: Any, *, reset: bool) -> tuple[Any, NDArray[Any]]:
    """Return X as floats, dense or sparse, and y, as scikit-learn checks them together.

    Raises
    ------
    ValueError
        In scikit-learn's words; InvalidArgumentError for what it would take for numbers.
    """
    check_unmasked(y, "y")
    if estimator._y_numeric:
        _check_timeless(y, "y")
    X, y = _validated(
        estimator, X, y, reset=reset, multi_output=True, y_numeric=estimator._y_numeric
    )
    return X, y


def _validated(estimator: Any, X: Any, *y: Any, **settings: Any) -> Any:
    check_unmasked(X, "X")
    _check_timeless(X, "X")
    try:
        return validate_data(
            estimator,
            X,
            *y,
            accept_sparse=["csr", "csc"],
            dtype=(np.float64, np.float32),
            **settings,
        )
    except OverflowError as error:
        raise InvalidArgumentError(
            f"X: expected numbers in the range of float64; got one beyond it ({error})"
        ) from error


def _check_timeless(values: Any, name: str) -> None:
    """Raise if values are dates or spans of time, which NumPy would turn into numbers."""
    dtype = getattr(values, "dtype", None)
    if isinstance(dtype, np.dtype) and dtype.kind in "mM":
        raise InvalidArgumentError(
            f"{name}: expected numbers; got an array of {dtype} (say in numbers what is meant: "
            "days since a date, the month, the hour)"
        )


def dense(X: Any, dtype: str) -> Floats:
    """Return X as a C-ordered array of a network's dtype."""
    if issparse(X):
        check_memory(
            f"X: a dense table of shape {X.shape}, which a network works on,",
            X.shape[0] * X.shape[1] * X.dtype.itemsize,
            "Use partial_fit on parts of the rows, or fewer features",
        )
        X = X.toarray()
    return np.ascontiguousarray(X, dtype)


def blocks(X: Any) -> list[Any]:
    """Return X in parts: one, or those of a sparse matrix that fit into memory when dense."""
    if not issparse(X) or X.shape[0] <= _BLOCK_ROWS:
        return [X]
    rows = X.tocsr()
    return [rows[start : start + _BLOCK_ROWS] for start in range(0, X.shape[0], _BLOCK_ROWS)]
