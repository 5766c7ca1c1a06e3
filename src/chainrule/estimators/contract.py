"""The estimator interface that the modules of `fit` use: parameters, attributes and hooks."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from chainrule.engines.base import Examples, Penalties
from chainrule.engines.optimizer import OptimizerState
from chainrule.engines.schedule import LearningRate
from chainrule.ensembles.summary import EnsembleSummary
from chainrule.estimators.array_types import Floats, Inputs, MatrixLike, Targets
from chainrule.estimators.attributes import FittedAttributes
from chainrule.estimators.given import labels
from chainrule.estimators.scaling import Scale
from chainrule.estimators.validation import HeldOut
from chainrule.model.background import Background
from chainrule.model.conformal import Conformal
from chainrule.names import DType
from chainrule.settings.defaults import default_epochs, default_l2
from chainrule.settings.losses import Output
from chainrule.tables.encoder import TableEncoder
from chainrule.training.diagnostics import Diagnosis
from chainrule.training.events import Callback
from chainrule.training.metrics import Metric


class Estimator(FittedAttributes):
    """The interface common to classifiers and regressors."""

    # Parameters.

    quality: str
    time_limit: float | None
    solver: str
    batch_size: int | str
    max_iter: int | Literal["auto"]
    shuffle: bool
    random_state: int | np.random.RandomState | None
    tol: float
    verbose: bool | int
    warm_start: bool
    early_stopping: bool | str | Callable[..., float]
    validation_fraction: float
    n_iter_no_change: float | Literal["auto"]
    learning_rate_init: float
    max_fun: int
    alpha: float | Literal["auto"]
    l1: float
    init: str | None
    numeric_bins: int | Literal["auto"]
    standardize: bool
    embeddings: Any
    dtype: DType | None
    callbacks: Sequence[Callback] | None
    engine: str
    threads: int | None
    precision: str
    max_grad_norm: float | None

    # Fitted attributes.

    seed_: int | None
    n_features_in_: int
    n_outputs_: int
    n_layers_: int
    out_activation_: str
    n_iter_: int
    t_: int
    loss_: float
    loss_curve_: list[float]
    validation_loss_curve_: list[float] | None
    validation_scores_: list[float] | None
    best_loss_: float | None
    best_validation_score_: float | None
    diagnostics_: list[Diagnosis]
    ensemble_: EnsembleSummary
    """With quality="best"."""
    out_of_fold_: NDArray[np.floating]
    """With quality="best": predictions of the training examples, by networks that did not learn
    from them; NaN for folds that a time limit left out."""
    _random_state: np.random.RandomState
    _input_scale: Scale | None
    _best_parameters: Floats
    _no_improvement_count: int
    _conformal: dict[Any, Conformal]
    """Scores of the validation examples of the last fit, by target; None for a single target."""
    _optimizer_state: OptimizerState | None
    _learning_rate: LearningRate

    encoder_: TableEncoder | None = None
    _background: Background
    """A summary of a table's training rows."""
    _target_name: str
    """The name of y, if the estimator was fitted to a table and y has one."""
    _column_means: NDArray[np.float64] | None = None
    """Means of the columns of a table of numbers, which stand in for later missing values."""

    # Class attributes that differ between the MLP… and the Network… estimators.

    _y_numeric = False
    """Whether targets are converted to numbers."""
    _expects_convergence = True
    """Whether reaching `max_iter` before convergence raises a warning."""
    _early_stopping_is_a_wish = True
    """Whether early stopping is on only if the user set it, so that `partial_fit` refuses it."""
    _measures_training = True
    """Whether metrics are also computed on the training data."""
    _adam_is_constant = True
    """Whether 'adam' ignores the `learning_rate` rule, as in scikit-learn."""
    _prints_iterations = True
    """Whether `verbose` prints scikit-learn's lines instead of this package's progress display."""
    _learns_classes = False
    """Whether targets may be classes."""
    _takes_tables = False
    """Whether tables with text, dates and missing values are encoded by a `TableEncoder`."""
    _diagnoses = False
    """Whether `fit` runs diagnostics during training: see `chainrule.training.checkups`."""

    def _forget_table(self) -> None:
        """Forget the table of an earlier fit."""
        for name in ("encoder_", "_column_means", "_target_name"):
            self.__dict__.pop(name, None)
        if self._takes_tables:  # otherwise, scikit-learn does so
            self.__dict__.pop("feature_names_in_", None)

    def _longest(self, n_examples: int) -> int:
        """Return the maximum number of epochs of a training on so many examples."""
        return default_epochs(n_examples) if self.max_iter == "auto" else int(self.max_iter)

    def _strength(self, weight: float) -> float:
        """Return the strength of the L2 penalty for examples of a total weight."""
        if self.alpha != "auto":
            return float(self.alpha)
        return default_l2(weight, self._learns_classes)

    def _auto_batch_size(self, n_examples: int) -> int:
        return min(200, n_examples)

    def _auto_dtype(self, X: Inputs) -> DType:
        return "float32" if X.dtype.name == "float32" else "float64"

    def _sets_aside(self, n_examples: int) -> bool:
        """Whether `n_examples` is large enough to set some aside for early stopping."""
        return True

    def _penalties(self, total: float) -> Penalties:
        """Return the penalties: as in scikit-learn, divided by a batch's sum of weights."""
        return Penalties(float(self.l1), self._strength(total), shared=True)

    def _longest_gradient(self) -> float:
        return float("inf") if self.max_grad_norm is None else float(self.max_grad_norm)

    # Hooks that classifiers and regressors implement differently.

    def _given_targets(self, y: MatrixLike, name: str) -> Targets:
        """Return y as an array without missing entries; `name` is the name of the argument."""
        return labels(y, name)

    def _encoded(self, y: NDArray[Any], fresh: bool, incremental: bool, name: str = "y") -> Floats:
        """Return y as targets, (m, outputs); if `fresh`, learn the classes or columns from y."""
        raise NotImplementedError

    def _output(self) -> Output:
        """Return the output activation and the cost."""
        raise NotImplementedError

    def _measure_targets(self, targets: Floats, weights: Floats | None) -> None:
        """Learn the scale to which targets are transformed for training."""

    def _in_scale(self, targets: Floats) -> Floats:
        """Return targets transformed to the scale of `_measure_targets`."""
        return targets

    def _softened(self, examples: Examples, weight: float) -> Examples:
        """Return examples with the targets of the loss, such as smoothed labels.

        `weight` is the total weight of the training examples.
        """
        return examples

    def _score_of(self, outputs: Floats, held_out: HeldOut) -> float:
        """Return the validation score of outputs, by the same metric as `score`."""
        raise NotImplementedError

    def _note_temperatures(self, temperatures: Sequence[float]) -> None:
        """Record the temperature of each head of the output layer."""

    def _scores_of(self, outputs: Floats, held_out: HeldOut) -> dict[Any, NDArray[np.float64]]:
        """Return the calibration scores of validation examples, by target."""
        return {}

    def _out_of_fold(self, outputs: Floats) -> NDArray[np.floating] | None:
        """Return what `out_of_fold_` holds for outputs; None if there is no such attribute."""
        return None

    def _classes_of(self, targets: Floats) -> NDArray[Any] | None:
        """Return the class of each example, which folds are balanced by; None for values."""
        return None

    def _strata(self, targets: Floats) -> NDArray[Any] | None:
        """Return the strata for a stratified validation split, or None."""
        return None

    def _stratum(self, value: float) -> object:
        """Return the user's label of a stratum."""
        return value

    def _with_class_weights(self, y: NDArray[Any], weights: Floats | None) -> Floats | None:
        return weights

    def _metrics(self) -> Mapping[str, Metric]:
        """Return the metrics computed after each epoch in addition to the loss, by name."""
        return {}

    def _note(self, metrics: Mapping[str, float], validation: Mapping[str, float]) -> None:
        """Record the metrics of an epoch."""

    def _noted(self) -> dict[str, NDArray[np.float64]]:
        """Return the metrics that `_note` recorded, for a checkpoint: arrays by name."""
        return {}

    def _note_again(self, memory: Mapping[str, Any]) -> None:
        """Restore the metrics that `_noted` returned."""
