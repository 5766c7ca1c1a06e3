"""Conversion of inputs and targets to a network's format (dense, scaled, its dtype) and back."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from chainrule.checks import check_memory
from chainrule.engines.finite import all_finite
from chainrule.errors import InvalidArgumentError
from chainrule.estimators.array_types import Floats, Inputs
from chainrule.network.spec import NetworkSpec
from chainrule.tables.indicators import indicators

# The square of a smaller deviation loses precision or underflows to 0.
_SMALLEST_SQUARED = 1e-140

# Safety factor for float32: values stay below this fraction of the largest float32, and their
# spacing below this fraction of the standard deviation.
_MARGIN = 2.0**-10
_FLOAT32_MAX, _FLOAT32_TINY, _FLOAT32_EPS = (
    float(each) for each in (np.finfo("f4").max, np.finfo("f4").tiny, np.finfo("f4").eps)
)

# Number of rows of a sparse matrix that are converted to dense at a time.
_BLOCK_ROWS = 8192


class OutOfRangeError(InvalidArgumentError):
    """An input, a target or an output of a network is out of the range of the network's dtype."""


class Scale(NamedTuple):
    """The mean and standard deviation of each column, in float64."""

    mean: NDArray[np.float64]
    deviation: NDArray[np.float64]

    @classmethod
    def of(cls, columns: Floats, weights: Floats | None) -> "Scale":
        """Return the scale of (m, n) columns; a constant column is not rescaled.

        A weight of 2 has the effect of repeating the row.
        """
        table = columns.astype(np.float64, copy=False)
        with np.errstate(over="ignore", invalid="ignore"):  # checked below
            mean, deviation = _moments(table, weights)
        if not ((deviation > _SMALLEST_SQUARED) & (deviation < np.inf)).all():
            # Squares overflow or underflow, or a column is constant. Dividing by a power of two
            # first is exact, so all other results stay bit-identical.
            unit = power_of_two(np.abs(table).max(axis=0))
            mean, deviation = (unit * moment for moment in _moments(table / unit, weights))
        # A deviation up to this bound is the rounding error of a constant column.
        rounding = 1e-12 * np.maximum(np.abs(mean), np.finfo(np.float64).tiny)
        # Constant columns are divided by 1, or by the bound if that is larger.
        still = deviation <= rounding
        return cls(mean, np.where(still, np.maximum(1.0, rounding), deviation))

    def leaving(self, columns: Iterable[int]) -> "Scale":
        """Return the scale that leaves the given columns unchanged."""
        mean, deviation = self.mean.copy(), self.deviation.copy()
        for column in columns:
            mean[column], deviation[column] = 0.0, 1.0
        return Scale(mean, deviation)

    def shared(self) -> "Scale":
        """Return the scale that divides every column by the root mean square of the deviations."""
        unit = power_of_two(self.deviation.max())
        together = unit * np.sqrt(np.mean(np.square(self.deviation / unit)))
        return Scale(self.mean, np.full_like(self.deviation, together))

    def scaled(self, columns: Floats) -> Floats:
        """Return (columns − mean)/deviation."""
        with np.errstate(over="ignore"):  # checked below, or by callers that need finite values
            found = np.asarray((columns - self.mean) / self.deviation)
            if not _all_finite(found):
                # The difference of two finite numbers may overflow; that of their halves cannot.
                found = (columns / 2 - self.mean / 2) / self.deviation * 2
        return found

    def restored(self, columns: Floats) -> Floats:
        """Return columns · deviation + mean, in the dtype of `columns` if the result fits it.

        Results beyond the range of float64 are clipped to it.
        """
        with np.errstate(over="ignore"):  # checked below
            found = np.asarray(columns * self.deviation + self.mean)
            if columns.dtype == np.float32 and self._suits_float32():
                narrow = found.astype(np.float32)
                if _all_finite(narrow):
                    return narrow
            if not _all_finite(found):
                half = np.finfo(np.float64).max / 2
                found = 2 * np.clip(columns / 2 * self.deviation + self.mean / 2, -half, half)
        return found

    def column(self, place: int) -> "Scale":
        """Return the scale of one column."""
        return Scale(self.mean[place : place + 1], self.deviation[place : place + 1])

    def _suits_float32(self) -> bool:
        """Whether float32 has the range and the resolution for values at this scale."""
        top, bottom = _FLOAT32_MAX * _MARGIN, _FLOAT32_TINY / _FLOAT32_EPS
        return all(
            bottom < deviation < top
            and abs(mean) < top
            # The spacing of float32 near the mean is small compared to the deviation.
            and abs(mean) * _FLOAT32_EPS < deviation * _MARGIN
            for mean, deviation in zip(self.mean.tolist(), self.deviation.tolist(), strict=True)
        )


def dense(X: Inputs) -> Floats:
    """Return X as a dense C-ordered array of the same dtype."""
    if not isinstance(X, np.ndarray):
        check_memory(
            f"X: a dense table of shape {X.shape}, which a network works on,",
            X.shape[0] * X.shape[1] * X.dtype.itemsize,
            "Use partial_fit on parts of the rows, or fewer features",
        )
        X = X.toarray()
    return np.ascontiguousarray(X)


def blocks(X: Inputs) -> list[Inputs]:
    """Return X in blocks: one block, or blocks of rows of a large sparse matrix."""
    if isinstance(X, np.ndarray) or X.shape[0] <= _BLOCK_ROWS:
        return [X]
    rows = X.tocsr()
    return [rows[start : start + _BLOCK_ROWS] for start in range(0, X.shape[0], _BLOCK_ROWS)]


def scale_of_inputs(inputs: Floats, weights: Floats | None, codes: Iterable[int]) -> Scale:
    """Return the scale of inputs; category codes (for embeddings) and indicators stay unchanged."""
    # A row of weight 0 counts as absent.
    counted = inputs if weights is None or weights.all() else inputs[weights > 0]
    unchanged = {*codes, *np.flatnonzero(indicators(counted)).tolist()}
    return Scale.of(inputs, weights).leaving(unchanged)


def network_inputs(
    inputs: Floats, scale: Scale | None, spec: NetworkSpec, name: str = "X"
) -> Floats:
    """Return dense inputs, scaled and in the network's dtype.

    Raises
    ------
    OutOfRangeError
        If an input is out of the range of the network's dtype.
    InvalidArgumentError
        If a category code is unknown to the network.
    """
    if scale is None:
        features = within(inputs, spec.dtype, name, "standardize=True scales the inputs")
    else:
        remedy = "it is too far from the inputs of the training"
        features = within(scale.scaled(inputs), spec.dtype, name, remedy, inputs)
    spec.layers[0].check_inputs(features, name)
    return features


def within(
    values: Floats, dtype: str, name: str, remedy: str, given: Floats | None = None
) -> Floats:
    """Return finite values as a C-ordered array of a network's dtype.

    Raises
    ------
    OutOfRangeError
        If a value is out of the dtype's range; the message quotes its unscaled value in `given`.
    """
    if given is None and values.dtype == dtype and values.flags.c_contiguous:
        return values
    with np.errstate(over="ignore"):  # checked below
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


def check_outputs(outputs: Floats, X: Inputs) -> None:
    """Raise an error if a network's outputs for finite inputs are not finite.

    Raises
    ------
    OutOfRangeError
    """
    if not all_finite(outputs):
        row = int(np.argmin(np.isfinite(outputs).all(axis=1)))
        values = X[row] if isinstance(X, np.ndarray) else X[[row]].toarray()
        raise OutOfRangeError(
            f"X: expected inputs whose outputs are in the range of {outputs.dtype}; got row {row}, "
            f"whose inputs are up to {np.abs(values).max():g} in size. Bring the inputs to the "
            "scale of those that it was trained on"
        )


def _all_finite(array: Floats) -> bool:
    return all_finite(np.ascontiguousarray(array))


def _moments(
    table: Floats, weights: Floats | None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the mean and the standard deviation of each column."""
    mean = np.average(table, axis=0, weights=weights)
    variance = np.average((table - mean) ** 2, axis=0, weights=weights)
    return np.asarray(mean), np.sqrt(variance)


def power_of_two(numbers: Floats) -> NDArray[np.float64]:
    """Return for each number the next larger power of two; 1 for 0."""
    # Clipped to the exponents of normal float64 numbers.
    exponents = np.clip(np.frexp(numbers)[1], -1021, 1023)
    return np.where(numbers > 0, np.ldexp(1.0, exponents), 1.0)
