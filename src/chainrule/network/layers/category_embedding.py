"""Category embeddings: inputs that are codes become rows of tables that are learned."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from chainrule.checks import MOST_UNITS, shown, whole_number
from chainrule.equations._array import Array, namespace
from chainrule.equations.embedding import lookup, lookup_gradient
from chainrule.errors import InvalidArgumentError
from chainrule.network.layers.base import Block, Layer, LayerPass, Shown, TrainingStep

_MOST_CODES = 2**24
"""Up to here, float32 holds every whole number."""

_LARGEST_DIMENSION = 2**16
"""More than any table needs; a file that asks for more is not one of ours."""

_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


class EmbeddedColumn(NamedTuple):
    """An input that is a code, and the size of its table."""

    column: int
    """Of X, counted from 0."""
    codes: int
    """Its codes are the whole numbers from 0 to ``codes − 1``."""
    dimension: int
    """How many numbers stand for each code."""


@dataclass(frozen=True)
class CategoryEmbedding(Layer):
    """The first layer of a network some of whose inputs are codes of categories.

    Each code is replaced by its row of a table, which is learned like all weights. The other inputs
    pass unchanged. A[1] has those first, in their order, and then the rows that were looked up, in
    the order of `columns`.

    Parameters
    ----------
    columns : list of (column, codes, dimension)
        Which columns of X are codes, counted from 0; how many codes each has, at most 2²⁴: whole
        numbers from 0 to ``codes − 1``, as floats among the other inputs; how many numbers are to
        stand for each code. A usual dimension is min(50, round(1.6 codes^0.56)).

    Raises
    ------
    InvalidArgumentError
        If `columns` is not such a list. A network refuses a column that it has not, this layer in
        any place but the first, and codes in X that are outside their table.

    Notes
    -----
    Tables are drawn by IN6 with the dimension as n_in, N/√dimension: a row's squared length is 1
    on average, as the square of one standardised input. They are a group of their own: penalties
    and decoupled decay leave them alone, which would shrink the rows of rare categories in every
    step although few steps have something to say on them.

    A category that training does not know needs a code too: give rare ones that code, so that
    its row is learned.

    Examples
    --------
    >>> import numpy as np, chainrule as cr
    >>> random = np.random.default_rng(0)
    >>> X = np.column_stack([random.standard_normal(200), random.integers(0, 4, 200)])
    >>> Y = X[:, 0] + np.array([1.0, -1.0, 2.0, 0.0])[X[:, 1].astype(int)]
    >>> layers = [2, cr.CategoryEmbedding([(1, 4, 2)]), cr.Dense(1, "identity")]
    >>> net = cr.Network(layers, cost="mse", seed=0)
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

    def __post_init__(self) -> None:
        object.__setattr__(self, "columns", _checked_columns(self.columns))

    def __repr__(self) -> str:
        return f"CategoryEmbedding({[tuple(column) for column in self.columns]!r})"

    @property
    def gradient_equations(self) -> tuple[Callable[..., Any], ...]:
        """EM2, for each table."""
        return (lookup_gradient,) * len(self.columns)

    def check_features(self, n_features: int) -> None:
        """Raise unless a network of that many inputs has all columns of codes."""
        for column, *_ in self.columns:
            if column >= n_features:
                raise InvalidArgumentError(
                    f"columns: expected columns of X from 0 to {n_features - 1}, since the network "
                    f"has {n_features} features; got {column} in {self!r}"
                )

    def check_inputs(self, X: NDArray[np.floating], name: str) -> None:
        """Raise unless the columns of codes hold whole numbers that their tables have a row for.

        Parameters
        ----------
        X : array (m, n[0])
        name : str
            What the user calls it.
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
        """Return which inputs pass unchanged."""
        looked_up = set(self.codes)
        return [index for index in range(n_in) if index not in looked_up]

    @property
    def codes(self) -> tuple[int, ...]:
        """The columns of X that are looked up."""
        return tuple(column for column, *_ in self.columns)

    def input_sources(self, n_features: int) -> NDArray[np.intp]:
        """Return the inputs that pass, and each column as often as its table has dimensions."""
        looked_up = [np.full(dimension, column) for column, _, dimension in self.columns]
        return np.concatenate([self.passed(n_features), *looked_up]).astype(np.intp)

    def input_names(self, names: Sequence[str]) -> list[str]:
        """Return the names of the inputs that pass, and those of the columns with a number."""
        looked_up = [
            f"{names[column]} {number}"
            for column, _, dimension in self.columns
            for number in range(1, dimension + 1)
        ]
        return [names[index] for index in self.passed(len(names))] + looked_up

    @property
    def settings(self) -> Mapping[str, Sequence[float]]:
        """The columns of X that are codes, in the order of the tables."""
        return {"columns": [float(column) for column, *_ in self.columns]}

    def output_units(self, n_in: int) -> int:
        """Return n[1]: the inputs that pass, and every table's dimension."""
        return n_in + sum(dimension - 1 for _, _, dimension in self.columns)

    def blocks(self, n_in: int, default_init: str) -> tuple[Block, ...]:
        """Return E of each column, codes × dimension."""
        return tuple(
            Block(f"E{_subscript(column)}", (codes, dimension), "embeddings", "lecun_normal")
            for column, codes, dimension in self.columns
        )

    def forward(
        self, theta: Sequence[Array], A_prev: Array, step: TrainingStep | None = None
    ) -> LayerPass:
        """EM1 of every table; `own` holds what was looked up."""
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
        """Raise: a code has no neighbours, so nothing can be below."""
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
        """EM1 of every table, and A[1], which has the other inputs above them."""
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
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise InvalidArgumentError(f"{expected}; got {shown(given)}")
    columns = []
    for entry in given:
        if isinstance(entry, str) or not isinstance(entry, Sequence) or len(entry) != 3:
            raise InvalidArgumentError(f"{expected}; got {shown(entry)} in it")
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
    if not columns:
        raise InvalidArgumentError(f"{expected}; got an empty one: leave the layer out")
    number, times = Counter(column.column for column in columns).most_common(1)[0]
    if times > 1:
        raise InvalidArgumentError(
            f"columns: expected each column once; got {number} {times} times"
        )
    return tuple(columns)


def _subscript(column: int) -> str:
    return str(column).translate(_SUBSCRIPTS)
