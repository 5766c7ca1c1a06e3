"""Validation of labels and values: errors name the first missing or invalid entry and its row.

scikit-learn only reports "Input y contains NaN", or fails inside NumPy's sort; the errors here
quote the entry as the user passed it.
"""

import datetime
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse

from chainrule.checks import shown
from chainrule.errors import InvalidArgumentError
from chainrule.estimators.array_types import MatrixLike, Name, Targets
from chainrule.training.examples import check_unmasked

# Kinds of the dtypes allowed for labels: bool, integers, floats, strings, dates, time spans.
_LABELS = "biufUMm"
_KINDS = ("text", "number", "date", "bytes")


def labels(y: MatrixLike, name: str, columns: Sequence[Name] | None = None) -> Targets:
    """Return labels as an array of one type; a sparse indicator matrix is returned unchanged.

    Parameters
    ----------
    y : array-like (m,) or (m, n)
    name : str
        The name of the argument, for the error message.
    columns : list, optional
        The names of y's columns, for the error message.

    Raises
    ------
    InvalidArgumentError
        If labels are missing, of different types, or of an unsupported type.
    """
    array = as_array(y, name)
    if issparse(array):
        return array
    check_present(array, name, columns)
    if array.dtype == object:
        array = of_one_kind(array, name)
    if array.dtype != object and array.dtype.kind not in _LABELS:
        raise InvalidArgumentError(
            f"{name}: expected labels that are texts, numbers or true and false; got "
            f"{_shown(array.flat[0])} at row 0, one of {array.dtype}"
            + (", which are to be decoded: y.astype(str)" if array.dtype.kind == "S" else "")
        )
    return array


def values(y: MatrixLike, name: str, columns: Sequence[Name] | None = None) -> Targets:
    """Return values as an array of numbers; a sparse matrix is returned unchanged.

    Raises
    ------
    InvalidArgumentError
        If a value is missing, not finite, or not a number.
    """
    array = as_array(y, name)
    if issparse(array):
        return array
    check_present(array, name, columns)
    if array.dtype.kind not in "biufOUS":
        raise InvalidArgumentError(
            f"{name}: expected numbers; got an array of {array.dtype} (say in numbers what is "
            "meant: days since a date, the month, the hour)"
        )
    if array.dtype.kind not in "OUS":
        return array
    try:
        return array.astype(np.float64)
    except (TypeError, ValueError, OverflowError):
        place = np.unravel_index(int(np.argmax(_no_numbers(array))), array.shape)
        raise InvalidArgumentError(
            f"{name}: expected a number for each row; got {_shown(array[place])} at "
            f"{_where(place, array, columns)}"
        ) from None


def check_inputs(X: MatrixLike, name: str, error: Exception, remedy: str) -> None:
    """Raise an error that names the first invalid entry of X, if X has one.

    Parameters
    ----------
    X : array-like (m, n)
    name : str
        The name of the argument, for the error message.
    error : Exception
        The exception raised by scikit-learn or NumPy.
    remedy : str
        What to do about such entries.

    Raises
    ------
    InvalidArgumentError
        Also a TypeError if `error` is one.
    """
    for place, column in _columns(X):
        if column.ndim != 1:
            continue
        if column.dtype.kind in "OUS":
            wrong = _missing(column) | _no_numbers(column)
        elif column.dtype.kind in "mM":
            wrong = np.ones(len(column), bool)
        else:
            wrong = ~np.isfinite(column)
        if not wrong.any():
            continue
        row = int(np.argmax(wrong))
        kind = NotNumbersError if isinstance(error, TypeError) else InvalidArgumentError
        raise kind(
            f"{name}: expected finite numbers; got {_shown(column[row])} at row {row}, column "
            f"{place!r} ({int(wrong.sum())} entries of that column are NaN, infinite, missing or "
            f"not numbers): {remedy} ({str(error).splitlines()[0]:.200})"
        ) from error


class NotNumbersError(InvalidArgumentError, TypeError):
    """Entries that are not numbers, for which scikit-learn raises a TypeError."""


def _columns(X: Any) -> Iterator[tuple[Name, NDArray[Any]]]:
    """Yield the columns of a table with their names or indices; nothing if X is not a table."""
    if issparse(X):
        by_column = X.tocsc()
        for place in range(X.shape[1]):
            yield place, by_column[:, [place]].toarray()[:, 0]
    elif hasattr(X, "columns") and hasattr(X, "__getitem__"):
        names = list(X.columns)
        for place, name in enumerate(names):
            yield name, np.asarray(X.iloc[:, place] if hasattr(X, "iloc") else X[name])
    else:
        try:
            table = np.asarray(X)
        except (TypeError, ValueError):
            return
        if table.ndim == 2 and table.dtype.kind in "fOUS":
            yield from ((place, table[:, place]) for place in range(table.shape[1]))


def _no_numbers(array: NDArray[Any]) -> NDArray[np.bool_]:
    """Return a mask of the entries of an object or string array that are not numbers."""

    def reads(entry: object) -> bool:
        try:
            float(entry)  # type: ignore[arg-type]
        except (TypeError, ValueError, OverflowError):
            return False
        return True

    return np.array([not reads(entry) for entry in array.flat], bool).reshape(array.shape)


def _missing(array: NDArray[Any]) -> NDArray[np.bool_]:
    """Return a mask of the entries of an array that are missing or not finite."""
    return np.array([_is_missing(entry) for entry in array.flat], bool).reshape(array.shape)


def as_array(y: MatrixLike, name: str) -> Targets:
    """Return y as an array without converting its elements; a sparse y is returned unchanged.

    Raises
    ------
    InvalidArgumentError
        If y is not array-like, is a scalar, or is complex.
    """
    if issparse(y):
        return y
    check_unmasked(y, name)
    try:
        if hasattr(y, "dtype") and hasattr(y, "to_numpy") and not isinstance(y.dtype, np.dtype):
            # Extension types of pandas, which NumPy would convert to floats or leave unconverted,
            # and types of polars.
            array = np.asarray(y, object) if hasattr(y, "iloc") else np.asarray(y.to_numpy())
        else:
            array = np.asarray(y)
        if isinstance(y, list | tuple) and array.dtype.kind in "US":
            # NumPy converts every element to a string if one of them is a string.
            objects = np.array(y, object)
            if not all(isinstance(entry, str) for entry in objects.flat):
                array = objects
    except (TypeError, ValueError) as error:
        raise InvalidArgumentError(
            f"{name}: expected one entry for each row, or as many for each; cannot be read as an "
            f"array ({error})"
        ) from error
    if array.dtype.kind == "c":
        raise InvalidArgumentError(f"{name}: Complex data not supported; got {array.dtype}")
    if array.ndim == 0:
        raise InvalidArgumentError(
            f"{name}: expected an entry for each row of X, such as a list or an array; got "
            f"{shown(y)}"
        )
    return array


def check_present(array: NDArray[Any], name: str, columns: Sequence[Name] | None = None) -> None:
    """Raise an error that names the row if an entry is missing or not finite.

    Raises
    ------
    InvalidArgumentError
    """
    if array.dtype == object:
        gaps = _missing(array)
    elif array.dtype.kind == "f":
        gaps = ~np.isfinite(array)
    elif array.dtype.kind in "mM":
        gaps = np.isnat(array)
    else:
        return
    if gaps.any():
        place = np.unravel_index(int(np.argmax(gaps)), array.shape)
        raise InvalidArgumentError(
            f"{name}: expected an entry for each row; got {_shown(array[place])} at "
            f"{_where(place, array, columns)} ({int(gaps.sum())} missing or not finite in all); "
            "leave their rows out, or fill them"
        )


def of_one_kind(array: NDArray[Any], name: str) -> NDArray[Any]:
    """Convert an object array without missing entries to the common type of its entries.

    Strings stay objects, so that a pandas user gets the same type back.

    Raises
    ------
    InvalidArgumentError
        If the entries are of different types, or of an unsupported type.
    """
    first: dict[str, int] = {}
    for place, entry in enumerate(array.flat):
        kind = _kind(entry)
        if kind not in first:
            first[kind] = place
            if kind not in _KINDS:
                raise InvalidArgumentError(
                    f"{name}: expected labels that are texts, numbers or true and false; got "
                    f"{_shown(entry)} at {_where(np.unravel_index(place, array.shape), array)}, "
                    f"of type {type(entry).__name__} (make texts of them)"
                )
    if len(first) > 1:
        (_, one), (_, other) = list(first.items())[:2]
        texts = [
            f"{_shown(array.flat[place])} at {_where(np.unravel_index(place, array.shape), array)}"
            for place in (one, other)
        ]
        raise InvalidArgumentError(
            f"{name}: expected labels of one kind; got {texts[0]} and {texts[1]}. "
            "Make them all texts or all numbers"
        )
    if "text" in first:
        return array
    return np.array(array.tolist(), "datetime64" if "date" in first else None)


def _shown(entry: object) -> str:
    """Return an entry formatted for an error message, without a NumPy scalar wrapper."""
    if isinstance(entry, np.datetime64 | np.timedelta64):
        return str(entry)
    return shown(entry.item() if isinstance(entry, np.generic) else entry)


def _kind(entry: object) -> str:
    if isinstance(entry, str):
        return "text"
    if isinstance(entry, bool | np.bool_ | int | float | np.integer | np.floating):
        return "number"
    if isinstance(entry, datetime.date | np.datetime64) and not getattr(entry, "tzinfo", None):
        return "date"
    return "bytes" if isinstance(entry, bytes) else "other"


def _is_missing(entry: object) -> bool:
    if entry is None or type(entry).__name__ in ("NAType", "NaTType"):
        return True
    if isinstance(entry, np.datetime64 | np.timedelta64):
        return bool(np.isnat(entry))
    if isinstance(entry, int | str | bytes):  # an integer may be too large for a float
        return False
    try:
        return not np.isfinite(float(entry))  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return False


def _where(
    place: Sequence[np.intp], array: NDArray[Any], columns: Sequence[Name] | None = None
) -> str:
    row = f"row {int(place[0])}"
    if array.ndim < 2 or array.shape[1] < 2:
        return row
    column = int(place[1])
    return f"{row}, column {column if columns is None else repr(columns[column])}"
