"""The kinds of layer, and the table that names them.

To add one: its equations in `chainrule.equations`, its declaration here, its compiled twin, and a
line in `LAYER_KINDS`.
"""

from collections.abc import Mapping
from types import MappingProxyType

from chainrule.network.layers.base import Block, Layer, LayerPass
from chainrule.network.layers.dense import Dense

LAYER_KINDS: Mapping[str, type[Dense]] = MappingProxyType({Dense.kind: Dense})

__all__ = ["LAYER_KINDS", "Block", "Dense", "Layer", "LayerPass"]
