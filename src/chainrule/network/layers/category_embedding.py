"""Category embeddings: each category code is replaced by a row of a learned table."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from chainrule.arguments import hinting
from chainrule.checks import MOST_UNITS, shown, whole_number
from chainrule.equations._array import Array, namespace
from chainrule.equations.embedding import lookup, lookup_gradient
from chainrule.errors import InvalidArgumentError
from chainrule.network.layers.base import Block, Layer, LayerPass, Shown, TrainingStep
from chainrule.network.layers.columns import check_each_once, entries_of

_MOST_CODES = 2**24
"""float32 represents every whole number up to this one exactly."""

_LARGEST_DIMENSION = 2**16
"""Upper bound on a table's dimension, to reject corrupt or malicious files."""

_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


class EmbeddedColumn(NamedTuple):
    """An input column of category codes, and the size of its table."""

    column: int
    """Index of the column of X, counted from 0."""
    codes: int
    """Number of codes, which are the whole numbers from 0 to ``codes − 1``."""
    dimension: int
    """Length of each row of the table."""


@hinting
@dataclass(frozen=True)
class CategoryEmbedding(Layer):
    """The first layer of a network with category codes among its inputs.

    Each code is replaced by its row of a learned table. The other inputs pass unchanged. A[1]
    contains the unchanged inputs first, in their original order, and then the looked-up rows, in
    the order of `columns`.

    Parameters
    ----------
    columns : list of (column, codes, dimension)
        One entry per column of codes: the column's index in X, counted from 0; the number of
        codes, at most 2²⁴; and the length of a table row. Codes are whole numbers from 0 to
        ``codes − 1``, stored as floats in X. A common choice for the dimension is
        min(50, round(1.6 codes^0.56)).

    Raises
    ------
    InvalidArgumentError
        If `columns` is not such a list. A network raises it for a column index outside X, for this
        layer in any position but the first, and for codes in X outside their table.

    Notes
    -----
    Tables are initialised by IN6 with the dimension as n_in, N/√dimension: a row's squared length
    is 1 on average, like the square of one standardised input. Penalties and decoupled weight decay
    do not apply to tables: they would shrink the rows of rare categories in every step, although
    few steps contain examples of those categories.

    Reserve a code for categories that do not occur in training. Assign rare categories to the same
    code, so that its row is learned.

    Examples
    --------
    >>> import numpy as np, chainrule as cr
    >>> random = np.random.default_rng(0)
    >>> X = np.column_stack([random.standard_normal(200), random.integers(0, 4, 200)])
    >>> Y = X[:, 0] + np.array([1.0, -1.0, 2.0, 0.0])[X[:, 1].astype(int)]
    >>> net = cr.Network([2, cr.CategoryEmbedding([(1, 4, 2)]), cr.Dense(1, "identity")],
    ...                  cost="mse", seed=0)
    >>> history = net.fit(X, Y, optimizer=cr.Adam(0.05), epochs=100)
    >>> net.loss(X, Y) < 1e-3
    True
    >>> net.embeddings[0].shape
    (4, 2)
    """

    kind: ClassVar[str] = "category_embedding"
    first_because: ClassVar[str] = "reads codes among the inputs"
    error_equation: ClassVar[Callable[..., Any]] = staticmethod(lookup_gradient)

    columns: tuple[EmbeddedColumn, ...]

    if TYPE_CHECKING:  # any list of such tuples is taken

        def __init__(self, columns: Sequence[tuple[int, int, int]]) -> None: ...

    def __post_init__(self) -> None:
        object.__setattr__(self, "columns", _checked_columns(self.columns))

    def __repr__(self) -> str:
        return f"CategoryEmbedding({[tuple(column) for column in self.columns]!r})"

    @property
    def gradient_equations(self) -> tuple[Callable[..., Any], ...]:
        """EM2, once for each table."""
        return (lookup_gradient,) * len(self.columns)

    def check_features(self, n_features: int) -> None:
        """Raise unless all column indices are below the number of inputs."""
        for column, *_ in self.columns:
            if column >= n_features:
                raise InvalidArgumentError(
                    f"columns: expected columns of X from 0 to {n_features - 1}, since the network "
                    f"has {n_features} features; got {column} in {self!r}"
                )

    def check_inputs(self, X: NDArray[np.floating], name: str) -> None:
        """Raise unless every code in X is a whole number within its table.

        Parameters
        ----------
        X : array (m, n[0])
        name : str
            The user's argument name, for error messages.
        """
        for column, codes, _ in self.columns:
            values = X[:, column]
            fits = (values >= 0) & (values < codes) & (values == np.trunc(values))
            if not fits.all():
                row = int(np.argmin(fits))
                raise InvalidArgumentError(
                    f"{name}: column {column} holds codes, whole numbers from 0 to {codes - 1}; "
                    f"got {values[row].item()!r} at row {row} ({int((~fits).sum())} such values in "
                    "all); a category that is not among the codes takes the code of rare ones"
                )

    def passed(self, n_in: int) -> list[int]:
        """Return the indices of the inputs that pass unchanged."""
        looked_up = set(self.codes)
        return [index for index in range(n_in) if index not in looked_up]

    @property
    def codes(self) -> tuple[int, ...]:
        """The indices of the columns of X that are category codes."""
        return tuple(column for column, *_ in self.columns)

    def input_sources(self, n_features: int) -> NDArray[np.intp]:
        """Return the unchanged inputs, then each code column once per dimension of its table."""
        looked_up = [np.full(dimension, column) for column, _, dimension in self.columns]
        return np.concatenate([self.passed(n_features), *looked_up]).astype(np.intp)

    def input_names(self, names: Sequence[str]) -> list[str]:
        """Return the names of the unchanged inputs, then numbered names of the code columns."""
        looked_up = [
            f"{names[column]} {number}"
            for column, _, dimension in self.columns
            for number in range(1, dimension + 1)
        ]
        return [names[index] for index in self.passed(len(names))] + looked_up

    @property
    def settings(self) -> Mapping[str, Sequence[float]]:
        """The indices of the code columns of X, in table order."""
        return {"columns": [float(column) for column, *_ in self.columns]}

    def output_units(self, n_in: int) -> int:
        """Return n[1]: the number of unchanged inputs plus the dimensions of all tables."""
        return n_in + sum(dimension - 1 for _, _, dimension in self.columns)

    def blocks(self, n_in: int, default_init: str) -> tuple[Block, ...]:
        """Return the table E of each code column, codes × dimension."""
        return tuple(
            Block(f"E{_subscript(column)}", (codes, dimension), "embeddings", "lecun_normal")
            for column, codes, dimension in self.columns
        )

    def forward(
        self, theta: Sequence[Array], A_prev: Array, step: TrainingStep | None = None
    ) -> LayerPass:
        """EM1 for every table; `own` holds the looked-up rows."""
        xp = namespace(A_prev)
        passed = xp.asarray(self.passed(A_prev.shape[0]), dtype=xp.int32)
        looked_up = [
            lookup(E, A_prev[column, :])
            for E, (column, *_) in zip(theta, self.columns, strict=True)
        ]
        A = xp.concat([xp.take(A_prev, passed, axis=0), *looked_up], axis=0)
        return LayerPass(A, A, looked_up)

    def error_below(
        self,
        theta: Sequence[Array],
        layer_pass: LayerPass,
        delta: Array,
        through: Callable[[Array], Array],
    ) -> Array:
        """Raise: codes have no derivative, so no layer can be below this one."""
        raise AssertionError("a category embedding is a network's first layer")

    def gradients(self, layer_pass: LayerPass, delta: Array, A_prev: Array) -> tuple[Array, ...]:
        """EM2 for every table."""
        result = []
        at = A_prev.shape[0] - len(self.columns)
        for column, codes, dimension in self.columns:
            own = delta[at : at + dimension, :]
            result.append(lookup_gradient(own, A_prev[column, :], codes))
            at += dimension
        return tuple(result)

    def shown(self, layer_pass: LayerPass) -> tuple[Shown, ...]:
        """EM1 for every table, and A[1], where the other inputs come first."""
        looked_up = (
            Shown(f"e{_subscript(column)}", lookup, value)
            for (column, *_), value in zip(self.columns, layer_pass.own, strict=True)
        )
        return (*looked_up, Shown("A", lookup, layer_pass.A))

    def to_dict(self) -> dict[str, Any]:
        """Return the declaration as JSON-ready values."""
        return {"kind": self.kind, "columns": [list(column) for column in self.columns]}


def _checked_columns(given: object) -> tuple[EmbeddedColumn, ...]:
    expected = "columns: expected a list of (column, codes, dimension), such as [(2, 12, 5)]"
    columns = []
    for entry in entries_of(given, 3, expected):
        column = whole_number("columns: column", entry[0], 0, MOST_UNITS)
        codes = whole_number("columns: codes", entry[1], 1)
        if codes > _MOST_CODES:
            raise InvalidArgumentError(
                f"columns: codes: expected at most {_MOST_CODES}, since codes are floats and "
                f"float32 has no more whole numbers; got {shown(codes)}: let rare categories have "
                "one code together"
            )
        dimension = whole_number("columns: dimension", entry[2], 1, _LARGEST_DIMENSION)
        columns.append(EmbeddedColumn(column, codes, dimension))
    check_each_once(column.column for column in columns)
    return tuple(columns)


def _subscript(column: int) -> str:
    return str(column).translate(_SUBSCRIPTS)
