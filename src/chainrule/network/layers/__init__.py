"""The kinds of layer, and the table that names them.

To add one: its equations in `chainrule.equations`, its declaration here, its compiled twin, and a
line in `LAYER_KINDS`. Whatever asks a layer what it is asks `Layer` (`base.py`).
"""

from collections.abc import Mapping
from types import MappingProxyType

from chainrule.network.layers.base import Block, Layer, LayerPass, Shown, TrainingStep
from chainrule.network.layers.batch_norm import BatchNorm
from chainrule.network.layers.category_embedding import CategoryEmbedding, EmbeddedColumn
from chainrule.network.layers.dense import Dense
from chainrule.network.layers.dropout import Dropout
from chainrule.network.layers.parametric_activation import ParametricActivation
from chainrule.network.layers.scale import Scale

LAYER_KINDS: Mapping[str, type[Layer]] = MappingProxyType(
    {
        kind.kind: kind
        for kind in (Dense, Dropout, BatchNorm, CategoryEmbedding, Scale, ParametricActivation)
    }
)

__all__ = [
    "LAYER_KINDS",
    "BatchNorm",
    "Block",
    "CategoryEmbedding",
    "Dense",
    "Dropout",
    "EmbeddedColumn",
    "Layer",
    "LayerPass",
    "ParametricActivation",
    "Scale",
    "Shown",
    "TrainingStep",
]
