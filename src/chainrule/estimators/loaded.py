"""Reading an estimator from a model file: data only, all of it checked."""

import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

from numpy.typing import NDArray

from chainrule.checks import json_from_file
from chainrule.errors import InvalidModelFileError
from chainrule.estimators.classifier import BaseClassifier, MLPClassifier
from chainrule.estimators.mixed_network import NetworkMixed
from chainrule.estimators.networks import NetworkClassifier, NetworkRegressor
from chainrule.estimators.parameters import check_parameters
from chainrule.estimators.regressor import MLPRegressor
from chainrule.estimators.saved_attributes import ATTRIBUTES, consistency_fault
from chainrule.estimators.saved_parameters import parameter_from_plain
from chainrule.estimators.saving import KEY
from chainrule.files.model_file import ModelFile
from chainrule.files.plain_data import from_plain
from chainrule.model.network import Network
from chainrule.tables.encoder import KEY as ENCODER
from chainrule.tables.encoder import TableEncoder

Loaded: TypeAlias = (
    MLPClassifier | MLPRegressor | NetworkClassifier | NetworkRegressor | NetworkMixed
)

_CLASSES: Mapping[str, Any] = {
    kind.__name__: kind
    for kind in (MLPClassifier, MLPRegressor, NetworkClassifier, NetworkRegressor, NetworkMixed)
}
_FAULTS = (ValueError, KeyError, TypeError, AttributeError, IndexError, OverflowError)
# Attributes without which an estimator cannot predict or be trained further.
_NEEDED = ("n_features_in_", "n_outputs_", "n_layers_", "n_iter_", "t_", "out_activation_")

_BEFORE_BINS = {"numeric_bins": 0, "scale_layer": False, "width_scaling": False}
"""Parameters that a file says nothing of if it was written before they existed."""


def from_file(path: str | Path, model: ModelFile) -> Loaded:
    """Return the estimator that a model file holds.

    Raises
    ------
    InvalidModelFileError
        If its entries are missing or contradict each other.
    """
    try:
        estimator: Loaded = _restored(model)
    except InvalidModelFileError as error:
        raise InvalidModelFileError(f"{path}: {error}") from error
    except (*_FAULTS, RecursionError, MemoryError) as error:
        raise InvalidModelFileError(
            f"{path}: its estimator cannot be used ({type(error).__name__}: {error!s:.300})"
        ) from error
    return estimator


def _restored(model: ModelFile) -> Any:
    header = json_from_file(model.metadata[KEY])
    if set(header) != {"class", "parameters", "fitted"}:
        raise ValueError("its entries are not class, parameters and fitted")
    kind = _CLASSES[header["class"]]
    estimator = kind(**_parameters(kind, header["parameters"], model.arrays))
    check_parameters(estimator)
    found = _attributes(kind, header["fitted"], model.arrays)
    vars(estimator).update(found)
    network = Network._from_file(model)
    if ENCODER in model.metadata:
        if not kind._takes_tables:
            raise ValueError(f"{kind.__name__} has no encoder")
        estimator.encoder_ = TableEncoder.from_file(
            model.metadata, model.arrays, network.spec.n_features
        )
    estimator.network_ = network
    fault = _fault(estimator, found)
    if fault:
        raise ValueError(fault)
    estimator._complete()
    return estimator


def _parameters(kind: Any, given: Any, arrays: Mapping[str, NDArray[Any]]) -> dict[str, Any]:
    known = inspect.signature(kind).parameters
    unknown = [name for name in given if name not in known]
    if unknown:
        raise ValueError(f"{kind.__name__} has no parameter {unknown[0]!r:.60}")
    found = {name: parameter_from_plain(value, arrays) for name, value in given.items()}
    return found if "numeric_bins" in found else {**_BEFORE_BINS, **found}


def _attributes(kind: Any, given: Any, arrays: Mapping[str, NDArray[Any]]) -> dict[str, Any]:
    found = {}
    for name, plain in given.items():
        try:
            found[name] = ATTRIBUTES[name].read(from_plain(plain, arrays))
        except _FAULTS as error:
            raise ValueError(f"{name!r:.60}: {type(error).__name__}: {error!s:.200}") from error
    own = ["_labels"] if issubclass(kind, BaseClassifier) else ["_target_scale"]
    if kind is NetworkMixed:
        own += ["targets_", "_flat"]
    missing = [name for name in (*_NEEDED, "_input_scale", *own) if name not in found]
    if missing:
        raise ValueError(f"{missing[0]} is missing")
    return found


def _fault(estimator: Any, found: Mapping[str, Any]) -> str:
    """Return the error of an estimator whose attributes come from a file, or ""."""
    spec, encoder = estimator.network_.spec, estimator.encoder_
    width = estimator.n_features_in_ if encoder is None else encoder.n_inputs
    if width != spec.n_features:
        return f"{width} inputs do not fit a network of {spec.n_features}"
    if encoder is not None and estimator.n_features_in_ != encoder.n_features_in_:
        return "its number of columns is not that of its encoder"
    if isinstance(estimator, NetworkMixed) and estimator._target_scale is None:
        return "its targets have no scale"
    return consistency_fault(found, spec.n_features, spec.n_outputs)
