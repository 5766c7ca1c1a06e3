"""Validation of the examples passed by a user, by scikit-learn's rules."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple, Self, TypeGuard

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import issparse
from sklearn.utils.validation import check_X_y, validate_data

from chainrule.checks import is_real
from chainrule.engines.finite import all_finite
from chainrule.errors import InvalidArgumentError
from chainrule.estimators.array_types import Floats, Inputs, MatrixLike
from chainrule.estimators.contract import Estimator
from chainrule.estimators.given import check_inputs, values
from chainrule.estimators.given_tables import (
    feature_names,
    filled,
    frame_for,
    is_table,
    needs_encoder,
)
from chainrule.tables.columns import check_finite
from chainrule.tables.notes import Note
from chainrule.tables.reader import TrainingTable, read_for_training
from chainrule.tables.row_numbers import RowNumbers
from chainrule.tables.table_notations import TableReading
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

    X: Any
    """Floats, dense or sparse; or a polars DataFrame that an encoder takes."""
    y: NDArray[Any]
    weights: Floats | None
    """Sample weights, in the dtype of X."""
    names: Names
    reading: TableReading | None = None
    """How the table was read; None for numbers."""
    notes: tuple[Note, ...] = ()
    """Notes on the reading."""

    def take(self, places: NDArray[np.int64]) -> Self:
        """Return some of the rows."""
        weights = None if self.weights is None else self.weights[places]
        return self._replace(X=self.X[places], y=self.y[places], weights=weights)


def checked_features(estimator: Estimator, X: MatrixLike) -> Inputs:
    """Return X as floats, dense or sparse; raise scikit-learn's error if it is invalid.

    For an estimator that was fitted to a table, these are the encoder's inputs.
    """
    if estimator.encoder_ is not None:
        return estimator.encoder_.encode(frame_for(estimator.encoder_, X, TRAINING.X))
    if _is_plain(X) and _fits(estimator, X):
        return X
    return _validated(estimator, filled(X, estimator._column_means), TRAINING.X, reset=False)


def _is_plain(X: object) -> TypeGuard[Floats]:
    """Whether X is an array that scikit-learn's validation, which is slow, would return as it is.

    It must also be in the order in memory that the engines need.
    """
    return (
        type(X) is np.ndarray
        and X.ndim == 2
        and (X.dtype == np.float64 or X.dtype == np.float32)
        and X.size > 0
        and X.flags.c_contiguous
        and all_finite(X)
    )


def _is_plain_target(y: object, m: int) -> TypeGuard[NDArray[Any]]:
    """Whether scikit-learn's validation would return the targets of m examples as they are.

    Their values have been checked already.
    """
    return type(y) is np.ndarray and y.ndim == 1 and len(y) == m and y.dtype.kind in "biufU"


def _fits(estimator: Estimator, X: Floats) -> bool:
    """Whether X has as many columns as the training inputs, which had no names."""
    return X.shape[1] == estimator.n_features_in_ and not hasattr(estimator, "feature_names_in_")


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
    given: Any = y
    if y is not None:  # for None, scikit-learn raises its own error
        y = estimator._given_targets(y, names.y)
    checks = {"multi_output": True, "y_numeric": estimator._y_numeric}
    read = _read_table(estimator, X, names.X, reset)
    of_table = reset and estimator._takes_tables and is_table(X)
    if of_table and isinstance(getattr(given, "name", None), str):
        estimator._target_name = given.name
    inputs: Any
    targets: Any
    if _is_plain(X) and _is_plain_target(y, len(X)) and (reset or _fits(estimator, X)):
        inputs, targets = X, y
        if reset:
            estimator.n_features_in_ = X.shape[1]
            estimator.__dict__.pop("feature_names_in_", None)
        found = Rows(inputs, targets, None, names)
    elif read is None:
        inputs, targets = _validated(
            estimator, filled(X, estimator._column_means), names.X, y=y, reset=reset, **checks
        )
        if of_table:
            estimator._column_means = np.asarray(inputs.mean(axis=0, dtype=np.float64))
        found = Rows(inputs, targets, None, names)
    else:
        # The zeros stand for the table, which scikit-learn need not see to check y.
        _, targets = check_X_y(np.zeros((read.table.height, 1)), y, estimator=estimator, **checks)
        found = Rows(read.table, targets, None, names, read.reading, read.notes)
    if issparse(targets):
        targets = targets.toarray()
    weights = None
    if sample_weight is not None:
        dtype = "float64" if read is not None else inputs.dtype.name
        given = _one_each(sample_weight, len(targets), names.weights)
        weights = as_weights(given, len(targets), dtype, names.weights)
    return found._replace(y=targets, weights=weights)


def _read_table(
    estimator: Estimator, X: MatrixLike, name: str, reset: bool
) -> TrainingTable | None:
    """Return X as a table to be encoded, or None if it holds numbers alone.

    If `reset`, the notations of its columns are decided; otherwise they are those of the training
    table.

    Raises
    ------
    InvalidTableError
        If the table cannot be used.
    """
    if not reset:
        encoder = estimator.encoder_
        if encoder is None:
            return None
        frame = frame_for(encoder, X, name)
        return TrainingTable(frame, encoder.reading, (), RowNumbers.counted(frame.height))
    estimator._forget_table()
    if not (estimator._takes_tables and is_table(X)):
        return None
    if not needs_encoder(X):
        return None
    found = read_for_training(X)
    # Before rows are set aside, so that the message counts the rows of the user's table.
    check_finite(found.table)
    estimator.n_features_in_ = found.table.width
    known = feature_names(X)
    if known is not None:
        estimator.feature_names_in_ = np.array(known, object)
    return found


def _validated(estimator: Estimator, X: MatrixLike, name: str, **settings: Any) -> Any:
    """Return X, and y if it is given, as validated by scikit-learn."""
    with _saying_where(estimator, X, name):
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
def _saying_where(estimator: Estimator, X: MatrixLike, name: str) -> Iterator[None]:
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
        check_inputs(X, name, error, _remedy(estimator, X))
        if name != TRAINING.X and isinstance(error, ValueError):
            raise InvalidArgumentError(f"{name}: {error}") from error
        raise
    except OverflowError as error:
        check_inputs(X, name, error, _remedy(estimator, X))
        raise InvalidArgumentError(
            f"{name}: expected numbers in the range of float64; got one beyond it ({error})"
        ) from error


def _remedy(estimator: Estimator, X: MatrixLike) -> str:
    """Return what to do where X holds something else than finite numbers."""
    if not is_table(X):
        return "remove, fill or encode them"
    if estimator._takes_tables:
        return "the estimator was fitted to numbers alone; fit it to a table that has such entries"
    return (
        "NetworkClassifier and NetworkRegressor take tables with text, dates and missing values as "
        "they are; or encode them with TableEncoder"
    )


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
