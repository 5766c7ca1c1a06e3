"""Fitted attributes that are views of a network's parameters."""

from collections.abc import Sequence
from typing import Any

from sklearn.base import BaseEstimator

from chainrule.estimators.weights import ParameterViews, coefficients, intercepts
from chainrule.model.network import Network


class FittedAttributes(BaseEstimator):
    """An estimator that is fitted when it has a network."""

    network_: Network

    @property
    def coefs_(self) -> ParameterViews:
        """Weights of each layer, (inputs, outputs): views into the network; may be written to."""
        net = self._fitted("coefs_")
        return coefficients(net.spec, net.parameters)

    @coefs_.setter
    def coefs_(self, value: Sequence[Any]) -> None:
        self.coefs_[:] = value

    @property
    def intercepts_(self) -> ParameterViews:
        """Biases of each layer, (outputs,): views into the network; may be written to."""
        net = self._fitted("intercepts_")
        return intercepts(net.spec, net.parameters)

    @intercepts_.setter
    def intercepts_(self, value: Sequence[Any]) -> None:
        self.intercepts_[:] = value

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
