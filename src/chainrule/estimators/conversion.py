"""Conversion of fitted scikit-learn estimators to estimators of this package."""

import inspect
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray
from sklearn.neural_network import MLPClassifier as SklearnClassifier
from sklearn.neural_network import MLPRegressor as SklearnRegressor
from sklearn.utils import check_random_state

from chainrule.errors import InvalidArgumentError
from chainrule.estimators.classifier import MLPClassifier
from chainrule.estimators.labels import Labels
from chainrule.estimators.regressor import MLPRegressor
from chainrule.estimators.scikit_learn import take_over
from chainrule.model.network import Network
from chainrule.names import DType
from chainrule.network.layers import Dense
from chainrule.network.parameters import neutral_parameters
from chainrule.network.spec import NetworkSpec
from chainrule.settings.layers import hidden_activations, hidden_layers, hidden_sizes
from chainrule.settings.weights import coefficients, intercepts

Floats = NDArray[np.floating]


@overload
def from_sklearn(mlp: SklearnClassifier) -> MLPClassifier: ...
@overload
def from_sklearn(mlp: SklearnRegressor) -> MLPRegressor: ...  # type: ignore[overload-cannot-match]
def from_sklearn(mlp: Any) -> MLPClassifier | MLPRegressor:
    """Convert a fitted scikit-learn estimator to a fitted estimator of this package.

    Parameters
    ----------
    mlp : sklearn.neural_network.MLPClassifier or MLPRegressor
        A fitted estimator. It is not modified; its weights are copied.

    Returns
    -------
    MLPClassifier or MLPRegressor
        An estimator with the same parameters, weights and curves. It makes the same predictions
        and can be trained further, with a fresh optimizer state.

    Raises
    ------
    InvalidArgumentError
        If `mlp` is not such an estimator, or not fitted.

    Examples
    --------
    >>> import chainrule as cr
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.neural_network import MLPClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> theirs = MLPClassifier(solver="lbfgs", max_iter=500, random_state=0).fit(X, y)
    >>> ours = cr.from_sklearn(theirs)
    >>> bool((ours.predict(X) == theirs.predict(X)).all())
    True
    """
    if not isinstance(mlp, SklearnClassifier | SklearnRegressor):
        raise InvalidArgumentError(
            f"mlp: expected scikit-learn's MLPClassifier or MLPRegressor; got {type(mlp).__name__}"
        )
    if not hasattr(mlp, "coefs_"):
        raise InvalidArgumentError(f"mlp: this {type(mlp).__name__} is not fitted yet")
    kind = MLPClassifier if isinstance(mlp, SklearnClassifier) else MLPRegressor
    known = inspect.signature(kind).parameters
    ours: Any = kind(**{name: v for name, v in mlp.get_params().items() if name in known})
    if isinstance(mlp, SklearnClassifier):
        kinds = {"multilabel-indicator": "multilabel", "multiclass": "multiclass"}
        told = str(mlp._label_binarizer.y_type_)
        ours._labels = Labels(np.asarray(mlp.classes_), kinds.get(told, "binary"))
        ours.classes_ = ours._labels.classes
    else:
        ours._target_scale = None
    ours._input_scale = None
    ours.network_ = _network(ours, mlp)
    ours.n_outputs_, ours.n_layers_ = mlp.n_outputs_, mlp.n_layers_
    ours.out_activation_ = mlp.out_activation_
    ours.n_features_in_ = mlp.n_features_in_
    if hasattr(mlp, "feature_names_in_"):
        ours.feature_names_in_ = mlp.feature_names_in_
    take_over(mlp, ours)
    ours.validation_loss_curve_ = None
    ours.network_.epochs_trained = int(mlp.n_iter_)
    ours._best_parameters = ours.network_.parameters.copy()
    ours._random_state = check_random_state(ours.random_state)
    return ours  # type: ignore[no-any-return]


def _network(ours: Any, mlp: Any) -> Network:
    """Return a network with the weights of a scikit-learn estimator."""
    dtype: DType = "float32" if mlp.coefs_[0].dtype == np.float32 else "float64"
    sizes = hidden_sizes(vars(ours))
    activations = hidden_activations(vars(ours), len(sizes))
    _, activation, cost = ours._output()
    spec = NetworkSpec(
        mlp.coefs_[0].shape[0],
        (*hidden_layers(vars(ours), sizes, activations), Dense(mlp.n_outputs_, activation)),
        cost,
        dtype=dtype,
    )
    parameters = neutral_parameters(spec)
    coefficients(spec, parameters)[:] = mlp.coefs_
    intercepts(spec, parameters)[:] = mlp.intercepts_
    return Network.from_parameters(spec, parameters)
