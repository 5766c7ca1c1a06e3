"""Writing a fitted estimator to a model file: data only."""

import inspect
import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from chainrule.errors import InvalidArgumentError
from chainrule.estimators.parameters import check_parameters
from chainrule.estimators.saved_attributes import ATTRIBUTES
from chainrule.estimators.saved_parameters import parameter_to_plain
from chainrule.files.model_file import ModelFile, write_model_file
from chainrule.files.plain_data import Arrays, NotPlainError, to_plain
from chainrule.network.cost import CustomCost

KEY = "estimator"
"""The header entry of a model file, and what the names of the arrays start with."""


def save(estimator: Any, path: str | Path) -> None:
    """Write an estimator to a file; see `FittedAttributes.save`."""
    name = type(estimator).__name__
    check_is_fitted(estimator)
    if not type(estimator).__module__.startswith("chainrule.estimators."):
        raise InvalidArgumentError(
            f"save: {name} is not a class of chainrule, and a file holds data only, no code; save "
            "an estimator of the package, or pickle this one"
        )
    check_parameters(estimator)
    network = estimator.network_
    if isinstance(network.spec.cost, CustomCost):
        raise InvalidArgumentError(
            f"loss: {network.spec.cost.name} is Python code, and a file holds data only; pickle "
            "the estimator, which needs that code when it is loaded"
        )
    model = network._to_file()
    arrays: Arrays = {}
    parameters, left_out = _parameters(estimator, arrays)
    header = {"class": name, "parameters": parameters, "fitted": _fitted(estimator, arrays)}
    text = json.dumps(header, ensure_ascii=False, sort_keys=True, allow_nan=False)
    metadata, numbers = dict(model.metadata), dict[str, Any](arrays)
    if estimator.encoder_ is not None:
        entries, encoder_numbers = estimator.encoder_.to_file()
        metadata |= entries
        numbers |= encoder_numbers
    write_model_file(
        path, ModelFile(model.spec, model.parameters, {**metadata, KEY: text}, numbers)
    )
    if left_out:
        *rest, last = map(repr, left_out)
        listed = f"{', '.join(rest)} and {last} hold" if rest else f"{last} holds"
        warnings.warn(
            f"save: {listed} Python objects, and a file holds data only: the loaded estimator "
            "predicts the same, but has the defaults of these parameters; set_params restores "
            "them",
            stacklevel=3,
        )


def _parameters(estimator: Any, arrays: Arrays) -> tuple[dict[str, Any], list[str]]:
    """Return the parameters as plain data, and the names of those that are more than data."""
    found, left_out = {}, []
    defaults = inspect.signature(type(estimator)).parameters
    for name, value in estimator.get_params(deep=False).items():
        own: Arrays = {}
        try:
            found[name] = parameter_to_plain(value, f"{KEY}.{name}", own)
        except NotPlainError:
            left_out.append(name)
            found[name] = parameter_to_plain(defaults[name].default, f"{KEY}.{name}", own)
        arrays |= own
    return found, left_out


def _fitted(estimator: Any, arrays: Arrays) -> dict[str, Any]:
    given, found = vars(estimator), {}
    for name, kind in ATTRIBUTES.items():
        if name in given:
            value = given[name]
            if isinstance(value, np.generic):
                value = value.item()
            found[name] = to_plain(kind.write(value), f"{KEY}.{name}", arrays)
    return found
