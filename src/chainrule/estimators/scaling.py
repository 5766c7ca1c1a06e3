"""Numbers as a network takes them: dense, at its scale, in the range of its type; and back."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from chainrule.checks import check_memory
from chainrule.engines.finite import all_finite
from chainrule.errors import InvalidArgumentError
from chainrule.estimators.array_types import Floats, Inputs
from chainrule.network.spec import NetworkSpec

# A smaller deviation has a square with fewer digits than others, or none.
_SMALLEST_SQUARED = 1e-140

# Of a type's largest number, and of a deviation: how far values may reach, how coarse they may be.
_MARGIN = 2.0**-10
_FLOAT32_MAX, _FLOAT32_TINY, _FLOAT32_EPS = (
    float(each) for each in (np.finfo("f4").max, np.finfo("f4").tiny, np.finfo("f4").eps)
)

# Rows of a sparse matrix that are made dense at a time.
_BLOCK_ROWS = 8192


class OutOfRangeError(InvalidArgumentError):
    """A number, or what a network makes of it, is beyond the type that the network computes in."""


class Scale(NamedTuple):
    """The mean and standard deviation of each column, in float64."""

    mean: NDArray[np.float64]
    deviation: NDArray[np.float64]

    @classmethod
    def of(cls, columns: Floats, weights: Floats | None) -> "Scale":
        """Return the scale of (m, n) columns; a column that does not vary keeps its unit.

        With weights, weight 2 counts as the row twice.
        """
        table = columns.astype(np.float64, copy=False)
        with np.errstate(over="ignore", invalid="ignore"):  # seen below
            mean, deviation = _moments(table, weights)
        if not ((deviation > _SMALLEST_SQUARED) & (deviation < np.inf)).all():
            # Squares leave the range of floats, or a column does not vary. In units of a power of
            # two nothing else changes, not by a bit.
            unit = power_of_two(np.abs(table).max(axis=0))
            mean, deviation = (unit * moment for moment in _moments(table / unit, weights))
        # What rounding leaves of a constant is no variation.
        rounding = 1e-12 * np.maximum(np.abs(mean), np.finfo(np.float64).tiny)
        # Nor is it any in the unit of a constant beyond what float64 counts in ones.
        still = deviation <= rounding
        return cls(mean, np.where(still, np.maximum(1.0, rounding), deviation))

    def leaving(self, columns: Iterable[int]) -> "Scale":
        """Return the scale that leaves these columns as they are."""
        mean, deviation = self.mean.copy(), self.deviation.copy()
        for column in columns:
            mean[column], deviation[column] = 0.0, 1.0
        return Scale(mean, deviation)

    def shared(self) -> "Scale":
        """Return the scale that divides every column by the same: the root mean square."""
        unit = power_of_two(self.deviation.max())
        together = unit * np.sqrt(np.mean(np.square(self.deviation / unit)))
        return Scale(self.mean, np.full_like(self.deviation, together))

    def scaled(self, columns: Floats) -> Floats:
        """Return (columns − mean)/deviation."""
        with np.errstate(over="ignore"):  # seen below, or by whoever needs them finite
            found = np.asarray((columns - self.mean) / self.deviation)
            if not _all_finite(found):
                # The difference of two finite numbers may be none; halves of them have one.
                found = (columns / 2 - self.mean / 2) / self.deviation * 2
        return found

    def restored(self, columns: Floats) -> Floats:
        """Return columns · deviation + mean: of the type of `columns` where that can hold them.

        What is beyond float64 becomes the nearest number that is not.
        """
        with np.errstate(over="ignore"):  # seen below
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
        """Whether values at this scale lie in the range of float32, and it tells them apart."""
        top, bottom = _FLOAT32_MAX * _MARGIN, _FLOAT32_TINY / _FLOAT32_EPS
        return all(
            bottom < deviation < top
            and abs(mean) < top
            # Its steps beside the mean are small against a deviation.
            and abs(mean) * _FLOAT32_EPS < deviation * _MARGIN
            for mean, deviation in zip(self.mean.tolist(), self.deviation.tolist(), strict=True)
        )


def dense(X: Inputs) -> Floats:
    """Return X as a C-ordered array of its type."""
    if not isinstance(X, np.ndarray):
        check_memory(
            f"X: a dense table of shape {X.shape}, which a network works on,",
            X.shape[0] * X.shape[1] * X.dtype.itemsize,
            "Use partial_fit on parts of the rows, or fewer features",
        )
        X = X.toarray()
    return np.ascontiguousarray(X)


def blocks(X: Inputs) -> list[Inputs]:
    """Return X in parts: one, or those of a sparse matrix that fit into memory when dense."""
    if isinstance(X, np.ndarray) or X.shape[0] <= _BLOCK_ROWS:
        return [X]
    rows = X.tocsr()
    return [rows[start : start + _BLOCK_ROWS] for start in range(0, X.shape[0], _BLOCK_ROWS)]


def scale_of_inputs(inputs: Floats, weights: Floats | None, spec: NetworkSpec) -> Scale:
    """Return the scale of inputs; columns of codes, which a network looks up, stay as they are."""
    return Scale.of(inputs, weights).leaving(spec.layers[0].codes)


def network_inputs(
    inputs: Floats, scale: Scale | None, spec: NetworkSpec, name: str = "X"
) -> Floats:
    """Return dense inputs as a network takes them.

    Raises
    ------
    OutOfRangeError
        If one is beyond the network's type.
    InvalidArgumentError
        If a code is none of those that the network knows.
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


def check_outputs(outputs: Floats, X: Inputs) -> None:
    """Raise if what a network makes of finite inputs is not finite.

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
    """Return the powers of two beside numbers; 1 for 0."""
    # Within what float64 has, subnormal numbers left aside.
    exponents = np.clip(np.frexp(numbers)[1], -1021, 1023)
    return np.where(numbers > 0, np.ldexp(1.0, exponents), 1.0)
