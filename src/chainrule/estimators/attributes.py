"""Fitted attributes that are views of a network's parameters."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from sklearn.base import BaseEstimator

from chainrule.model.network import Network
from chainrule.settings.weights import ParameterViews, coefficients, intercepts


class FittedAttributes(BaseEstimator):
    """Base class of the estimators, which count as fitted once they have a network."""

    network_: Network
    _given_weights: Mapping[str, list[Any]] = MappingProxyType({})
    """Values assigned to `coefs_` and `intercepts_` before the network was created."""

    @property
    def coefs_(self) -> ParameterViews:
        """Weights of each layer, (inputs, outputs): writable views into the network.

        If `coefs_` and `intercepts_` are set before the network is created, the first
        `partial_fit`, or a `fit` with `warm_start`, starts from them, as in scikit-learn.
        """
        if "coefs_" in self._given_weights:
            return self._given_weights["coefs_"]  # type: ignore[return-value]
        net = self._fitted("coefs_")
        return coefficients(net.spec, net.parameters)

    @coefs_.setter
    def coefs_(self, value: Sequence[Any]) -> None:
        if self.__sklearn_is_fitted__():
            self._fitted("coefs_")._own_parameters()
            self.coefs_[:] = value
        else:
            self._given_weights = {**self._given_weights, "coefs_": list(value)}

    @property
    def intercepts_(self) -> ParameterViews:
        """Biases of each layer, (outputs,): views into the network; can be set like `coefs_`."""
        if "intercepts_" in self._given_weights:
            return self._given_weights["intercepts_"]  # type: ignore[return-value]
        net = self._fitted("intercepts_")
        return intercepts(net.spec, net.parameters)

    @intercepts_.setter
    def intercepts_(self, value: Sequence[Any]) -> None:
        if self.__sklearn_is_fitted__():
            self._fitted("intercepts_")._own_parameters()
            self.intercepts_[:] = value
        else:
            self._given_weights = {**self._given_weights, "intercepts_": list(value)}

    def to_sklearn(self) -> Any:
        """Return the fitted estimator as scikit-learn's MLPClassifier or MLPRegressor.

        The returned estimator makes the same predictions and does not need this package. Settings
        that only affect training are dropped: dropout, class weights, and a loss, a solver or a
        schedule that scikit-learn lacks, for which its `partial_fit` uses scikit-learn's default.
        Internal scaling is folded into the weights, so its `partial_fit` also takes unscaled
        values, but with different effective learning rates.

        Returns
        -------
        sklearn.neural_network.MLPClassifier or MLPRegressor
            Fitted, with its own copy of the weights.

        Raises
        ------
        InvalidArgumentError
            If scikit-learn cannot represent the network: batch normalisation, hidden layers with
            different activations, or an activation that scikit-learn lacks.
        NotFittedError
            If the estimator is not fitted.

        Examples
        --------
        >>> import chainrule as cr
        >>> from sklearn.datasets import load_iris
        >>> X, y = load_iris(return_X_y=True)
        >>> ours = cr.MLPClassifier(dropout=0.1, standardize=True, random_state=0)
        >>> theirs = ours.fit(X, y, epochs=20).to_sklearn()
        >>> type(theirs).__module__
        'sklearn.neural_network._multilayer_perceptron'
        >>> bool((ours.predict(X) == theirs.predict(X)).all())
        True
        """
        from chainrule.estimators.scikit_learn import to_sklearn

        return to_sklearn(self)

    def save(self, path: str | Path) -> None:
        """Write the fitted estimator to a model file, whole or not at all; data only.

        `chainrule.load` returns it, with the same probabilities and values to the last bit. The
        file holds the network, the scaling of inputs and targets, the labels, the encoder of a
        table, the parameters, the curves and the state of the random generator, but no state of
        the optimizer: `partial_fit` continues with a new one.

        Parameters
        ----------
        path : str or Path
            By convention it ends in .safetensors; an existing file is replaced.

        Raises
        ------
        InvalidArgumentError
            If the loss is a pair of functions, or the class is not one of the package: a file holds
            no code.
        NotFittedError
            If the estimator is not fitted.
        OSError
            If the file cannot be written; an existing file is then left unchanged.

        Warns
        -----
        UserWarning
            If parameters that only affect training are functions or other objects, such as
            callbacks or a `RandomState`: the loaded estimator has their defaults.

        Examples
        --------
        >>> import tempfile
        >>> from pathlib import Path
        >>> import chainrule as cr
        >>> from sklearn.datasets import load_wine
        >>> X, y = load_wine(return_X_y=True)
        >>> model = cr.NetworkClassifier(random_state=0).fit(X, y, epochs=20)
        >>> path = Path(tempfile.mkdtemp()) / "wine.safetensors"
        >>> model.save(path)
        >>> again = cr.load(path)
        >>> bool((again.predict_proba(X) == model.predict_proba(X)).all())
        True
        """
        from chainrule.estimators.saving import save

        save(self, path)

    def _fitted(self, attribute: str) -> Network:
        net: Network | None = vars(self).get("network_")
        if net is None:
            raise AttributeError(f"{type(self).__name__} has no {attribute} before it is fitted")
        return net

    def __sklearn_is_fitted__(self) -> bool:
        return "network_" in vars(self)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags
