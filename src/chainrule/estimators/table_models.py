"""Estimators that were fitted to a table, as the parts of a `TableModel`."""

from typing import Any

from sklearn.utils.validation import check_is_fitted

from chainrule.errors import InvalidArgumentError
from chainrule.estimators.parts import Parts, parts_of
from chainrule.model.conformal import Conformal
from chainrule.model.network import Network
from chainrule.tables.encoder import TableEncoder
from chainrule.tables.target import TargetEncoder


def table_model_parts(
    estimator: Any,
) -> tuple[Network, TableEncoder, TargetEncoder, Conformal | None]:
    """Return network, encoder, target and scores of an estimator; see `TableModel.from_estimator`.

    Raises
    ------
    InvalidArgumentError
        If a table's model cannot do what the estimator does.
    """
    check_is_fitted(estimator)
    name, parts = type(estimator).__name__, parts_of(estimator)
    if parts.encoder is None:
        raise InvalidArgumentError(
            f"estimator: this {name} was fitted to numbers ({estimator.n_features_in_} "
            "columns), and has no encoder of a table"
        )
    if hasattr(estimator, "targets_"):
        raise InvalidArgumentError(
            f"estimator: a table's model predicts one column; {name} predicts "
            f"{len(estimator.targets_)}"
        )
    used = {column.name for column in parts.encoder.columns_}
    target = parts.target_name or "target"
    while target in used:
        target += "_"
    return parts.network, parts.encoder, _target(name, target, parts), parts.conformal


def _target(name: str, target: str, parts: Parts) -> TargetEncoder:
    labels, scale = parts.labels, parts.target_scale
    if labels is None:
        if parts.network.spec.n_outputs > 1:
            raise InvalidArgumentError(
                f"estimator: a table's model predicts one column; this {name} predicts "
                f"{parts.network.spec.n_outputs}"
            )
        mean, deviation = (0.0, 1.0) if scale is None else (scale.mean[0], scale.deviation[0])
        return TargetEncoder("regression", target, (), float(mean), float(deviation))
    if labels.kind == "multilabel" or len(labels.classes) < 2:
        raise InvalidArgumentError(
            "estimator: expected one column with two classes or more; this "
            f"{name} was fitted to {'several labels' if len(labels.classes) > 1 else 'one class'}"
        )
    found = TargetEncoder("classification", target, tuple(labels.classes.tolist()))
    fault = found.fault()
    if fault:
        raise InvalidArgumentError(f"estimator: {fault}; make texts of the classes")
    return found
