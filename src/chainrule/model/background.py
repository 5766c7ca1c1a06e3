"""The background of explanations: a summary of the training rows that contains no row."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from chainrule.engines.passes import as_columns
from chainrule.errors import InvalidModelFileError
from chainrule.inspection.output import behind_lookup
from chainrule.model.network import Network
from chainrule.network.parameters import views

KEY = "background"
"""What the names of the arrays in a model file start with."""

_MOST_ROWS = 8192
_MOST_POINTS = 64
_LEAST_ROWS = 10
# Of wide tables fewer points are kept, so that a model file stays small.
_MOST_NUMBERS = 1 << 17


@dataclass(frozen=True)
class Background:
    """Points that stand for the training rows, as inputs of the network after any embedding lookup.

    Parameters
    ----------
    inputs : array (k, inputs)
    counts : array (k,)
        The number of rows that each point is the mean of.
    """

    inputs: NDArray[np.float32]
    counts: NDArray[np.float64]

    @property
    def weights(self) -> NDArray[np.float64]:
        """The points' shares of the rows, (k,)."""
        return np.asarray(self.counts / self.counts.sum())

    @property
    def description(self) -> str:
        """The name of the points, to complete "on average over …"."""
        rows, points = int(self.counts.sum()), len(self.counts)
        if points == rows:
            return f"{rows:,} rows" if rows > 1 else "one row"
        groups = f"{points} groups of " if points > 1 else ""
        return f"{groups}training rows"

    @classmethod
    def of_rows(cls, network: Network, X: NDArray[np.floating]) -> Self:
        """Return rows as they are; X is (rows, n[0])."""
        inputs = _inputs(network, X)
        return cls(inputs, np.ones(len(inputs)))

    @classmethod
    def summary(cls, network: Network, X: NDArray[np.floating]) -> Self:
        """Return the means of groups of rows, so that no point is a row.

        The groups have at least 10 rows each (there is one group if there are fewer than 20 rows),
        and similar rows form a group: similar in Z of the network's first layer. The mean of the
        outputs is then close to the mean output of the rows. A group whose Z varies the most is
        divided where its most varying unit is at its mean. Of more than 8,192 rows, 8,192 evenly
        spaced rows are used.

        Parameters
        ----------
        network : Network
        X : array (rows, n[0])
        """
        rows = np.linspace(0, len(X) - 1, min(len(X), _MOST_ROWS)).astype(np.intp)
        inputs = _inputs(network, X[rows]).astype(np.float64)
        most = min(_MOST_POINTS, max(1, _MOST_NUMBERS // inputs.shape[1]))
        groups = _groups(_first_layer(network, inputs), most)
        means = np.stack([inputs[group].mean(axis=0) for group in groups])
        return cls(means.astype(np.float32), np.array([len(group) for group in groups], float))

    def to_file(self) -> dict[str, NDArray[Any]]:
        """Return the arrays for a model file."""
        return {f"{KEY}.inputs": self.inputs, f"{KEY}.counts": self.counts}

    @classmethod
    def from_file(
        cls, arrays: Mapping[str, NDArray[Any]], details: Mapping[str, Any], n_inputs: int
    ) -> Self | None:
        """Build the background that `to_file` wrote; None if there is none.

        Files of earlier versions have the mean training row among their details.

        Raises
        ------
        InvalidModelFileError
            If the arrays cannot be a background of a network with this number of inputs.
        """
        if f"{KEY}.inputs" not in arrays:
            mean = _finite_list(details.get("mean_input"), n_inputs)
            return None if mean is None else cls(mean[None, :], np.array([float(_LEAST_ROWS)]))
        inputs, counts = arrays[f"{KEY}.inputs"], arrays.get(f"{KEY}.counts", np.empty(0))
        fits = (
            inputs.dtype == np.float32
            and counts.dtype == np.float64
            and counts.ndim == 1
            and inputs.shape == (len(counts), n_inputs)
            and len(counts) > 0
        )
        if not fits or not np.isfinite(inputs).all() or not _are_counts(counts):
            raise InvalidModelFileError(
                f"its background cannot be used: expected finite numbers of float32, {n_inputs} a "
                "row, and the rows' counts in float64"
            )
        return cls(inputs, counts)


def _are_counts(counts: NDArray[np.float64]) -> bool:
    return bool(((counts >= 1) & (counts <= 2**53) & (counts == np.floor(counts))).all())


def _finite_list(mean: Any, n_inputs: int) -> NDArray[np.float32] | None:
    largest = float(np.finfo(np.float32).max)
    if not isinstance(mean, list) or len(mean) != n_inputs:
        return None
    # Compared before conversion: a Python int may be too large for a float.
    if not all(type(number) in (int, float) and abs(number) <= largest for number in mean):
        return None
    return np.array(mean, np.float32)


def _inputs(network: Network, X: NDArray[np.floating]) -> NDArray[np.float32]:
    # The mean of category codes is meaningless, so all this happens after the embedding lookup.
    return np.asarray(behind_lookup(network.spec, network.parameters, X)[2], np.float32)


def _first_layer(network: Network, inputs: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return Z of the layer that takes the inputs, (rows, units)."""
    spec, parameters, _ = behind_lookup(
        network.spec, network.parameters, np.zeros((1, network.spec.n_features), np.float32)
    )
    theta = views(spec, parameters)[0]
    # On one thread a product has the same bits on any machine with these instructions.
    with threadpool_limits(1):
        Z = (
            spec.layers[0]
            .forward([block.astype(np.float64) for block in theta], as_columns(inputs))
            .Z
        )
    return np.ascontiguousarray(as_columns(Z))


def _groups(Z: NDArray[np.float64], most: int) -> list[NDArray[np.intp]]:
    """Return the rows of each group; Z is (rows, units)."""
    groups = [np.arange(len(Z))]
    spreads = [_spread(Z)]
    while len(groups) < most:
        widths = [
            spread.sum() if len(group) >= 2 * _LEAST_ROWS else -1.0
            for group, spread in zip(groups, spreads, strict=True)
        ]
        widest = int(np.argmax(widths))
        if not widths[widest] > 0:
            break
        group = groups[widest]
        values = Z[group, int(spreads[widest].argmax())]
        order = np.argsort(values, kind="stable")
        below = int((values <= values.mean()).sum())
        below = min(max(below, _LEAST_ROWS), len(group) - _LEAST_ROWS)
        parts = [np.sort(group[order[:below]]), np.sort(group[order[below:]])]
        groups[widest], spreads[widest] = parts[0], _spread(Z[parts[0]])
        groups.append(parts[1])
        spreads.append(_spread(Z[parts[1]]))
    return groups


def _spread(Z: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the sum of squared deviations of each unit, (units,)."""
    deviations = Z - Z.mean(axis=0)
    return np.asarray((deviations * deviations).sum(axis=0))
