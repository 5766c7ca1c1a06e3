"""The content of an export: inputs, the stages of a network, and the meaning of its outputs."""

from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from chainrule.errors import InvalidArgumentError
from chainrule.exports.intervals import Interval, interval_of
from chainrule.exports.stages import Stage, stages_of
from chainrule.model.network import Network
from chainrule.model.table_model import TableModel
from chainrule.tables.kinds import Column
from chainrule.tables.transform import TargetTransform

Meaning: TypeAlias = Literal["outputs", "classes", "labels", "values"]
"""The meaning of the outputs. "outputs": the network's own; "classes": probabilities of mutually
exclusive classes (a single output is that of the second of two); "labels": probabilities of labels
that are not exclusive; "values": values in the target's units.
"""


@dataclass(frozen=True, eq=False)
class Program:
    """A model in the form in which predictions are computed.

    Its inputs are either numbers, standardised if `mean` is given, or the columns of a table.
    """

    network: Network
    stages: tuple[Stage, ...]
    meaning: Meaning = "outputs"
    classes: tuple[Any, ...] = ()
    target: str = ""
    columns: tuple[Column, ...] = ()
    mean: NDArray[np.float64] | None = None
    """With `deviation`: the network's inputs are (x − mean)/deviation, in float64."""
    deviation: NDArray[np.float64] | None = None
    target_mean: NDArray[np.float64] | None = None
    """With `target_deviation`, for values: y = output · deviation + mean, in float64."""
    target_deviation: NDArray[np.float64] | None = None
    transform: TargetTransform | None = None
    """The transformation of y to undo, if the network learned a transformed target."""
    interval: Interval | None = None
    """The interval or set to return with the predictions, if requested."""

    @property
    def n_features(self) -> int:
        """Number of the network's inputs."""
        return self.network.spec.n_features

    @property
    def n_outputs(self) -> int:
        """Number of the network's outputs."""
        return self.network.spec.n_outputs

    @property
    def dtype(self) -> str:
        """The precision of its numbers."""
        return self.network.spec.dtype

    @property
    def is_single(self) -> bool:
        """Whether a single output distinguishes two classes."""
        return self.meaning == "classes" and self.n_outputs == 1


def program_of(model: Any, interval: float | None = None) -> Program:
    """Return the program of a model.

    Parameters
    ----------
    model : Network, TableModel, or a fitted estimator of the package
    interval : float, optional
        The coverage of the prediction intervals or sets to return.

    Raises
    ------
    InvalidArgumentError
        If the model is none of these, is not fitted, or has no calibration scores for `interval`.
    """
    program = _program_of(model)
    if interval is None:
        return program
    if program.meaning == "labels":
        raise InvalidArgumentError(
            "interval: expected mutually exclusive classes, or values; got a multilabel target"
        )
    return replace(program, interval=interval_of(model, interval))


def _program_of(model: Any) -> Program:
    if isinstance(model, Network):
        return _of_network(model)
    if isinstance(model, TableModel):
        return _of_table_model(model)
    # The estimators are imported only here: a given estimator has already loaded scikit-learn.
    if hasattr(model, "get_params"):
        return _of_estimator(model)
    raise InvalidArgumentError(
        "model: expected a Network, a TableModel or a fitted estimator of chainrule; got "
        f"{type(model).__name__}"
    )


def _of_network(network: Network, **more: Any) -> Program:
    return Program(network, stages_of(network.spec, network.parameters), **more)


def _of_table_model(model: TableModel) -> Program:
    target = model.target
    more: dict[str, Any] = {"meaning": "classes", "classes": tuple(target.classes)}
    if target.task == "regression":
        more = {
            "meaning": "values",
            "target_mean": np.array([target.mean]),
            "target_deviation": np.array([target.std]),
            "transform": target.transform,
        }
    return _of_network(
        model.network, target=target.name, columns=tuple(model.encoder.columns_), **more
    )


def _of_estimator(estimator: Any) -> Program:
    from chainrule.estimators.classifier import BaseClassifier
    from chainrule.estimators.parts import parts_of
    from chainrule.estimators.regressor import BaseRegressor

    name = type(estimator).__name__
    if not isinstance(estimator, BaseClassifier | BaseRegressor):
        raise InvalidArgumentError(
            f"model: {name} cannot be exported; MLPClassifier, MLPRegressor, NetworkClassifier and "
            "NetworkRegressor can, and the `network_` of others"
        )
    if not estimator.__sklearn_is_fitted__():
        raise InvalidArgumentError(f"model: this {name} is not fitted yet; call fit first")
    parts, more = parts_of(estimator), dict[str, Any]()
    if parts.encoder is not None:
        more["columns"], more["target"] = tuple(parts.encoder.columns_), parts.target_name or ""
    if parts.input_scale is not None:
        more["mean"], more["deviation"] = parts.input_scale
    labels = parts.labels
    if labels is None:
        more["meaning"] = "values"
        if parts.target_scale is not None:
            more["target_mean"], more["target_deviation"] = parts.target_scale
    else:
        if len(labels.classes) < 2:
            raise InvalidArgumentError(
                "model: it was fitted to a single class, so there is nothing to predict"
            )
        more["meaning"] = "labels" if labels.kind == "multilabel" else "classes"
        more["classes"] = tuple(labels.classes.tolist())
    return _of_network(parts.network, **more)
