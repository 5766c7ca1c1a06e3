"""A network's parameters in scikit-learn's layout, and their random draws as in scikit-learn."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.equations.initializers import lecun_normal
from chainrule.errors import InvalidArgumentError
from chainrule.network.parameters import (
    group_views,
    initial_parameters,
    named_views,
    neutral_parameters,
)
from chainrule.network.spec import NetworkSpec

Floats = NDArray[np.floating]


class ParameterViews(list[Floats]):
    """A list of views into a network's parameters; setting an entry writes into the network."""

    def __setitem__(self, index: Any, value: Any) -> None:
        if isinstance(index, slice):
            for place, array in zip(range(*index.indices(len(self))), value, strict=True):
                self[place] = array
            return
        target = self[index]
        array = np.asarray(value)
        if array.shape != target.shape:
            raise InvalidArgumentError(
                f"coefs_ and intercepts_: expected an array of shape {target.shape}; "
                f"got {array.shape}"
            )
        if not target.flags.writeable:
            raise InvalidArgumentError(
                "coefs_ and intercepts_: the model's weights cannot be written to (they are "
                "memory-mapped, or shared with other processes); set the whole list, "
                "`model.coefs_ = …`, which takes a copy, or use `copy.deepcopy(model)`"
            )
        target[...] = array

    def __reduce__(self) -> tuple[Any, ...]:
        return list, (list(self),)


def coefficients(spec: NetworkSpec, parameters: Floats) -> ParameterViews:
    """Return the weights of each dense layer as (n[l−1], n[l]): transposed views."""
    return ParameterViews(W.T for W in named_views(spec, parameters, "W"))


def intercepts(spec: NetworkSpec, parameters: Floats) -> ParameterViews:
    """Return the biases of each dense layer as (n[l],): views."""
    return ParameterViews(b.reshape(-1) for b in named_views(spec, parameters, "b"))


def drawn_like_scikit_learn(
    spec: NetworkSpec, logistic: Sequence[bool], random: np.random.RandomState
) -> Floats:
    """Return initial parameters by the same random draws, in the same order, as scikit-learn.

    Weights and biases are uniform in ±√(6/(n_in + n_out)), or in ±√(2/(n_in + n_out)) if the
    hidden layers are logistic.

    Parameters
    ----------
    spec : NetworkSpec
    logistic : list of bool
        For each dense layer, whether the smaller bound applies.
    random : RandomState
    """
    vector = neutral_parameters(spec)
    W_and_b = zip(
        named_views(spec, vector, "W"), named_views(spec, vector, "b"), logistic, strict=True
    )
    for W, b, small in W_and_b:
        n_out, n_in = W.shape
        bound = np.sqrt((2.0 if small else 6.0) / (n_in + n_out))
        W[...] = random.uniform(-bound, bound, (n_in, n_out)).T
        b[...] = random.uniform(-bound, bound, n_out)[:, None]
    return vector


def first_parameters(
    spec: NetworkSpec,
    init: str | None,
    initial_weights: Any,
    name: str,
    logistic: Sequence[bool],
    random: np.random.RandomState,
) -> Floats:
    """Return the parameters that training starts from.

    `name` is the user's name for `initial_weights`, for the error message.

    Raises
    ------
    InvalidArgumentError
        If `initial_weights` do not fit the network.
    """
    if initial_weights is None and init is not None:
        return initial_parameters(spec, int(random.randint(2**31 - 1)))
    if initial_weights is not None:
        vector = _given(spec, initial_weights, name)
    else:
        vector = drawn_like_scikit_learn(spec, logistic, random)
    # scikit-learn has no embeddings; if initialised to zeros, all of their rows would be equal.
    for E in group_views(spec, vector, "embeddings"):
        codes, dimension = E.shape
        E[...] = lecun_normal(random.standard_normal(E.shape), dimension, codes)
    return vector


def _given(spec: NetworkSpec, initial_weights: Any, name: str) -> Floats:
    vector = neutral_parameters(spec)
    targets = coefficients(spec, vector), intercepts(spec, vector)
    shapes = [[array.shape for array in group] for group in targets]
    try:
        groups = [[np.asarray(array) for array in group] for group in initial_weights]
        fits = [[array.shape for array in group] for group in groups] == shapes
        fits = fits and all(_is_finite(array, spec.dtype) for group in groups for array in group)
    except (TypeError, ValueError):
        fits = False
    if not fits:
        raise InvalidArgumentError(
            f"{name}: expected (coefs, intercepts), two lists of arrays, finite in "
            f"{spec.dtype}, of shapes {shapes[0]} and {shapes[1]}; "
            f"got {_described(initial_weights)}"
        )
    for target, group in zip(targets, groups, strict=True):
        target[:] = group
    return vector


def _is_finite(array: NDArray[Any], dtype: str) -> bool:
    with np.errstate(over="ignore"):
        return array.dtype.kind in "fiub" and bool(np.isfinite(array.astype(dtype)).all())


def _described(value: Any) -> str:
    if isinstance(value, Iterable) and not isinstance(value, str):
        try:
            return str([[np.shape(array) for array in group] for group in value])
        except (TypeError, ValueError):
            pass
    return type(value).__name__
