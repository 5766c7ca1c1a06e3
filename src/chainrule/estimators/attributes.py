"""Fitted attributes that are views of a network's parameters."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from sklearn.base import BaseEstimator

from chainrule.estimators.array_types import Floats
from chainrule.model.network import Network
from chainrule.settings.weights import coefficients, intercepts


class FittedAttributes(BaseEstimator):
    """An estimator that is fitted when it has a network."""

    network_: Network
    _given_weights: Mapping[str, list[Any]] = MappingProxyType({})
    """What `coefs_` and `intercepts_` were set to before there was a network."""

    @property
    def coefs_(self) -> list[Floats]:
        """Weights of each layer, (inputs, outputs): views into the network; may be written to.

        Set before the network is made, with `intercepts_`, they are what the first `partial_fit`
        or a `fit` with `warm_start` begins with, as in scikit-learn.
        """
        if "coefs_" in self._given_weights:
            return self._given_weights["coefs_"]
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
    def intercepts_(self) -> list[Floats]:
        """Biases of each layer, (outputs,): views into the network; may be set as `coefs_`."""
        if "intercepts_" in self._given_weights:
            return self._given_weights["intercepts_"]
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

        It predicts the same and needs this package no more. Dropout, class weights, and a loss, a
        solver or a schedule that scikit-learn lacks belong to training alone; they are left
        behind, and `partial_fit` there goes on with scikit-learn's own. Scaling inside the
        estimator becomes part of the weights, so its `partial_fit` takes unscaled values as well
        as this one's, but at other rates.

        Returns
        -------
        sklearn.neural_network.MLPClassifier or MLPRegressor
            Fitted, with weights of its own.

        Raises
        ------
        InvalidArgumentError
            If scikit-learn has no such network: batch normalisation, or hidden layers of several
            activations or of one that it lacks.
        NotFittedError
            If it is not fitted.

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
