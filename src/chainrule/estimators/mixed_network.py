"""NetworkMixed: one network that predicts several targets, classes and values."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import issparse
from sklearn.utils import ClassifierTags

from chainrule.engines.passes import as_columns
from chainrule.errors import InvalidArgumentError
from chainrule.estimators.array_types import Floats, MatrixLike, Targets
from chainrule.estimators.base import store
from chainrule.estimators.calibration import (
    class_scores,
    interval_of,
    quantile_of,
    set_of,
    value_scores,
)
from chainrule.estimators.documentation import documented
from chainrule.estimators.given import as_array, check_present
from chainrule.estimators.inputs import TRAINING
from chainrule.estimators.networks import GoodDefaults
from chainrule.estimators.parameter_types import (
    Activations,
    EarlyStopping,
    Embeddings,
    HiddenLayers,
    InitialWeights,
    LearningRateRule,
    RandomState,
    TargetKinds,
)
from chainrule.estimators.scaling import Scale
from chainrule.estimators.scoring import r_squared
from chainrule.estimators.targets import Target, each_column, plain, table_of, targets_of
from chainrule.estimators.validation import HeldOut
from chainrule.names import (
    ClassificationLoss,
    DType,
    EngineText,
    InitializerName,
    Precision,
    RegressionLoss,
    SolverName,
)
from chainrule.network.cost import Cost
from chainrule.network.heads import Head, Heads
from chainrule.settings.losses import Output, lowest_target
from chainrule.training.events import Callback
from chainrule.training.metrics import Metric


@documented(
    examples="""
    >>> import numpy as np
    >>> from chainrule import NetworkMixed
    >>> from sklearn.datasets import load_wine
    >>> X, kind = load_wine(return_X_y=True)
    >>> y = np.column_stack([kind, X[:, 0]])  # which wine it is, and how much alcohol it has
    >>> model = NetworkMixed(targets=["class", "value"], random_state=0).fit(X[:, 1:], y)
    >>> model.predict(X[:2, 1:]).shape
    (2, 2)
    >>> model.predict_proba(X[:2, 1:])[0].shape
    (2, 3)
    >>> model.score(X[:, 1:], y) > 0.75
    True
    """
)
class NetworkMixed(GoodDefaults):
    """A network with several targets, some classes and some values, with good defaults.

    Each target has its own head, HD1: units of the output layer with an activation, a cost and a
    weight; the hidden layers are shared by all targets. Inputs and values are standardised
    internally. With classes only, this is multiclass–multioutput classification.
    """

    _target_scale: Scale
    _names: list[Any]
    targets_: list[Target]
    temperature_: dict[Any, float]

    _learns_classes = True

    def __init__(
        self,
        targets: TargetKinds = None,
        hidden_layer_sizes: HiddenLayers = (128, 128, 128),
        activation: Activations = "silu",
        *,
        losses: Mapping[Any, ClassificationLoss | RegressionLoss] | None = None,
        target_weights: Mapping[Any, float] | None = None,
        solver: SolverName = "adamw",
        alpha: float | Literal["auto"] = "auto",
        batch_size: int | Literal["auto"] = "auto",
        learning_rate: LearningRateRule = "auto",
        learning_rate_init: float = 0.005,
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
        focal_gamma: float = 2.0,
        huber_delta: float = 1.0,
        quantile: float = 0.5,
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

    def _given_targets(self, y: MatrixLike, name: str) -> Targets:
        table, names = table_of(y, self.targets)
        if name == TRAINING.y:
            self._given_names = names
        array = as_array(table, name)
        if not issparse(array):
            check_present(array, name, self._given_names)
        return array

    def _encoded(self, y: NDArray[Any], fresh: bool, incremental: bool, name: str = "y") -> Floats:
        columns = y.reshape(len(y), -1)
        if fresh:
            names = self._given_names or list(range(columns.shape[1]))
            if len(names) != columns.shape[1]:
                raise InvalidArgumentError(
                    f"targets: expected as many as y has columns, {columns.shape[1]}; "
                    f"got {len(names)}"
                )
            self._flat = y.ndim == 1
            self.targets_ = targets_of(
                columns, names, self.targets, self.losses, self.target_weights
            )
        elif columns.shape[1] != len(self.targets_):
            raise InvalidArgumentError(
                f"{name}: expected {len(self.targets_)} columns as in the last call; "
                f"got {columns.shape[1]}"
            )
        return np.hstack(
            [
                t.encoded(column, name)
                for t, column in zip(self.targets_, each_column(columns), strict=True)
            ]
        )

    def _complete(self) -> None:
        super()._complete()
        self.target_names_ = [target.name for target in self.targets_]
        self.classes_ = {
            target.name: target.labels.classes
            for target in self.targets_
            if target.labels is not None
        }

    def _output(self) -> Output:
        deviations = self._target_scale.deviation
        outputs = [t.output(vars(self), float(deviations[t.units.start])) for t in self.targets_]
        activations = Heads(
            tuple(
                Head(t.width, output.activation)
                for t, output in zip(self.targets_, outputs, strict=True)
            )
        )
        costs = Heads(
            tuple(
                Head(t.width, output.cost, t.weight)
                for t, output in zip(self.targets_, outputs, strict=True)
            )
        )
        return Output("heads", str(activations), str(costs))

    def _measure_targets(self, targets: Floats, weights: Floats | None) -> None:
        scale = Scale.of(targets, weights)
        # Classes and counts are not rescaled: classes have no unit, and counts have a fixed one.
        kept = np.ones(targets.shape[1], bool)
        for target in self.targets_:
            kept[target.units] = target.keeps_unit or not self.standardize_target
        self._target_scale = Scale(
            np.where(kept, 0.0, scale.mean), np.where(kept, 1.0, scale.deviation)
        )
        self.target_loss_curves_: dict[Any, list[float]] = {}
        self.validation_target_loss_curves_: dict[Any, list[float]] = {}

    def _in_scale(self, targets: Floats) -> Floats:
        return self._target_scale.scaled(targets)

    def _metrics(self) -> Mapping[str, Metric]:
        return {
            f"loss of {target.name}": partial(_mean_cost, units=target.units, cost=head.cost)
            for target, head in zip(self.targets_, self.network_.spec.heads, strict=True)
            if head.cost is not None
        }

    def _note(self, metrics: Mapping[str, float], validation: Mapping[str, float]) -> None:
        for curves, seen in (
            (self.target_loss_curves_, metrics),
            (self.validation_target_loss_curves_, validation),
        ):
            for target in self.targets_:
                if f"loss of {target.name}" in seen:
                    curves.setdefault(target.name, []).append(seen[f"loss of {target.name}"])

    def _noted(self) -> dict[str, NDArray[np.float64]]:
        kept = super()._noted()
        for name in _CURVES:
            curves = getattr(self, name)
            if curves:
                kept[name] = np.array([curves[target.name] for target in self.targets_])
        return kept

    def _note_again(self, memory: Mapping[str, Any]) -> None:
        for name in _CURVES:
            if name in memory:
                curves = np.asarray(memory[name], np.float64)
                if curves.ndim != 2 or len(curves) != len(self.targets_):
                    raise ValueError(f"{name} has the shape {curves.shape}")
                names = [target.name for target in self.targets_]
                setattr(self, name, dict(zip(names, curves.tolist(), strict=True)))

    def _score_of(self, outputs: Floats, held_out: HeldOut) -> float:
        examples = held_out.examples
        truth = examples.targets(outputs.shape[1])
        scores = []
        for target in self.targets_:
            own, true = outputs[:, target.units], truth[:, target.units]
            if target.labels is None:
                scores.append(r_squared(true, own, examples.weights))
            else:
                right = target.labels.right(own, true)
                scores.append(np.average(right, weights=examples.weights))
        return float(np.mean(scores))

    def _note_temperatures(self, temperatures: Sequence[float]) -> None:
        self.temperature_ = {
            target.name: temperature
            for target, temperature in zip(self.targets_, temperatures, strict=True)
            if target.labels is not None
        }

    def _scores_of(self, outputs: Floats, held_out: HeldOut) -> dict[Any, NDArray[np.float64]]:
        true = held_out.examples.targets(outputs.shape[1])
        columns = each_column(held_out.y.reshape(len(outputs), -1))
        scores: dict[Any, NDArray[np.float64]] = {}
        for target, column in zip(self.targets_, columns, strict=True):
            units = target.units
            if target.labels is None:
                values = column.astype(np.float64)
                scores[target.name] = value_scores(values, self._values(outputs, target))
            else:
                scores |= class_scores(
                    target.labels, outputs[:, units], true[:, units], target.name
                )
        return scores

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.target_tags.multi_output = True
        tags.classifier_tags = ClassifierTags()
        return tags

    def predict(self, X: MatrixLike) -> NDArray[Any]:
        """Predict each target of each example: the most probable class, or the value in its units.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)

        Returns
        -------
        y : array of shape (n_samples, n_targets), or (n_samples,) if `fit` was given a 1-D y
            An object array if some classes are strings.
        """
        outputs = self._outputs(X)
        columns = [
            self._values(outputs, target)
            if target.labels is None
            else target.labels.decided(outputs[:, target.units])
            for target in self.targets_
        ]
        if self._flat:
            return columns[0]
        if all(column.dtype.kind in "fiub" for column in columns):
            return np.column_stack(columns)
        table = np.empty((len(outputs), len(columns)), object)
        for place, column in enumerate(columns):
            table[:, place] = column
        return table

    def _values(self, outputs: Floats, target: Target) -> Floats:
        scale = self._target_scale.column(target.units.start)
        return scale.restored(outputs[:, target.units])[:, 0]

    def predict_proba(self, X: MatrixLike) -> Any:
        """Return the class probabilities of each target, in the order of ``classes_``.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)

        Returns
        -------
        probabilities : dict of arrays of shape (n_samples, n_classes)
            Keyed by the names of the class targets; the array itself if `fit` was given a 1-D y.
        """
        outputs = self._outputs(X)
        probabilities = {}
        for target in self.targets_:
            if target.labels is None:
                continue
            probabilities[target.name] = target.labels.probabilities(outputs[:, target.units])
        return (
            probabilities[self.targets_[0].name] if self._flat and probabilities else probabilities
        )

    def predict_set(self, X: MatrixLike, coverage: float = 0.9) -> Any:
        """Return the classes of each class target that are likely enough, CP4 and CP5.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
        coverage : float, default 0.9
            In (0, 1), for each target separately.

        Returns
        -------
        members : dict of arrays of bool, of shape (n_samples, n_classes)
            Keyed by the names of the class targets, in the order of ``classes_``; the array itself
            if `fit` was given a 1-D y.

        Raises
        ------
        InvalidArgumentError
            As `NetworkClassifier.predict_set`.
        """
        outputs = self._outputs(X)
        found = {
            target.name: set_of(
                target.labels,
                outputs[:, target.units],
                quantile_of(self, coverage, target.name),
            )
            for target in self.targets_
            if target.labels is not None
        }
        return found[self.targets_[0].name] if self._flat and found else found

    def predict_interval(self, X: MatrixLike, coverage: float = 0.9) -> Any:
        """Return an interval for each value target, in its units, CP1 to CP3.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
        coverage : float, default 0.9
            In (0, 1), for each target separately.

        Returns
        -------
        intervals : dict of arrays of shape (n_samples, 2)
            Keyed by the names of the value targets; the array itself if `fit` was given a 1-D y.

        Raises
        ------
        InvalidArgumentError
            As `NetworkRegressor.predict_interval`.
        """
        outputs = self._outputs(X)
        found = {
            target.name: interval_of(
                self._values(outputs, target)[:, None],
                quantile_of(self, coverage, target.name),
                max(-np.inf, lowest_target(target.loss)),
            )
            for target in self.targets_
            if target.labels is None
        }
        return found[self.targets_[0].name] if self._flat and found else found

    def target_scores(
        self, X: MatrixLike, y: MatrixLike, sample_weight: ArrayLike | None = None
    ) -> dict[Any, float]:
        """Return the accuracy of each class target, and R² of each value target.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
        y : array-like of shape (n_samples, n_targets)
        sample_weight : array-like of shape (n_samples,), optional

        Returns
        -------
        scores : dict
            Keyed by the names of the targets.
        """
        outputs = self._outputs(X)
        y, _ = table_of(y, self.targets)
        y = as_array(y, "y")
        check_present(y, "y", self.target_names_)
        columns = y.reshape(len(y), -1)
        if columns.shape != (len(outputs), len(self.targets_)):
            raise InvalidArgumentError(
                f"y: expected shape {(len(outputs), len(self.targets_))}, a row for each of X and "
                f"a column for each target; got {y.shape}"
            )
        scores = {}
        for target, column in zip(self.targets_, each_column(columns), strict=True):
            if target.labels is None:
                predicted = self._values(outputs, target)
                score = r_squared(column.astype(float), predicted, sample_weight)
            else:
                right = target.labels.decided(outputs[:, target.units]) == plain(
                    column, target.name
                )
                weights = None if sample_weight is None else np.asarray(sample_weight)
                score = np.average(right, weights=weights)
            scores[target.name] = float(score)
        return scores

    def score(self, X: MatrixLike, y: MatrixLike, sample_weight: ArrayLike | None = None) -> float:
        """Return the unweighted mean of `target_scores` over the targets.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
        y : array-like of shape (n_samples, n_targets)
        sample_weight : array-like of shape (n_samples,), optional

        Returns
        -------
        score : float
        """
        return float(np.mean(list(self.target_scores(X, y, sample_weight).values())))


_CURVES = ("target_loss_curves_", "validation_target_loss_curves_")


def _mean_cost(outputs: Floats, targets: Floats, units: slice, cost: Cost) -> float:
    A, Y = as_columns(outputs[:, units]), as_columns(targets[:, units])
    C = cost.equations.function(A, Y)
    return float(np.mean(C, dtype=np.float64))
