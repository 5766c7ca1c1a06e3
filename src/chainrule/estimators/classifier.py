"""MLPClassifier."""

from collections.abc import Sequence
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import ClassifierMixin
from sklearn.utils import column_or_1d
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import unique_labels

from chainrule.checks import shortened, shown
from chainrule.engines.base import Examples
from chainrule.errors import InvalidArgumentError
from chainrule.estimators.array_types import Floats, MatrixLike
from chainrule.estimators.base import (
    BaseMLP,
    has_epochs,
    store,
)
from chainrule.estimators.calibration import class_scores, quantile_of, set_of
from chainrule.estimators.class_weight import with_class_weights
from chainrule.estimators.documentation import documented
from chainrule.estimators.given import labels
from chainrule.estimators.labels import Labels
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
from chainrule.estimators.validation import HeldOut
from chainrule.names import (
    ClassificationLoss,
    DType,
    EngineText,
    InitializerName,
    Precision,
    SolverName,
)
from chainrule.settings.defaults import default_label_smoothing
from chainrule.settings.losses import Output, classification_output
from chainrule.training.events import Callback
from chainrule.training.examples import smoothed


class BaseClassifier(ClassifierMixin, BaseMLP):
    """The classifiers' part of the estimator interface, and their public methods."""

    _learns_classes = True
    _labels: Labels
    class_weight: Any
    label_smoothing: float | Literal["auto"]
    calibrate: str
    temperature_: float

    def _encoded(self, y: NDArray[Any], fresh: bool, incremental: bool, name: str = "y") -> Floats:
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        known = "_labels" in vars(self) and hasattr(self, "classes_")
        if not known or (fresh and not incremental):
            self._labels = Labels.of(y)
            self.classes_ = self._labels.classes
        elif self._labels.kind == "multilabel":
            n = len(self.classes_)
            if y.shape[1:] != (n,):
                raise InvalidArgumentError(
                    f"{name}: expected {n} outputs as in y, a column for each label; "
                    f"got an array of shape {y.shape}"
                )
        elif y.ndim > 1:
            raise InvalidArgumentError(
                f"{name}: expected one class for each example, as it was fitted to; got an array "
                f"of shape {y.shape}"
            )
        else:
            self._check_classes(y, incremental, name)
        return self._labels.targets(y, "float64")

    def _check_classes(self, y: NDArray[Any], incremental: bool, name: str) -> None:
        classes = unique_labels(y)
        if self.warm_start and not incremental and set(classes) != set(self.classes_):
            raise InvalidArgumentError(
                "warm_start can only be used where `y` has the same classes as in the previous "
                f"call to fit. Previously got {_listed(self.classes_)}, `y` has {_listed(classes)}"
            )
        unknown = self._labels.missing(y)
        if len(unknown):
            raise InvalidArgumentError(
                "`y` has classes not in `self.classes_`. "
                f"`self.classes_` has {_listed(self.classes_)}. {name!r} has {_listed(unknown)} "
                f"too, first at row {int(np.argmax(np.isin(y, unknown[:1])))}"
            )

    def _complete(self) -> None:
        super()._complete()
        self.classes_ = self._labels.classes

    def _output(self) -> Output:
        return classification_output(vars(self), self._labels.kind == "multiclass")

    def _smoothing(self, weight: float) -> float:
        """Return the share of each target that is spread over all classes."""
        if self.label_smoothing != "auto":
            return float(self.label_smoothing)
        suits = self.loss == "log_loss" and self._labels.kind != "multilabel"
        return default_label_smoothing(weight) if suits else 0.0

    def _softened(self, examples: Examples, weight: float) -> Examples:
        share = self._smoothing(weight)
        if share == 0:
            return examples
        spec = self.network_.spec
        Y = smoothed(spec, examples.targets(spec.n_outputs), share)
        return examples._replace(Y=Y.astype(spec.dtype, copy=False))

    def _strata(self, targets: Floats) -> NDArray[Any] | None:
        # scikit-learn's condition, so that the split is the same as its own.
        return targets if targets.shape[1] == 1 else None

    def _stratum(self, value: float) -> object:
        return self.classes_[[int(value)]].tolist()[0]

    def _score_of(self, outputs: Floats, held_out: HeldOut) -> float:
        right = self._labels.right(outputs, held_out.examples.targets(outputs.shape[1]))
        return float(np.average(right, weights=held_out.examples.weights))

    def _note_temperatures(self, temperatures: Sequence[float]) -> None:
        (self.temperature_,) = temperatures

    def _scores_of(self, outputs: Floats, held_out: HeldOut) -> dict[Any, NDArray[np.float64]]:
        labels, y = self._labels, held_out.y
        if labels.kind == "multilabel":
            return {}
        # The classes themselves: the targets of a student are what its teacher says of them.
        targets = labels.targets(y.reshape(-1), "float64")
        return class_scores(labels, outputs, targets)

    def _out_of_fold(self, outputs: Floats) -> NDArray[np.floating]:
        return self._labels.probabilities(outputs)

    def _classes_of(self, targets: Floats) -> NDArray[Any] | None:
        if self._labels.kind == "multilabel":
            return None
        return targets[:, 0] if targets.shape[1] == 1 else targets.argmax(axis=1)

    def _with_class_weights(self, y: NDArray[Any], weights: Floats | None) -> Floats | None:
        if self.class_weight is None:
            return weights
        return with_class_weights(self.class_weight, self._labels, y, weights)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags

    @available_if(has_epochs)
    def partial_fit(
        self,
        X: MatrixLike,
        y: MatrixLike,
        sample_weight: ArrayLike | None = None,
        classes: ArrayLike | None = None,
    ) -> Self:
        """Train for one epoch over the given data.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Inputs.
        y : array-like of shape (n_samples,) or (n_samples, n_classes)
            Class labels.
        sample_weight : array-like of shape (n_samples,), optional
            Non-negative.
        classes : array-like of shape (n_classes,), optional
            All classes that can occur in any call; required in the first call.

        Returns
        -------
        self : object
        """
        if isinstance(self.class_weight, str):
            raise InvalidArgumentError(
                f"class_weight: {self.class_weight!r} is not known before all classes were seen; "
                "partial_fit takes a dict of weights"
            )
        self._take_classes(classes, y)
        try:
            return self._fit(X, y, sample_weight, incremental=True)
        except Exception:
            if not self.__sklearn_is_fitted__():  # no training on these classes took place
                del self._labels, self.classes_
            raise

    def _take_classes(self, classes: ArrayLike | None, y: MatrixLike) -> None:
        """Set the classes in the first `partial_fit` call; later calls must pass the same."""
        if not hasattr(self, "classes_"):
            if classes is None:
                raise InvalidArgumentError(
                    "classes must be passed on the first call to partial_fit."
                )
            table = np.asarray(y.toarray() if hasattr(y, "toarray") else labels(y, "y"))
            several = table.ndim == 2 and table.shape[1] > 1
            self._labels = Labels.of(table) if several else Labels.among(_distinct(classes))
            self.classes_ = self._labels.classes
        elif classes is not None and not np.array_equal(self.classes_, _distinct(classes)):
            raise InvalidArgumentError(
                f"`classes={classes!r}` is not the same as on last call to partial_fit, was: "
                f"{self.classes_!r}"
            )

    def predict(self, X: MatrixLike) -> NDArray[Any]:
        """Return the most probable class of each example.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)

        Returns
        -------
        y : array of shape (n_samples,), or (n_samples, n_classes) for multilabel targets
        """
        outputs = self._outputs(X)
        return self._labels.decided(outputs)

    def score(self, X: MatrixLike, y: MatrixLike, sample_weight: ArrayLike | None = None) -> float:
        """Return the accuracy: the share of examples whose labels are all predicted correctly.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_classes)
        sample_weight : array-like of shape (n_samples,), optional

        Returns
        -------
        score : float
        """
        return float(super().score(X, labels(y, "y"), sample_weight))

    def predict_proba(self, X: MatrixLike) -> Floats:
        """Return the probability of each class, in the order of ``classes_``.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)

        Returns
        -------
        probabilities : array of shape (n_samples, n_classes)
        """
        outputs = self._outputs(X)
        return self._labels.probabilities(outputs)

    def predict_set(self, X: MatrixLike, coverage: float = 0.9) -> NDArray[np.bool_]:
        """Return a prediction set of classes for each example.

        For a share `coverage` of new examples, the set contains the true class, whatever the
        quality of the network: split-conformal prediction, CP4 and CP5, from the validation
        examples of the last `fit`. A set may hold several classes, or none.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
        coverage : float, default 0.9
            In (0, 1).

        Returns
        -------
        members : array of bool, of shape (n_samples, n_classes)
            In the order of ``classes_``.

        Raises
        ------
        InvalidArgumentError
            If `coverage` is not in (0, 1), the last `fit` had no or too few validation examples, or
            the target is multilabel.
        """
        outputs = self._outputs(X)
        if self._labels.kind == "multilabel":
            raise InvalidArgumentError(
                "predict_set: expected mutually exclusive classes; this estimator was fitted to a "
                "multilabel target. Use predict_proba"
            )
        if len(self._labels.classes) < 2:
            return np.ones((len(outputs), 1), bool)
        return set_of(self._labels, outputs, quantile_of(self, coverage))

    def predict_log_proba(self, X: MatrixLike) -> Floats:
        """Return the logarithm of the probability of each class; −∞ where the probability is 0.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)

        Returns
        -------
        log_probabilities : array of shape (n_samples, n_classes)
        """
        probabilities = self.predict_proba(X)
        with np.errstate(divide="ignore"):
            return np.asarray(np.log(probabilities, out=probabilities))


def _listed(classes: NDArray[Any]) -> str:
    """Return classes in NumPy's print format, which scikit-learn's messages use: [0 1 2]."""
    return shortened(str(classes[:30]).replace("\n", ""))


def _distinct(classes: ArrayLike) -> NDArray[Any]:
    """Return the unique values of the `classes` argument of `partial_fit`, sorted."""
    given = labels(classes, "classes")
    if given.ndim != 1 or not len(given):
        raise InvalidArgumentError(f"classes: expected a list of labels; got {shown(classes)}")
    return np.asarray(unique_labels(given))


@documented(
    examples="""
    >>> from chainrule import MLPClassifier
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> model = MLPClassifier(solver="lbfgs", max_iter=1000, random_state=0).fit(X, y)
    >>> model.predict(X[:3])
    array([0, 0, 0])
    >>> model.score(X, y) > 0.95
    True
    >>> [W.shape for W in model.coefs_]
    [(4, 100), (100, 3)]
    """
)
class MLPClassifier(BaseClassifier):
    """A neural network classifier that replaces scikit-learn's class of the same name.

    It has every parameter of scikit-learn's class, with the same default and meaning; with the
    same `random_state`, the weights also equal scikit-learn's, up to rounding. Additional features
    are off by default.
    """

    def __init__(
        self,
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
        class_weight: ClassWeight = None,
        l1: float = 0.0,
        n_layers: int | None = None,
        n_units: int | None = None,
        init: InitializerName | None = None,
        initial_weights: InitialWeights = None,
        numeric_bins: int = 0,
        scale_layer: bool = False,
        width_scaling: bool = False,
        standardize: bool = False,
        dtype: DType | None = None,
        callbacks: Sequence[Callback] | None = None,
        engine: EngineText = "auto",
        threads: int | None = None,
        dropout: float | Sequence[float] = 0.0,
        batch_norm: bool = False,
        loss: ClassificationLoss | OwnLoss = "log_loss",
        focal_gamma: float = 2.0,
        label_smoothing: float = 0.0,
        max_grad_norm: float | None = None,
        weight_decay: float = 0.01,
        precision: Precision = "full",
        embeddings: Embeddings = None,
        ema_decay: float = 0.0,
        calibrate: str = "off",
        quality: Literal["standard", "best"] = "standard",
        time_limit: float | None = None,
    ) -> None:
        store(self, locals())
