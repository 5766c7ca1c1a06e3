"""The pandas, polars and Arrow tables that users pass, and which of them need an encoder."""

from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.errors import InvalidArgumentError, InvalidTableError
from chainrule.estimators.array_types import Floats
from chainrule.suggestions import did_you_mean
from chainrule.tables.encoder import TableEncoder
from chainrule.tables.frames import as_frame

if TYPE_CHECKING:
    import polars as pl


def is_table(X: Any) -> bool:
    """Whether X is a DataFrame of pandas or polars, or an Arrow table."""
    library = type(X).__module__.partition(".")[0]
    if library == "pandas":
        return hasattr(X, "columns") and hasattr(X, "dtypes")
    if library == "polars":
        return hasattr(X, "height")  # a LazyFrame has none before it is collected
    return library == "pyarrow" and hasattr(X, "column_names")


def needs_encoder(X: Any) -> bool:
    """Whether a table holds anything but numbers (true and false included), or missing values."""
    if hasattr(X, "iloc"):
        return any(_is_encoded(X.iloc[:, place]) for place in range(X.shape[1]))
    if not hasattr(X, "height"):
        X = as_frame(X)
    return not all(_is_plain(column) for column in X.iter_columns())


def _is_encoded(column: Any) -> bool:
    """Whether a column of pandas needs an encoder."""
    from pandas.api.types import is_bool_dtype, is_complex_dtype, is_numeric_dtype

    dtype = column.dtype
    if not (is_numeric_dtype(dtype) or is_bool_dtype(dtype)) or is_complex_dtype(dtype):
        return True
    return not (isinstance(dtype, np.dtype) and dtype.kind in "iub") and bool(column.isna().any())


def _is_plain(column: "pl.Series") -> bool:
    """Whether a column of polars holds numbers alone."""
    import polars as pl

    dtype = column.dtype
    if not (dtype == pl.Boolean or dtype.is_float() or dtype.is_integer()):
        return False
    return column.null_count() == 0 and not (dtype.is_float() and column.is_nan().any())


def feature_names(X: Any) -> list[str] | None:
    """Return the names of a table's columns, or None if they are not text."""
    names = list(X.column_names) if hasattr(X, "column_names") else list(X.columns)
    return names if all(isinstance(name, str) for name in names) else None


def frame_for(encoder: TableEncoder, X: Any, name: str) -> "pl.DataFrame":
    """Return the rows of a table, read in the notations of the training table.

    Columns that the encoder does not use are left out.

    Raises
    ------
    InvalidArgumentError
        If X is not a table.
    InvalidTableError
        If columns are missing, or their values are written differently than in training.
    """
    needed = [column.name for column in encoder.columns_]
    if not is_table(X):
        raise InvalidArgumentError(
            f"{name}: expected a table with the columns that the estimator was fitted to "
            f"({_listed(needed)}); got {type(X).__name__}. Convert it to a DataFrame "
            "(scikit-learn's permutation_importance converts every table to an array, except one "
            "of pandas: pass it X.to_pandas())"
        )
    if hasattr(X, "iloc"):
        X = X.loc[:, [str(column) in needed for column in X.columns]]
    found = list(map(str, feature_names(X) or X.columns))
    missing = [column for column in needed if column not in found]
    if missing:
        free = [column for column in found if column not in needed]
        raise InvalidTableError(
            f"{name}: the table lacks {_listed(missing)}, which the estimator was fitted to"
            + (did_you_mean(missing[0], free) or "; add these columns under the same names")
        )
    return encoder.reading.read(as_frame(X).select(needed))[0]


def filled(X: Any, means: Floats | None) -> Any:
    """Return a table of numbers with its missing values replaced by the means of the training.

    Anything else is returned unchanged.
    """
    if means is None or not is_table(X) or not needs_encoder(X):
        return X
    if hasattr(X, "iloc"):
        if X.shape[1] != len(means) or any(map(_is_no_number, X.dtypes)):
            return X
        return X.fillna(dict(zip(X.columns, means.tolist(), strict=True)))
    frame = as_frame(X)
    if frame.width != len(means) or not all(dtype.is_numeric() for dtype in frame.dtypes):
        return X
    return frame.with_columns(
        column.cast(float).fill_nan(None).fill_null(mean)
        for column, mean in zip(frame.iter_columns(), means.tolist(), strict=True)
    )


def _is_no_number(dtype: Any) -> bool:
    from pandas.api.types import is_numeric_dtype

    return not is_numeric_dtype(dtype)


def _listed(names: list[str]) -> str:
    some = ", ".join(repr(name) for name in names[:8])
    return f"{some} and {len(names) - 8} more" if len(names) > 8 else some
