"""What `predict` is given, checked as scikit-learn checks it, faster where it is simple."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse
from sklearn.utils.validation import validate_data

from chainrule.checks import check_memory, is_real
from chainrule.engines.finite import all_finite
from chainrule.errors import InvalidArgumentError
from chainrule.estimators.given import check_inputs, values
from chainrule.training.examples import as_weights, check_unmasked

Floats = NDArray[np.floating]

# Rows of a sparse matrix that are made dense at a time.
_BLOCK_ROWS = 8192


class Names(NamedTuple):
    """What a user calls the parts of examples."""

    X: str
    y: str
    weights: str


TRAINING = Names("X", "y", "sample_weight")
VALIDATION = Names("X_val", "y_val", "sample_weight_val")


class OutOfRangeError(InvalidArgumentError):
    """A number, or what a network makes of it, is beyond the type that the network computes in."""


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


def checked_data(
    estimator: Any, X: Any, y: Any, *, reset: bool, names: Names = TRAINING
) -> tuple[Any, NDArray[Any]]:
    """Return X as floats, dense or sparse, and y, as scikit-learn checks them together.

    Raises
    ------
    ValueError
        In scikit-learn's words; InvalidArgumentError for what it would take for numbers.
    """
    if y is not None:  # which scikit-learn has a sentence for
        y = estimator._given_targets(y, names.y)
    X, y = _validated(
        estimator,
        X,
        y,
        name=names.X,
        reset=reset,
        multi_output=True,
        y_numeric=estimator._y_numeric,
    )
    return X, y


def _validated(estimator: Any, X: Any, *y: Any, name: str = "X", **settings: Any) -> Any:
    check_unmasked(X, name)
    _check_timeless(X, name)
    try:
        # scikit-learn sums up what it asks to be finite, and then looks at each.
        with np.errstate(over="ignore", invalid="ignore"):
            return validate_data(
                estimator,
                X,
                *y,
                accept_sparse=["csr", "csc"],
                dtype=(np.float64, np.float32),
                **settings,
            )
    except (TypeError, ValueError) as error:
        check_inputs(X, name, error)
        if name != TRAINING.X and isinstance(error, ValueError):
            raise InvalidArgumentError(f"{name}: {error}") from error
        raise
    except OverflowError as error:
        check_inputs(X, name, error)
        raise InvalidArgumentError(
            f"{name}: expected numbers in the range of float64; got one beyond it ({error})"
        ) from error


def _check_timeless(values: Any, name: str) -> None:
    """Raise if values are dates or spans of time, which NumPy would turn into numbers."""
    dtype = getattr(values, "dtype", None)
    if isinstance(dtype, np.dtype) and dtype.kind in "mM":
        raise InvalidArgumentError(
            f"{name}: expected numbers; got an array of {dtype} (say in numbers what is meant: "
            "days since a date, the month, the hour)"
        )


def checked_weights(given: Any, X: Any, name: str) -> Floats | None:
    """Return sample weights of X's type: one number stands for all; None: there are none.

    Raises
    ------
    InvalidArgumentError
        If one is missing, negative or no number, or none is above 0.
    """
    if given is None:
        return None
    if not is_real(given):
        given = values(given, name)
        if given.ndim != 1:
            raise InvalidArgumentError(
                f"{name}: expected a weight for each of the {X.shape[0]} rows; got an array of "
                f"shape {given.shape}"
            )
    else:
        given = np.full(X.shape[0], given)
    return as_weights(given, X.shape[0], X.dtype.name, name)


def within(
    values: Floats, dtype: str, name: str, remedy: str, given: Floats | None = None
) -> Floats:
    """Return finite values as a C-ordered array of a network's type.

    Raises
    ------
    OutOfRangeError
        If one is beyond that type; the message has it as it was `given`.
    """
    if given is None and values.dtype == dtype and values.flags.c_contiguous:
        return values
    with np.errstate(over="ignore"):  # seen below
        array = np.ascontiguousarray(values, dtype)
    if not all_finite(array):
        row, column = np.unravel_index(int(np.argmin(np.isfinite(array))), array.shape)
        where = f"row {row}, column {column}" if array.shape[1] > 1 else f"row {row}"
        wider = "" if dtype == "float64" else "dtype='float64' has a wider range, and "
        raise OutOfRangeError(
            f"{name}: expected numbers in the range of {dtype}, in which the network computes; got "
            f"{(values if given is None else given)[row, column].item()!r} at {where} "
            f"({wider}{remedy})"
        )
    return array


def check_outputs(outputs: Floats, X: Any) -> None:
    """Raise if what a network makes of finite inputs is not finite.

    Raises
    ------
    OutOfRangeError
    """
    if not all_finite(outputs):
        row = int(np.argmin(np.isfinite(outputs).all(axis=1)))
        values = X[[row]].toarray() if issparse(X) else np.asarray(X[row])
        raise OutOfRangeError(
            f"X: expected inputs whose outputs are in the range of {outputs.dtype}; got row {row}, "
            f"whose inputs are up to {np.abs(values).max():g} in size. Bring the inputs to the "
            "scale of those that it was trained on"
        )


def dense(X: Any, dtype: str | None = None) -> Floats:
    """Return X as a C-ordered array, of that dtype or its own."""
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
