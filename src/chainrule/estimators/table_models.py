"""Estimators that were fitted to a table, as the parts of a `TableModel`."""

from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from chainrule.errors import InvalidArgumentError
from chainrule.estimators.parts import Parts, parts_of
from chainrule.estimators.scaling import Scale
from chainrule.tables.encoder import TableEncoder
from chainrule.tables.kinds import NumericColumn
from chainrule.tables.target import TargetEncoder


def table_model_parts(estimator: Any) -> tuple[TableEncoder, TargetEncoder, Parts]:
    """Return encoder, target and parts of an estimator; see `TableModel.from_estimator`.

    Raises
    ------
    InvalidArgumentError
        If a table's model cannot do what the estimator does.
    """
    check_is_fitted(estimator)
    name, parts = type(estimator).__name__, parts_of(estimator)
    encoder = _of_numbers(estimator) if parts.encoder is None else parts.encoder
    if encoder is None:
        raise InvalidArgumentError(
            f"estimator: this {name} was fitted to an array ({estimator.n_features_in_} columns "
            "without names), and a table's model finds columns by their names; fit it to a table"
        )
    if hasattr(estimator, "targets_"):
        raise InvalidArgumentError(
            f"estimator: a table's model predicts one column; {name} predicts "
            f"{len(estimator.targets_)}"
        )
    used = {column.name for column in encoder.columns_}
    target = parts.target_name or "target"
    while target in used:
        target += "_"
    return encoder, _target(name, target, parts), parts


def _of_numbers(estimator: Any) -> TableEncoder | None:
    """Return what an estimator does with a table of numbers as an encoder; None after an array."""
    names, means = getattr(estimator, "feature_names_in_", None), estimator._column_means
    if names is None or means is None or estimator.network_.spec.layers[0].codes:
        return None
    scale = estimator._input_scale or Scale(np.zeros_like(means), np.ones_like(means))
    encoder = TableEncoder(scaling="none" if estimator._input_scale is None else "standard")
    numbers = zip(names, means.tolist(), scale.mean.tolist(), scale.deviation.tolist(), strict=True)
    encoder.columns_ = tuple(
        NumericColumn(name, fill=fill, center=center, scale=deviation, flag=False)
        for name, fill, center, deviation in numbers
    )
    encoder.notes_ = encoder.dropped_ = ()
    encoder.feature_names_in_, encoder.n_features_in_ = names, len(names)
    return encoder


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
        raise InvalidArgumentError(f"estimator: {fault}; convert the classes to text")
    return found
