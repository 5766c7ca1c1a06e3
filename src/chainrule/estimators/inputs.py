"""Validation of the examples passed by a user, by scikit-learn's rules."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import issparse
from sklearn.utils.validation import validate_data

from chainrule.checks import is_real
from chainrule.engines.finite import all_finite
from chainrule.errors import InvalidArgumentError
from chainrule.estimators.array_types import Floats, Inputs, MatrixLike
from chainrule.estimators.contract import Estimator
from chainrule.estimators.given import check_inputs, values
from chainrule.training.examples import as_weights, check_unmasked


class Names(NamedTuple):
    """The argument names of inputs, targets and sample weights, for error messages."""

    X: str
    y: str
    weights: str


TRAINING = Names("X", "y", "sample_weight")
VALIDATION = Names("X_val", "y_val", "sample_weight_val")


class Rows(NamedTuple):
    """Examples after scikit-learn's validation."""

    X: Inputs
    """Floats, dense or sparse."""
    y: NDArray[Any]
    weights: Floats | None
    """Sample weights, in the dtype of X."""
    names: Names


def checked_features(estimator: Estimator, X: MatrixLike) -> Inputs:
    """Return X as floats, dense or sparse; raise scikit-learn's error if it is invalid."""
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
    return _validated(estimator, X, TRAINING.X, reset=False)


def checked_rows(
    estimator: Estimator,
    X: MatrixLike,
    y: MatrixLike | None,
    sample_weight: ArrayLike | None,
    names: Names = TRAINING,
    *,
    reset: bool,
) -> Rows:
    """Validate X and y together by scikit-learn's rules; the returned y is never sparse.

    Raises
    ------
    ValueError
        With scikit-learn's message. InvalidArgumentError for entries that scikit-learn would
        silently convert to numbers, and for weights that are missing, negative, not numbers, or
        all 0.
    """
    if y is not None:  # for None, scikit-learn raises its own error
        y = estimator._given_targets(y, names.y)
    checks = {"multi_output": True, "y_numeric": estimator._y_numeric}
    inputs, targets = _validated(estimator, X, names.X, y=y, reset=reset, **checks)
    if issparse(targets):
        targets = targets.toarray()
    weights = None
    if sample_weight is not None:
        given = _one_each(sample_weight, len(targets), names.weights)
        weights = as_weights(given, len(targets), inputs.dtype.name, names.weights)
    return Rows(inputs, targets, weights, names)


def _validated(estimator: Estimator, X: MatrixLike, name: str, **settings: Any) -> Any:
    """Return X, and y if it is given, as validated by scikit-learn."""
    with _saying_where(X, name):
        check_unmasked(X, name)
        # scikit-learn's finiteness check first sums all entries, which may overflow.
        with np.errstate(over="ignore", invalid="ignore"):
            return validate_data(
                estimator,
                X,
                accept_sparse=["csr", "csc"],
                dtype=(np.float64, np.float32),
                **settings,
            )


@contextmanager
def _saying_where(X: MatrixLike, name: str) -> Iterator[None]:
    """Replace errors about X by errors that name the invalid entry.

    Raises
    ------
    InvalidArgumentError
        Also a TypeError if scikit-learn's error is one.
    """
    dtype = getattr(X, "dtype", None)
    if isinstance(dtype, np.dtype) and dtype.kind in "mM":
        # NumPy would convert dates and time spans to numbers.
        raise InvalidArgumentError(
            f"{name}: expected numbers; got an array of {dtype} (say in numbers what is meant: "
            "days since a date, the month, the hour)"
        )
    try:
        yield
    except InvalidArgumentError:
        raise
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


def _one_each(weights: ArrayLike, m: int, name: str) -> NDArray[Any]:
    """Return a weight for each row; a single number applies to all rows."""
    if is_real(weights):
        return np.full(m, weights)
    array = values(weights, name)
    if array.ndim != 1:
        raise InvalidArgumentError(
            f"{name}: expected a weight for each of the {m} rows; got an array of "
            f"shape {array.shape}"
        )
    return array
