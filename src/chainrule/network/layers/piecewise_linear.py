"""Piecewise-linear embeddings: numbers beside the parts of their bins that lie below them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from chainrule.arguments import hinting
from chainrule.checks import MOST_UNITS, finite_number, shown, whole_number
from chainrule.equations._array import Array, namespace
from chainrule.equations.piecewise import piecewise_linear, piecewise_linear_error
from chainrule.errors import InvalidArgumentError
from chainrule.network.layers.base import Layer, LayerPass, Shown, TrainingStep
from chainrule.network.layers.columns import check_each_once, entries_of
from chainrule.network.layers.operations import Binned

_LARGEST_EDGE, _LEAST_WIDTH = 1e29, 1e-30
"""Edges and widths that float32 represents, so that no bin divides by 0 or by infinity."""

# Of the values beside frequent ones; fewer say too little about a bin of their own.
_FEWEST_IN_BIN = 40


class BinnedColumn(NamedTuple):
    """A unit of the layer below, and the edges of its bins."""

    column: int
    """Index of the unit, counted from 0."""
    edges: tuple[float, ...]
    """t[0] < t[1] < …: one more than bins."""


@hinting
@dataclass(frozen=True)
class PiecewiseLinearEmbedding(Layer):
    """A layer that adds, to the units below, how far each of some units has come in its bins.

    A[l] contains the unchanged units first, and then PL1 of each bin, in the order of `columns`:
    0 below the bin, 1 above it, and a straight line inside. A dense layer above it can thus learn
    any function that is linear between the edges of a single input, which it otherwise has to
    assemble from many hidden units. It usually comes first, and its edges are quantiles of the
    training examples: see `of`. It has no parameters.

    Parameters
    ----------
    columns : list of (column, edges)
        One entry per encoded unit: its index, counted from 0, and at least two edges in increasing
        order, one more than bins.

    Raises
    ------
    InvalidArgumentError
        If `columns` is not such a list. A network raises it for an index outside the layer below.

    Notes
    -----
    Source: Gorishniy, Rubachev and Babenko 2022, "On Embeddings for Numerical Features in Tabular
    Deep Learning", NeurIPS, section 3.2.

    Examples
    --------
    >>> import numpy as np, chainrule as cr
    >>> X = np.linspace(-1, 1, 200)[:, None]
    >>> bins = cr.PiecewiseLinearEmbedding.of(X, 8)
    >>> net = cr.Network([1, bins, cr.Dense(1, "identity")], cost="mse", seed=0)
    >>> history = net.fit(X, np.sin(3 * X), optimizer=cr.Adam(0.05), epochs=100)
    >>> net.loss(X, np.sin(3 * X)) < 2e-3
    True
    """

    kind: ClassVar[str] = "piecewise_linear_embedding"
    error_equation: ClassVar[Callable[..., Any]] = staticmethod(piecewise_linear_error)

    columns: tuple[BinnedColumn, ...]

    if TYPE_CHECKING:  # any list of such pairs is taken

        def __init__(self, columns: Sequence[tuple[int, Sequence[float]]]) -> None: ...

    def __post_init__(self) -> None:
        object.__setattr__(self, "columns", _checked_columns(self.columns))

    @classmethod
    def of(
        cls, X: ArrayLike, bins: int = 16, columns: Iterable[int] | None = None
    ) -> "PiecewiseLinearEmbedding":
        """Return the layer whose edges are quantiles of examples: bins of equally many examples.

        Parameters
        ----------
        X : array-like of shape (m, n)
            Training examples, one per row, scaled as the network gets them.
        bins : int, default 16
            The largest number of bins per column. A column has fewer where values repeat.
        columns : iterable of int, optional
            The columns to encode; by default all. Those with fewer than three different quantiles
            are left out, since one bin only repeats the column.

        Raises
        ------
        InvalidArgumentError
            If X is not a table of finite numbers, or no column has three different quantiles.
        """
        bins = whole_number("bins", bins, 2, MOST_UNITS)
        table = np.asarray(X, np.float64)
        if table.ndim != 2 or not len(table) or not np.isfinite(table).all():
            raise InvalidArgumentError(
                "X: expected a table of finite numbers with a row for each example; got "
                f"{'an array of shape ' + str(table.shape) if table.ndim != 2 else 'NaN or ∞'}"
            )
        chosen = range(table.shape[1]) if columns is None else columns
        found = [(int(column), quantile_edges(table[:, column], bins)) for column in chosen]
        return cls([(column, edges) for column, edges in found if len(edges) > 2])

    def __repr__(self) -> str:
        return f"PiecewiseLinearEmbedding({[tuple(column) for column in self.columns]!r})"

    def to_dict(self) -> dict[str, Any]:
        """Return the declaration as JSON-ready values."""
        columns = [[column, list(edges)] for column, edges in self.columns]
        return {"kind": self.kind, "columns": columns}

    @property
    def bins(self) -> tuple[int, ...]:
        """The number of bins of each of `columns`."""
        return tuple(len(edges) - 1 for _, edges in self.columns)

    @property
    def kinks(self) -> tuple[tuple[int, float], ...]:
        """Each edge of the bins of a unit."""
        return tuple((column, edge) for column, edges in self.columns for edge in edges)

    def _of_each_bin(self) -> tuple[NDArray[np.intp], NDArray[np.float64], NDArray[np.float64]]:
        """Return the column, the lower edge and the width of each bin."""
        columns = [column for column, edges in self.columns for _ in edges[1:]]
        lower = [edge for _, edges in self.columns for edge in edges[:-1]]
        width = [high - low for _, edges in self.columns for low, high in pairwise(edges)]
        return np.array(columns, np.intp), np.array(lower), np.array(width)

    @property
    def settings(self) -> Mapping[str, Sequence[float]]:
        """The column, the lower edge and the width of each bin."""
        names = ("columns", "lower", "width")
        return {
            name: each.astype(np.float64).tolist()
            for name, each in zip(names, self._of_each_bin(), strict=True)
        }

    def check_features(self, n_features: int) -> None:
        """Raise unless all columns are units of the layer below."""
        for column, _ in self.columns:
            if column >= n_features:
                raise InvalidArgumentError(
                    f"columns: expected units of the layer below, from 0 to {n_features - 1}; got "
                    f"{column} in PiecewiseLinearEmbedding"
                )

    def output_units(self, n_in: int) -> int:
        """Return n[l]: the units below, and one for each bin."""
        return n_in + sum(self.bins)

    def input_sources(self, n_features: int) -> NDArray[np.intp]:
        """Return the inputs, then the column of each bin."""
        return np.concatenate([np.arange(n_features), self._of_each_bin()[0]]).astype(np.intp)

    def input_names(self, names: Sequence[str]) -> list[str]:
        """Return the names of the inputs, then numbered names of the columns with bins."""
        numbered = [
            f"{names[column]} bin {number}"
            for (column, _), bins in zip(self.columns, self.bins, strict=True)
            for number in range(1, bins + 1)
        ]
        return [*names, *numbered]

    def forward(
        self, theta: Sequence[Array], A_prev: Array, step: TrainingStep | None = None
    ) -> LayerPass:
        """PL1 below the unchanged units; `own` holds PL1 alone."""
        xp = namespace(A_prev)
        columns, lower, width = self._of_each_bin()
        X = xp.take(A_prev, xp.asarray(columns), axis=0)
        E = piecewise_linear(X, _column(lower, A_prev), _column(width, A_prev))
        A = xp.concat([A_prev, E], axis=0)
        return LayerPass(A, A, E)

    def error_below(
        self,
        theta: Sequence[Array],
        layer_pass: LayerPass,
        delta: Array,
        through: Callable[[Array], Array],
    ) -> Array:
        """PL1's derivative, summed over each unit's bins, and δ of the unchanged units."""
        xp = namespace(delta)
        columns, _, width = self._of_each_bin()
        n = delta.shape[0] - len(columns)
        terms = piecewise_linear_error(delta[n:, :], layer_pass.own, _column(width, delta))
        # belongs[i, k]: whether bin k is one of unit i.
        belongs = xp.asarray(np.arange(n)[:, None] == columns, dtype=delta.dtype)
        return through(delta[:n, :] + belongs @ terms)

    def shown(self, layer_pass: LayerPass) -> tuple[Shown, ...]:
        """PL1, and A[l], where the units below come first."""
        return (
            Shown("E", piecewise_linear, layer_pass.own),
            Shown("A", piecewise_linear, layer_pass.A),
        )

    @property
    def brief(self) -> str:
        """The number of bins, without their edges."""
        return f"PiecewiseLinearEmbedding({sum(self.bins)} bins of {len(self.columns)} units)"

    @property
    def detail(self) -> str:
        """The number of bins."""
        return f"{sum(self.bins)} bins"

    def operations(self, theta: Sequence[Array]) -> tuple[Binned, ...]:
        """Return the bins beside the unchanged units."""
        return (Binned(*self._of_each_bin()),)


def quantile_edges(
    values: NDArray[np.float64], bins: int, weights: NDArray[np.floating] | None = None
) -> tuple[float, ...]:
    """Return the different quantiles of values at equal steps, the extremes among them.

    A value that comes more often than there are values in a bin would be several quantiles, which
    are one edge: a column that is mostly 0 would be left with a single bin for all other values. So
    each such value is an edge, and the other edges are quantiles of the other values, as far as
    there are 40 of them for each bin. Edges closer than a millionth of the range are one, since
    float32 could not divide by their distance.

    Parameters
    ----------
    values : array (m,)
    bins : int
        The largest number of bins: one fewer than edges.
    weights : array (m,), optional
        Not negative, with a positive sum.
    """
    if weights is not None:
        values, weights = values[weights > 0], weights[weights > 0]
    values = np.clip(values, -_LARGEST_EDGE, _LARGEST_EDGE)
    distinct, places = np.unique(values, return_inverse=True)
    counts = np.bincount(places, weights)
    frequent = counts * bins > counts.sum()
    edges, rest = distinct[[0, -1]], np.ones(len(values), bool)
    if frequent.any():
        edges, rest = np.union1d(edges, distinct[frequent]), ~frequent[places]
        bins = min(bins - int(frequent.sum()), int(counts[~frequent].sum() / _FEWEST_IN_BIN))
    if bins > 0 and rest.any():
        # Quantiles that are values: between those of an indicator there is nothing to learn.
        steps = np.linspace(0.0, 1.0, bins + 1)
        of_rest = None if weights is None else weights[rest]
        others = np.quantile(values[rest], steps, method="inverted_cdf", weights=of_rest)
        edges = np.union1d(edges, others)
    apart = max(1e-6 * (edges[-1] - edges[0]), _LEAST_WIDTH)
    kept = [float(edges[0])]
    for edge in edges[1:]:
        if edge - kept[-1] > apart:
            kept.append(float(edge))
    return tuple(kept)


def _column(numbers: NDArray[np.float64], like: Array) -> Array:
    return namespace(like).asarray(numbers[:, None], dtype=like.dtype)


def _checked_columns(given: object) -> tuple[BinnedColumn, ...]:
    expected = "columns: expected a list of (column, edges), such as [(0, [-1.0, 0.0, 2.0])]"
    columns = []
    for entry in entries_of(given, 2, expected):
        column = whole_number("columns: column", entry[0], 0, MOST_UNITS)
        columns.append(BinnedColumn(column, _checked_edges(entry[1])))
    check_each_once(column.column for column in columns)
    return tuple(columns)


def _checked_edges(given: object) -> tuple[float, ...]:
    expected = (
        f"columns: edges: expected at least two numbers in increasing order, each at least "
        f"{_LEAST_WIDTH:g} above the one before"
    )
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise InvalidArgumentError(f"{expected}; got {shown(given)}")
    edges = tuple(finite_number("columns: edges", edge) for edge in given)
    if len(edges) < 2 or any(high - low < _LEAST_WIDTH for low, high in pairwise(edges)):
        raise InvalidArgumentError(f"{expected}; got {shown(list(edges))}")
    return edges
