"""MLPRegressor."""

from collections.abc import Sequence
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import RegressorMixin
from sklearn.utils import column_or_1d
from sklearn.utils.metaestimators import available_if

from chainrule.errors import InvalidArgumentError
from chainrule.estimators.array_types import Floats, MatrixLike, Targets
from chainrule.estimators.base import BaseMLP, has_epochs, store
from chainrule.estimators.calibration import interval_of, quantile_of, value_scores
from chainrule.estimators.documentation import documented
from chainrule.estimators.given import values
from chainrule.estimators.parameter_types import (
    Activations,
    EarlyStopping,
    Embeddings,
    HiddenLayers,
    InitialWeights,
    LearningRateRule,
    OwnLoss,
    RandomState,
)
from chainrule.estimators.scaling import Scale
from chainrule.estimators.scoring import r_squared
from chainrule.estimators.validation import HeldOut
from chainrule.model.table_intervals import lowest_value
from chainrule.names import (
    DType,
    EngineText,
    InitializerName,
    Precision,
    RegressionLoss,
    SolverName,
)
from chainrule.settings.losses import (
    Output,
    is_in_target_units,
    lowest_target,
    regression_output,
)
from chainrule.training.events import Callback


class BaseRegressor(RegressorMixin, BaseMLP):
    """The regressors' part of the estimator interface, and their public methods."""

    _y_numeric = True
    _target_scale: Scale | None
    loss: Any

    def _given_targets(self, y: MatrixLike, name: str) -> Targets:
        return values(y, name)

    def _encoded(self, y: NDArray[Any], fresh: bool, incremental: bool, name: str = "y") -> Floats:
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        targets = y.reshape(len(y), -1)
        if not fresh and targets.shape[1] != self.n_outputs_:
            raise InvalidArgumentError(
                f"{name}: expected {self.n_outputs_} outputs as in the last call; "
                f"got {targets.shape[1]}"
            )
        lowest = lowest_target(self.loss)
        if (targets < lowest).any():
            row = int(targets.min(axis=1).argmin())
            raise InvalidArgumentError(
                f"{name}: loss={self.loss!r} expects values ≥ {lowest:g}; got {targets.min()} at "
                f"row {row}"
            )
        return targets

    def _output(self) -> Output:
        scale = self._target_scale
        return regression_output(vars(self), 1.0 if scale is None else float(scale.deviation[0]))

    def _score_of(self, outputs: Floats, held_out: HeldOut) -> float:
        # R² is the same in the target's units and in standard deviations.
        examples = held_out.examples
        return r_squared(examples.Y, outputs, examples.weights)

    def _scores_of(self, outputs: Floats, held_out: HeldOut) -> dict[Any, NDArray[np.float64]]:
        true = held_out.y.reshape(len(outputs), -1)
        return {None: value_scores(true, self._restored(outputs))}

    def _out_of_fold(self, outputs: Floats) -> NDArray[np.floating]:
        values = self._restored(outputs)
        return values[:, 0] if values.shape[1] == 1 else values

    def _measure_targets(self, targets: Floats, weights: Floats | None) -> None:
        # Counts are not rescaled: the Poisson deviance needs them in their fixed unit.
        scales = self.standardize_target and lowest_target(self.loss) == -np.inf
        scale = Scale.of(targets, weights) if scales else None
        if scale is not None and is_in_target_units(self.loss):
            # δ is the same for all targets, in their units, so all targets share one deviation.
            scale = scale.shared()
        self._target_scale = scale

    def _in_scale(self, targets: Floats) -> Floats:
        return targets if self._target_scale is None else self._target_scale.scaled(targets)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    @available_if(has_epochs)
    def partial_fit(
        self, X: MatrixLike, y: MatrixLike, sample_weight: ArrayLike | None = None
    ) -> Self:
        """Train for one epoch over the given data.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Inputs.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Values.
        sample_weight : array-like of shape (n_samples,), optional
            Non-negative.

        Returns
        -------
        self : object
        """
        return self._fit(X, y, sample_weight, incremental=True)

    def predict(self, X: MatrixLike) -> Floats:
        """Return the predicted values, in the target's own units.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)

        Returns
        -------
        y : array of shape (n_samples,) or (n_samples, n_outputs)
        """
        outputs = self._restored(self._outputs(X))
        return np.ravel(outputs) if self.n_outputs_ == 1 else outputs

    def predict_interval(self, X: MatrixLike, coverage: float = 0.9) -> Floats:
        """Return a prediction interval for each value, in the target's units.

        For a share `coverage` of new examples, the interval contains the true value, whatever the
        quality of the network: split-conformal prediction, CP1 to CP3, from the validation examples
        of the last `fit`. All intervals of an output have the same width.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
        coverage : float, default 0.9
            In (0, 1), for each output separately.

        Returns
        -------
        interval : array of float64, of shape (n_samples, 2), or (n_samples, n_outputs, 2)
            The lower and the upper end.

        Raises
        ------
        InvalidArgumentError
            If `coverage` is not in (0, 1), or the last `fit` had no or too few validation examples.
        """
        outputs = self._restored(self._outputs(X))
        # Counts, the only values with a lowest one, are not rescaled.
        lowest = lowest_value(self.network_.spec)
        return interval_of(outputs, quantile_of(self, coverage), lowest)

    def _restored(self, outputs: Floats) -> Floats:
        """Return the network's outputs in the target's units."""
        return outputs if self._target_scale is None else self._target_scale.restored(outputs)

    def score(self, X: MatrixLike, y: MatrixLike, sample_weight: ArrayLike | None = None) -> float:
        """Return R², the share of the variance that is explained, averaged over the outputs.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        sample_weight : array-like of shape (n_samples,), optional

        Returns
        -------
        score : float
        """
        return r_squared(values(y, "y"), self.predict(X), sample_weight)


@documented(
    examples="""
    >>> from chainrule import MLPRegressor
    >>> from sklearn.datasets import make_friedman1
    >>> X, y = make_friedman1(300, random_state=0)
    >>> model = MLPRegressor(standardize_target=True, solver="lbfgs", alpha=1.0, max_iter=1000)
    >>> model = model.set_params(random_state=0).fit(X, y)
    >>> model.predict(X[:2]).shape
    (2,)
    >>> model.score(X, y) > 0.9
    True
    """
)
class MLPRegressor(BaseRegressor):
    """A neural network regressor that replaces scikit-learn's class of the same name.

    It has every parameter of scikit-learn's class, with the same default and meaning; with the
    same `random_state`, the weights also equal scikit-learn's, up to rounding. Additional features
    are off by default.
    """

    def __init__(
        self,
        loss: RegressionLoss | OwnLoss = "squared_error",
        hidden_layer_sizes: HiddenLayers = (100,),
        activation: Activations = "relu",
        *,
        solver: SolverName = "adam",
        alpha: float = 0.0001,
        batch_size: int | Literal["auto"] = "auto",
        learning_rate: LearningRateRule = "constant",
        learning_rate_init: float = 0.001,
        power_t: float = 0.5,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: RandomState = None,
        tol: float = 1e-4,
        verbose: bool | int = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: EarlyStopping = False,
        validation_fraction: float = 0.1,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        n_iter_no_change: float = 10,
        max_fun: int = 15000,
        l1: float = 0.0,
        n_layers: int | None = None,
        n_units: int | None = None,
        init: InitializerName | None = None,
        initial_weights: InitialWeights = None,
        numeric_bins: int = 0,
        scale_layer: bool = False,
        width_scaling: bool = False,
        standardize: bool = False,
        standardize_target: bool = False,
        dtype: DType | None = None,
        callbacks: Sequence[Callback] | None = None,
        engine: EngineText = "auto",
        threads: int | None = None,
        dropout: float | Sequence[float] = 0.0,
        batch_norm: bool = False,
        huber_delta: float = 1.0,
        quantile: float = 0.5,
        max_grad_norm: float | None = None,
        weight_decay: float = 0.01,
        precision: Precision = "full",
        embeddings: Embeddings = None,
        ema_decay: float = 0.0,
        quality: Literal["standard", "best"] = "standard",
        time_limit: float | None = None,
    ) -> None:
        store(self, locals())
