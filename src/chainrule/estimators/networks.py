"""NetworkClassifier and NetworkRegressor: MLPClassifier and MLPRegressor with good defaults.

`benchmarks/quality.py` measures the quality of the defaults; docs/quality.md has the results.
"""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from chainrule.engines.base import Penalties
from chainrule.estimators.array_types import Floats, Inputs
from chainrule.estimators.base import BaseMLP, store
from chainrule.estimators.classifier import BaseClassifier
from chainrule.estimators.documentation import documented
from chainrule.estimators.parameter_types import (
    Activations,
    ClassWeight,
    EarlyStopping,
    Embeddings,
    HiddenLayers,
    InitialWeights,
    LearningRateRule,
    OwnLoss,
    RandomState,
)
from chainrule.estimators.regressor import BaseRegressor
from chainrule.names import (
    ClassificationLoss,
    DType,
    EngineText,
    InitializerName,
    Precision,
    RegressionLoss,
    SolverName,
)
from chainrule.settings.defaults import (
    ENOUGH_TO_SET_ASIDE,
    default_batch_size,
    default_dtype,
)
from chainrule.training.events import Callback


class GoodDefaults(BaseMLP):
    """The defaults that depend on the data."""

    _expects_convergence = False
    _early_stopping_is_a_wish = False
    _adam_is_constant = False
    _prints_iterations = False
    _diagnoses = True
    _takes_tables = True

    def _auto_batch_size(self, n_examples: int) -> int:
        return default_batch_size(n_examples)

    def _penalties(self, total: float) -> Penalties:
        """Return the penalties: alpha is divided by the total weight, whatever the batch size."""
        return Penalties(float(self.l1) / total, self._strength(total) / total, per=total)

    def _auto_dtype(self, X: Inputs) -> DType:
        return default_dtype(X.shape[0])

    def _sets_aside(self, n_examples: int) -> bool:
        return n_examples >= ENOUGH_TO_SET_ASIDE


@documented(
    examples="""
    >>> from chainrule import NetworkClassifier
    >>> from sklearn.datasets import load_breast_cancer
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> model = NetworkClassifier(random_state=0).fit(X[::2], y[::2])
    >>> model.score(X[1::2], y[1::2]) > 0.93
    True
    """
)
class NetworkClassifier(GoodDefaults, BaseClassifier):
    """A neural network classifier with good defaults: nothing needs to be set, scaled or encoded.

    It accepts tables with text, categories, dates and missing values.

    It is `MLPClassifier` with different defaults. Inputs are standardised internally; a
    piecewise-linear embedding lets the network bend its answer along each number, and a scale layer
    learns the importance of each input. The batch size grows with the number of examples, and the
    learning rate falls along half a cosine. With 200 examples or more, training is in float32, and
    a stratified part of the examples is set aside as validation data: the weights of the epoch with
    the lowest validation loss are kept.
    """

    def _strata(self, targets: Floats) -> NDArray[Any] | None:
        if self._labels.kind == "multilabel":
            return None
        places = targets[:, 0] if targets.shape[1] == 1 else targets.argmax(axis=1)
        # A class with a single example cannot be in both parts of the split.
        _, counts = np.unique(places, return_counts=True)
        enough = self.validation_fraction * len(places) >= len(counts)
        return places if counts.min() > 1 and enough else None

    def __init__(
        self,
        hidden_layer_sizes: HiddenLayers = (128, 128, 128),
        activation: Activations = "silu",
        *,
        solver: SolverName = "adamw",
        alpha: float | Literal["auto"] = "auto",
        batch_size: int | Literal["auto"] = "auto",
        learning_rate: LearningRateRule = "auto",
        learning_rate_init: float = 0.0035,
        power_t: float = 0.5,
        max_iter: int | Literal["auto"] = "auto",
        shuffle: bool = True,
        random_state: RandomState = None,
        tol: float = 1e-4,
        verbose: bool | int = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: EarlyStopping = "loss",
        validation_fraction: float = 0.1,
        beta_1: float = 0.9,
        beta_2: float = 0.95,
        epsilon: float = 1e-8,
        n_iter_no_change: float | Literal["auto"] = "auto",
        max_fun: int = 15000,
        class_weight: ClassWeight = None,
        l1: float = 0.0,
        n_layers: int | None = None,
        n_units: int | None = None,
        init: InitializerName | None = "lecun_normal",
        initial_weights: InitialWeights = None,
        numeric_bins: int | Literal["auto"] = "auto",
        scale_layer: bool = True,
        width_scaling: bool = True,
        standardize: bool = True,
        dtype: DType | None = None,
        callbacks: Sequence[Callback] | None = None,
        engine: EngineText = "auto",
        threads: int | None = None,
        dropout: float | Sequence[float] = 0.0,
        batch_norm: bool = False,
        loss: ClassificationLoss | OwnLoss = "log_loss",
        focal_gamma: float = 2.0,
        label_smoothing: float | Literal["auto"] = "auto",
        max_grad_norm: float | None = None,
        weight_decay: float = 0.1,
        precision: Precision = "full",
        embeddings: Embeddings = None,
        ema_decay: float = 0.998,
        calibrate: str = "auto",
        quality: Literal["standard", "best"] = "standard",
        time_limit: float | None = None,
    ) -> None:
        store(self, locals())


@documented(
    examples="""
    >>> from chainrule import NetworkRegressor
    >>> from sklearn.datasets import load_diabetes
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = NetworkRegressor(random_state=0, alpha=10)   # few rows with much noise
    >>> model.fit(X[::2], y[::2]).score(X[1::2], y[1::2]) > 0.4
    True
    """
)
class NetworkRegressor(GoodDefaults, BaseRegressor):
    """A neural network regressor with good defaults: nothing needs to be set, scaled or encoded.

    It accepts tables with text, categories, dates and missing values.

    It is `MLPRegressor` with different defaults. Inputs and targets are standardised internally,
    and predictions are returned in the target's units; a piecewise-linear embedding lets the
    network bend its answer along each number, and a scale layer learns the importance of each
    input. The batch size grows with the number of examples, and the learning rate falls along half
    a cosine. With 200 examples or more, training is in float32, and a part of the examples is set
    aside as validation data: the weights of the epoch with the lowest validation loss are kept.
    """

    def __init__(
        self,
        loss: RegressionLoss | OwnLoss = "squared_error",
        hidden_layer_sizes: HiddenLayers = (128, 128, 128),
        activation: Activations = "silu",
        *,
        solver: SolverName = "adamw",
        alpha: float | Literal["auto"] = "auto",
        batch_size: int | Literal["auto"] = "auto",
        learning_rate: LearningRateRule = "auto",
        learning_rate_init: float = 0.006,
        power_t: float = 0.5,
        max_iter: int | Literal["auto"] = "auto",
        shuffle: bool = True,
        random_state: RandomState = None,
        tol: float = 1e-4,
        verbose: bool | int = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: EarlyStopping = "loss",
        validation_fraction: float = 0.1,
        beta_1: float = 0.9,
        beta_2: float = 0.95,
        epsilon: float = 1e-8,
        n_iter_no_change: float | Literal["auto"] = "auto",
        max_fun: int = 15000,
        l1: float = 0.0,
        n_layers: int | None = None,
        n_units: int | None = None,
        init: InitializerName | None = "lecun_normal",
        initial_weights: InitialWeights = None,
        numeric_bins: int | Literal["auto"] = "auto",
        scale_layer: bool = True,
        width_scaling: bool = True,
        standardize: bool = True,
        standardize_target: bool = True,
        dtype: DType | None = None,
        callbacks: Sequence[Callback] | None = None,
        engine: EngineText = "auto",
        threads: int | None = None,
        dropout: float | Sequence[float] = 0.0,
        batch_norm: bool = False,
        huber_delta: float = 1.0,
        quantile: float = 0.5,
        max_grad_norm: float | None = None,
        weight_decay: float = 0.1,
        precision: Precision = "full",
        embeddings: Embeddings = None,
        ema_decay: float = 0.998,
        quality: Literal["standard", "best"] = "standard",
        time_limit: float | None = None,
    ) -> None:
        store(self, locals())
