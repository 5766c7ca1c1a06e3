"""Conversion of fitted estimators to scikit-learn's MLPClassifier and MLPRegressor.

Settings that only affect training (dropout, a loss or a solver that scikit-learn lacks) do not
change predictions and are dropped. Everything that predictions depend on is converted: internal
scaling is folded into the weights of the first and the last layer.
"""

import inspect
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.neural_network import MLPClassifier as SklearnClassifier
from sklearn.neural_network import MLPRegressor as SklearnRegressor
from sklearn.preprocessing import LabelBinarizer
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from chainrule.errors import InvalidArgumentError
from chainrule.network.layers import Dense, Scale
from chainrule.network.parameters import views
from chainrule.network.registry.activations import ACTIVATIONS
from chainrule.network.registry.costs import COSTS

Floats = NDArray[np.floating]

# Maps the package's activation names to scikit-learn's.
_ACTIVATIONS = {name: row.scikit_learn for name, row in ACTIVATIONS.items() if row.scikit_learn}
# Fitted attributes, apart from the weights, that both packages have.
_CURVES = (
    "n_iter_",
    "t_",
    "loss_",
    "loss_curve_",
    "best_loss_",
    "validation_scores_",
    "best_validation_score_",
    "_no_improvement_count",
)

_EXPORT = "export the model (`chainrule.exports.export`)"

# Layers that scikit-learn's networks lack: name and remedy, for the error message.
_REMEDIES = {
    "piecewise_linear_embedding": (
        "piecewise-linear embeddings",
        f"train with numeric_bins=0, or {_EXPORT}",
    ),
    "grouped_dense": ("dense layers in groups", f"train one network instead, or {_EXPORT}"),
    "batch_ensemble": ("shared weights", f"train one network instead, or {_EXPORT}"),
    "batch_norm": ("batch normalisation", f"train with batch_norm=False, or {_EXPORT}"),
    "category_embedding": (
        "embeddings",
        "train with embeddings=None on categories that are encoded one-hot",
    ),
}


def to_sklearn(estimator: Any) -> Any:
    """Convert an estimator to scikit-learn's class; see `FittedAttributes.to_sklearn`."""
    name = type(estimator).__name__
    check_is_fitted(estimator)
    if not isinstance(estimator, ClassifierMixin | RegressorMixin):
        raise InvalidArgumentError(
            f"to_sklearn: scikit-learn has no estimator of several kinds of target, as {name} is"
        )
    if estimator.encoder_ is not None:
        raise InvalidArgumentError(
            f"to_sklearn: this {name} was fitted to a table, and scikit-learn's networks take "
            f"numbers; fit it to the output of a TableEncoder, or {_EXPORT}"
        )
    spec = estimator.network_.spec
    for layer in spec.layers[1:] if isinstance(spec.layers[0], Scale) else spec.layers:
        if not (isinstance(layer, Dense) or layer.is_noise):
            what, remedy = _REMEDIES.get(layer.kind, (f"layer of kind {layer.kind}", _EXPORT))
            raise InvalidArgumentError(
                f"to_sklearn: scikit-learn's networks have no {what}; {remedy}"
            )
    dense = [layer for layer in spec.layers if layer.has_weights]
    hidden = [n for layer, n in zip(spec.layers, spec.sizes[1:], strict=True) if layer.has_weights]
    activations = sorted({layer.activation for layer in dense[:-1]})
    if len(activations) > 1 or any(each not in _ACTIVATIONS for each in activations):
        raise InvalidArgumentError(
            "to_sklearn: scikit-learn's networks have one activation for all hidden layers, one of "
            f"{', '.join(_ACTIVATIONS.values())}; this one has {', '.join(activations)}"
        )
    kind = SklearnClassifier if isinstance(estimator, ClassifierMixin) else SklearnRegressor
    parameters = _parameters_for(kind, estimator)
    parameters["hidden_layer_sizes"] = tuple(hidden[:-1])
    if activations:
        parameters["activation"] = _ACTIVATIONS[activations[0]]
    theirs: Any = kind(**parameters)
    if estimator.out_activation_ == "exp" and getattr(theirs, "loss", None) != "poisson":
        raise InvalidArgumentError(
            "to_sklearn: the installed scikit-learn has no loss='poisson', whose output is an "
            "exponential; release 1.7 has"
        )
    theirs.coefs_, theirs.intercepts_ = _folded(estimator)
    theirs._best_coefs = [W.copy() for W in theirs.coefs_]
    theirs._best_intercepts = [b.copy() for b in theirs.intercepts_]
    theirs.n_features_in_ = estimator.n_features_in_
    if hasattr(estimator, "feature_names_in_"):
        theirs.feature_names_in_ = estimator.feature_names_in_
    theirs.n_outputs_, theirs.n_layers_ = estimator.n_outputs_, estimator.n_layers_
    theirs.out_activation_ = estimator.out_activation_
    theirs._random_state = check_random_state(theirs.random_state)
    take_over(estimator, theirs)
    if isinstance(estimator, ClassifierMixin):
        labels = estimator._labels
        theirs.classes_ = labels.classes
        several = labels.kind == "multilabel"
        theirs._label_binarizer = LabelBinarizer().fit(
            np.eye(len(labels.classes), dtype=int) if several else labels.classes
        )
    if not theirs.early_stopping:
        # Without early stopping, `partial_fit` continues from the best loss, not the best score.
        theirs.validation_scores_ = theirs.best_validation_score_ = None
        if getattr(theirs, "best_loss_", None) is None:
            theirs.best_loss_ = np.inf
    return theirs


def _parameters_for(kind: type, estimator: Any) -> dict[str, Any]:
    """Return the parameters of scikit-learn's class, with values that the class supports."""
    parameters = {
        name: getattr(estimator, name)
        for name in inspect.signature(kind).parameters
        if hasattr(estimator, name)
    }
    allowed: dict[str, Sequence[Any]] = {
        "solver": ("lbfgs", "sgd", "adam"),
        "learning_rate": ("constant", "invscaling", "adaptive"),
        "early_stopping": (False, True),
        "loss": [row.loss.name for row in COSTS.values() if row.loss and row.loss.in_scikit_learn],
    }
    for name in ("alpha", "max_iter", "n_iter_no_change"):
        if isinstance(parameters.get(name), str):  # "auto"
            parameters[name] = _default(kind, name)
    for name, values in allowed.items():
        if name in parameters and not any(parameters[name] is value for value in values):
            fits = isinstance(parameters[name], str) and parameters[name] in values
            parameters[name] = parameters[name] if fits else _default(kind, name)
    return parameters


def _default(kind: type, name: str) -> Any:
    return inspect.signature(kind).parameters[name].default


def _folded(estimator: Any) -> tuple[list[Floats], list[Floats]]:
    """Return weights (inputs, outputs) and biases (outputs,) with the scaling folded in."""
    coefs = [W.copy() for W in estimator.coefs_]
    biases = [b.copy() for b in estimator.intercepts_]
    if isinstance(estimator.network_.spec.layers[0], Scale):
        (factors,) = views(estimator.network_.spec, estimator.network_.parameters)[0]
        coefs[0] = coefs[0] * factors
    scale = estimator._input_scale
    if scale is not None:
        first = coefs[0].astype(np.float64) / scale.deviation[:, None]
        biases[0] = biases[0] - scale.mean @ first
        coefs[0] = first
    target = getattr(estimator, "_target_scale", None)
    if target is not None:
        coefs[-1] = coefs[-1] * target.deviation
        biases[-1] = biases[-1] * target.deviation + target.mean
    dtype = np.result_type(*coefs, *biases)
    return [W.astype(dtype) for W in coefs], [b.astype(dtype) for b in biases]


def take_over(source: Any, to: Any) -> None:
    """Copy the curves and counters of one fitted estimator to another."""
    for name in _CURVES:
        if hasattr(source, name):
            value = getattr(source, name)
            setattr(to, name, list(value) if isinstance(value, list) else value)
