"""Periodic embeddings: learned cosines of units, beside the units themselves."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from math import pi
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from chainrule.arguments import hinting
from chainrule.checks import MOST_UNITS, positive_number, shown, whole_number
from chainrule.equations._array import Array, namespace
from chainrule.equations.periodic import (
    frequency_gradient,
    mixing_gradient,
    periodic_error,
    periodic_values,
    phase_error,
    phase_gradient,
    phases,
    shift_gradient,
)
from chainrule.errors import InvalidArgumentError
from chainrule.network.layers.base import Block, Draws, Layer, LayerPass, Shown, TrainingStep
from chainrule.network.layers.columns import check_each_once
from chainrule.network.layers.operations import Periodic

_MOST_FREQUENCIES = 2**12
_LARGEST_SIZE = 2**12


@hinting
@dataclass(frozen=True)
class PeriodicEmbedding(Layer):
    """A periodic embedding of numbers, V cos(2π w x + c) + d beside each x.

    A[l] contains all of A[l−1] first, unchanged, and then ``size − 1`` values for each unit in
    `columns`: cosines of the unit, with learned frequencies w and phases c, mixed by a matrix V.
    The layer above can then learn functions that vary fast along one input. It usually comes first,
    or after a `CategoryEmbedding` or a `Scale`.

    Parameters
    ----------
    columns : sequence of int, optional
        Indices of the units to embed, counted from 0 and kept in ascending order; for a first
        layer, columns of X. By default all of them. Indicators, which have two values, gain nothing
        from it.
    frequencies : int, default 16
        Number of cosines of each unit, at most 4096.
    size : int, default 4
        Number of values that represent a unit, itself included; from 2 to 4096.
    scale : float, default 0.1
        Standard deviation of the initial frequencies, above 0. For standardised inputs, useful
        values are between 0.01 and 10: the larger, the rougher is what the network learns.
    learning_rate_factor : float, default 1.0
        Factor of the learning rate for all parameters of the layer, above 0.

    Raises
    ------
    InvalidArgumentError
        If an argument is invalid. A network raises it for an index that the layer below has not.

    Notes
    -----
    Initially w is drawn from N(0, scale²), c uniformly from [−π, π), and V and d uniformly from
    ±1/√frequencies. Penalties and decoupled weight decay apply to all four, as in the source,
    RealMLP (Holzmüller, Grinsztajn and Steinwart 2024), whose learning rate factor is 0.1.

    Examples
    --------
    >>> import numpy as np, chainrule as cr
    >>> X = np.linspace(-2, 2, 256)[:, None]
    >>> Y = np.sin(8 * X)
    >>> losses = []
    >>> for layers in ([cr.PeriodicEmbedding(scale=1.0)], []):
    ...     net = cr.Network([1, *layers, cr.Dense(32), cr.Dense(1, "identity")], "mse", seed=0)
    ...     history = net.fit(X, Y, epochs=100, optimizer=cr.Adam(0.01))
    ...     losses.append(net.loss(X, Y))
    >>> losses[0] < losses[1] / 10
    True
    """

    kind: ClassVar[str] = "periodic_embedding"
    error_equation: ClassVar[Callable[..., Any]] = staticmethod(periodic_error)
    gradient_equations: ClassVar[tuple[Callable[..., Any], ...]] = (
        frequency_gradient,
        phase_gradient,
        mixing_gradient,
        shift_gradient,
    )

    columns: tuple[int, ...] | None = None
    frequencies: int = 16
    size: int = 4
    scale: float = 0.1
    learning_rate_factor: float = 1.0

    if TYPE_CHECKING:  # any sequence of whole numbers is taken

        def __init__(
            self,
            columns: Sequence[int] | None = None,
            frequencies: int = 16,
            size: int = 4,
            scale: float = 0.1,
            learning_rate_factor: float = 1.0,
        ) -> None: ...

    def __post_init__(self) -> None:
        if self.columns is not None:
            object.__setattr__(self, "columns", _checked_columns(self.columns))
        for name, least, most in (
            ("frequencies", 1, _MOST_FREQUENCIES),
            ("size", 2, _LARGEST_SIZE),
        ):
            object.__setattr__(self, name, whole_number(name, getattr(self, name), least, most))
        for name in ("scale", "learning_rate_factor"):
            object.__setattr__(self, name, positive_number(name, getattr(self, name)))

    def __repr__(self) -> str:
        given = [] if self.columns is None else [f"{list(self.columns)}"]
        given += [
            f"{one.name}={getattr(self, one.name)!r}"
            for one in fields(self)
            if one.name != "columns" and getattr(self, one.name) != one.default
        ]
        return f"PeriodicEmbedding({', '.join(given)})"

    def check_features(self, n_features: int) -> None:
        """Raise unless all indices are below the number of units of the layer below."""
        for column in self.columns or ():
            if column >= n_features:
                raise InvalidArgumentError(
                    f"columns: expected indices from 0 to {n_features - 1}, since the layer has "
                    f"{n_features} inputs; got {column} in {self!r}"
                )
        if self.output_units(n_features) > MOST_UNITS:
            raise InvalidArgumentError(
                f"size: expected at most {MOST_UNITS} units of the layer in all; got "
                f"{self.output_units(n_features)} from {n_features} inputs and {self!r}"
            )

    def embedded(self, n_in: int) -> list[int]:
        """Return the indices of the embedded units."""
        return list(range(n_in) if self.columns is None else self.columns)

    def input_sources(self, n_features: int) -> NDArray[np.intp]:
        """Return all inputs, then each embedded one once per value."""
        embedded = np.repeat(self.embedded(n_features), self.size - 1)
        return np.concatenate([np.arange(n_features), embedded]).astype(np.intp)

    def input_names(self, names: Sequence[str]) -> list[str]:
        """Return the names of the inputs, then numbered names of the embedded ones."""
        return [
            *names,
            *(
                f"{names[column]} periodic {number}"
                for column in self.embedded(len(names))
                for number in range(1, self.size)
            ),
        ]

    @property
    def settings(self) -> Mapping[str, Sequence[float]]:
        """The indices of the embedded units; an empty list if these are all units."""
        return {"columns": [float(column) for column in self.columns or ()]}

    def output_units(self, n_in: int) -> int:
        """Return n[l]: all units below, and `size` − 1 for each embedded one."""
        k = n_in if self.columns is None else len(self.columns)
        return n_in + k * (self.size - 1)

    def blocks(self, n_in: int, default_init: str) -> tuple[Block, ...]:
        """Return w and c, k × F, V, k × sF, and d, k × s, for k embedded units."""
        k, F, s = len(self.embedded(n_in)), self.frequencies, self.size - 1
        mixing = Draws("uniform", F**-0.5)
        factor = self.learning_rate_factor
        return (
            Block("w", (k, F), "weights", Draws("normal", self.scale), factor),
            Block("c", (k, F), "weights", Draws("uniform", pi), factor),
            Block("V", (k, s * F), "weights", mixing, factor),
            Block("d", (k, s), "weights", mixing, factor),
        )

    def forward(
        self, theta: Sequence[Array], A_prev: Array, step: TrainingStep | None = None
    ) -> LayerPass:
        """PE1 and PE2; `own` holds ψ, and V, which the gradients need."""
        w, c, V, d = theta
        xp = namespace(A_prev)
        psi = phases(self._taken(A_prev, A_prev.shape[0]), w, c)
        e = periodic_values(psi, V, d)
        A = xp.concat([A_prev, xp.reshape(e, (-1, e.shape[2]))], axis=0)
        return LayerPass(A, A, (psi, V))

    def error_below(
        self,
        theta: Sequence[Array],
        layer_pass: LayerPass,
        delta: Array,
        through: Callable[[Array], Array],
    ) -> Array:
        """PE3 and PE4."""
        psi, V = layer_pass.own
        n_in = self._inputs(psi, delta)
        delta_psi = phase_error(self._of_values(delta, psi), psi, V)
        embedded = periodic_error(self._taken(delta, n_in), delta_psi, theta[0])
        if self.columns is None:
            return through(embedded)
        # Each unit's row is either among those of the embedded units or in δ[l] itself.
        xp = namespace(delta)
        rows = [len(self.columns) + unit for unit in range(n_in)]
        for row, column in enumerate(self.columns):
            rows[column] = row
        both = xp.concat([embedded, delta[:n_in, :]], axis=0)
        return through(xp.take(both, xp.asarray(rows, dtype=xp.int32), axis=0))

    def gradients(self, layer_pass: LayerPass, delta: Array, A_prev: Array) -> tuple[Array, ...]:
        """PE5 to PE8."""
        psi, V = layer_pass.own
        delta_e = self._of_values(delta, psi)
        delta_psi = phase_error(delta_e, psi, V)
        return (
            frequency_gradient(delta_psi, self._taken(A_prev, A_prev.shape[0])),
            phase_gradient(delta_psi),
            mixing_gradient(delta_e, psi),
            shift_gradient(delta_e),
        )

    def shown(self, layer_pass: LayerPass) -> tuple[Shown, ...]:
        """PE1 and PE2."""
        psi, _ = layer_pass.own
        flat = namespace(psi).reshape(psi, (-1, psi.shape[2]))
        return (Shown("ψ", phases, flat), Shown("A", periodic_values, layer_pass.A))

    @property
    def brief(self) -> str:
        """The number of frequencies, without the indices of the units."""
        units = "all units" if self.columns is None else f"{len(self.columns)} units"
        return f"PeriodicEmbedding({self.frequencies} frequencies of {units})"

    @property
    def detail(self) -> str:
        """The number of frequencies."""
        return f"of {self.frequencies} frequencies"

    def operations(self, theta: Sequence[Array]) -> tuple[Periodic, ...]:
        """Return the cosines, mixed."""
        w, c, V, d = theta
        columns = np.array(self.embedded(w.shape[0]), np.intp)
        return (Periodic(columns, w, c, V.reshape(*d.shape, -1), d),)

    def _taken(self, A: Array, n_in: int) -> Array:
        """Return the rows of the embedded units, (k, m)."""
        if self.columns is None:
            return A[:n_in, :]
        xp = namespace(A)
        return xp.take(A, xp.asarray(self.columns, dtype=xp.int32), axis=0)

    def _of_values(self, delta: Array, psi: Array) -> Array:
        """Return ∂C/∂e, (k, s, m)."""
        values = delta[self._inputs(psi, delta) :, :]
        return namespace(delta).reshape(values, (psi.shape[0], self.size - 1, -1))

    def _inputs(self, psi: Array, delta: Array) -> int:
        """Return n[l−1]."""
        return int(delta.shape[0]) - int(psi.shape[0]) * (self.size - 1)


def _checked_columns(given: object) -> tuple[int, ...]:
    expected = "columns: expected a list of indices of units, such as [0, 2], or None for all"
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise InvalidArgumentError(f"{expected}; got {shown(given)}")
    columns = sorted(whole_number("columns: index", column, 0, MOST_UNITS) for column in given)
    if not columns:
        raise InvalidArgumentError(f"{expected}; got an empty one: leave the layer out")
    check_each_once(columns, "index")
    return tuple(columns)
