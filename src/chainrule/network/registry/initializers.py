"""The initialisers, one row each."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from chainrule.equations import initializers
from chainrule.equations._array import Array


class InitializerRow(NamedTuple):
    """W(draws, n_in, n_out) and the distribution of its draws."""

    function: Callable[[Array, int, int], Array]
    draws: str
    """"uniform" on [−1, 1) or "normal"."""


INITIALIZERS: Mapping[str, InitializerRow] = MappingProxyType(
    {
        "zeros": InitializerRow(initializers.zeros, "uniform"),
        "glorot_uniform": InitializerRow(initializers.glorot_uniform, "uniform"),
        "glorot_normal": InitializerRow(initializers.glorot_normal, "normal"),
        "he_uniform": InitializerRow(initializers.he_uniform, "uniform"),
        "he_normal": InitializerRow(initializers.he_normal, "normal"),
        "lecun_uniform": InitializerRow(initializers.lecun_uniform, "uniform"),
        "lecun_normal": InitializerRow(initializers.lecun_normal, "normal"),
        "nielsen": InitializerRow(initializers.nielsen, "normal"),
    }
)
