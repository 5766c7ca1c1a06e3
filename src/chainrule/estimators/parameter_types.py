"""Types of the estimators' parameters, for signatures."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from chainrule.engines.schedule import Schedule
from chainrule.names import ActivationText, ScheduleName
from chainrule.network.cost import CustomCost

HiddenLayers: TypeAlias = int | Sequence[int] | NDArray[np.integer]
Activations: TypeAlias = ActivationText | Literal["logistic"] | Sequence[ActivationText]
LearningRateRule: TypeAlias = Literal["auto"] | ScheduleName | Schedule | Callable[[int], float]
RandomState: TypeAlias = int | np.random.RandomState | None
EarlyStopping: TypeAlias = bool | Literal["loss"] | str | Callable[[Any, Any, Any], float]
"""A str is the name of one of scikit-learn's scorers."""
OwnLoss: TypeAlias = CustomCost | tuple[Callable[[Any, Any], Any], Callable[[Any, Any], Any]]
ClassWeight: TypeAlias = (
    Literal["balanced"] | Mapping[Any, float] | Sequence[Mapping[Any, float]] | None
)
InitialWeights: TypeAlias = tuple[Sequence[ArrayLike], Sequence[ArrayLike]] | None
Embeddings: TypeAlias = Sequence[tuple[int, int, int]] | None
TargetKind: TypeAlias = Literal["class", "value"]
TargetKinds: TypeAlias = TargetKind | Sequence[TargetKind] | Mapping[Any, TargetKind] | None
