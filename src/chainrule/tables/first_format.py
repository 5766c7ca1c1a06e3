"""Encoders as files of format version 1 have them: numbers without missing values, one target."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.checks import json_from_file
from chainrule.errors import InvalidModelFileError
from chainrule.tables.encoder import KEY, TableEncoder
from chainrule.tables.kinds import NumericColumn
from chainrule.tables.target import TargetEncoder


def is_first_format(metadata: Mapping[str, str]) -> bool:
    """Tell whether header entries are those of format version 1."""
    try:
        header = json_from_file(metadata[KEY])
    except (ValueError, KeyError, RecursionError):
        return False
    return isinstance(header, dict) and "features" in header


def from_first_format(
    metadata: Mapping[str, str], arrays: Mapping[str, NDArray[Any]]
) -> tuple[TableEncoder, TargetEncoder]:
    """Build encoders from header entries and arrays of format version 1.

    Raises
    ------
    InvalidModelFileError
        If entries are missing or contradict each other.
    """
    try:
        header = json_from_file(metadata[KEY])
        target = TargetEncoder(
            task=header["task"],
            name=header["target"],
            classes=tuple(header["classes"]),
            mean=header["target_mean"],
            std=header["target_std"],
        )
        fault = target.fault() or _fault(header, arrays)
    except (ValueError, KeyError, TypeError) as error:
        fault = f"{type(error).__name__}: {error}"
    if fault:
        raise InvalidModelFileError(f"its table encoder cannot be used ({fault})")
    means, stds = (arrays[f"{KEY}.{name}"].tolist() for name in ("mean", "std"))
    encoder = TableEncoder()
    encoder.columns_ = tuple(
        NumericColumn(name, fill=mean, center=mean, scale=std, flag=False)
        for name, mean, std in zip(header["features"], means, stds, strict=True)
    )
    encoder.notes_ = encoder.dropped_ = ()
    encoder.feature_names_in_ = np.array(header["features"], dtype=object)
    encoder.n_features_in_ = len(header["features"])
    return encoder, target


def _fault(header: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> str:
    features = header["features"]
    if not isinstance(features, list) or not features:
        return "it has no columns"
    names = [*features, header["target"]]
    if not all(type(name) is str for name in names):
        return "its columns are not named by text"
    if len(set(names)) != len(names):
        return "two of its columns have one name"
    for array in (arrays[f"{KEY}.mean"], arrays[f"{KEY}.std"]):
        shape = (len(features),)
        if array.shape != shape or array.dtype != np.float64 or not np.isfinite(array).all():
            return f"expected {shape[0]} finite numbers of float64 for mean and std"
    return "a standard deviation is negative" if (arrays[f"{KEY}.std"] < 0).any() else ""
