"""The layer kinds, and the table that maps names to them.

To add a layer kind, add its equations to `chainrule.equations`, its declaration here, its compiled
twin, and an entry in `LAYER_KINDS`. Other modules access layers only through the `Layer` interface
(`base.py`).
"""

from collections.abc import Mapping
from types import MappingProxyType

from chainrule.network.layers.base import Block, Draws, Layer, LayerPass, Shown, TrainingStep
from chainrule.network.layers.batch_ensemble import BatchEnsemble
from chainrule.network.layers.batch_norm import BatchNorm
from chainrule.network.layers.category_embedding import CategoryEmbedding, EmbeddedColumn
from chainrule.network.layers.dense import Dense
from chainrule.network.layers.dropout import Dropout
from chainrule.network.layers.grouped_dense import GroupedDense
from chainrule.network.layers.parametric_activation import ParametricActivation
from chainrule.network.layers.periodic_embedding import PeriodicEmbedding
from chainrule.network.layers.piecewise_linear import BinnedColumn, PiecewiseLinearEmbedding
from chainrule.network.layers.scale import Scale

LAYER_KINDS: Mapping[str, type[Layer]] = MappingProxyType(
    {
        kind.kind: kind
        for kind in (
            Dense,
            GroupedDense,
            BatchEnsemble,
            Dropout,
            BatchNorm,
            CategoryEmbedding,
            PeriodicEmbedding,
            PiecewiseLinearEmbedding,
            Scale,
            ParametricActivation,
        )
    }
)

__all__ = [
    "LAYER_KINDS",
    "BatchEnsemble",
    "BatchNorm",
    "BinnedColumn",
    "Block",
    "CategoryEmbedding",
    "Dense",
    "Draws",
    "Dropout",
    "EmbeddedColumn",
    "GroupedDense",
    "Layer",
    "LayerPass",
    "ParametricActivation",
    "PeriodicEmbedding",
    "PiecewiseLinearEmbedding",
    "Scale",
    "Shown",
    "TrainingStep",
]
