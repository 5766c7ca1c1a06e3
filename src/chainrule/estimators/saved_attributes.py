"""The fitted attributes that a file of an estimator holds: each with its kind, in one list.

What follows from others is not listed: the network and the encoder have their own entries in the
file, `classes_` comes from the labels, the best weights are the network's. Optimizer states are
left out: a loaded estimator trains on with a new one.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from chainrule.checks import shown
from chainrule.ensembles.summary import EnsembleSummary
from chainrule.estimators.labels import Labels
from chainrule.estimators.scaling import Scale
from chainrule.estimators.targets import Target
from chainrule.model.background import KEY as BACKGROUND_KEY
from chainrule.model.background import Background
from chainrule.model.conformal import Conformal
from chainrule.settings.losses import CLASSIFICATION, REGRESSION
from chainrule.training.diagnostics import Diagnosis
from chainrule.training.random_state import as_text, set_from_text


class Kind(NamedTuple):
    """How the values of an attribute become plain data and back."""

    write: Callable[[Any], Any]
    """Returns a value as data that `chainrule.files.plain_data` writes."""
    read: Callable[[Any], Any]
    """Returns a value, or raises ValueError if a file holds something else."""


def _unchanged(value: Any) -> Any:
    return value


def _plain(expected: str, fits: Callable[[Any], bool]) -> Kind:
    """Return the kind of values that are plain data themselves."""

    def read(value: Any) -> Any:
        if not fits(value):
            raise ValueError(f"expected {expected}; got {shown(value)}")
        return value

    return Kind(_unchanged, read)


def _optional(kind: Kind) -> Kind:
    """Return the kind of values that may be None."""
    return Kind(
        lambda value: None if value is None else kind.write(value),
        lambda value: None if value is None else kind.read(value),
    )


def _is_curve(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.ndim == 1 and value.dtype == np.float64


def _read_curve(value: Any) -> list[float]:
    if not _is_curve(value):
        raise ValueError(f"expected one loss for each epoch; got {shown(value)}")
    return list(value.tolist())


def _read_curves(value: Any) -> dict[Any, list[float]]:
    if not isinstance(value, dict):
        raise ValueError(f"expected curves by their names; got {shown(value)}")
    return {name: _read_curve(curve) for name, curve in value.items()}


def _read_scale(value: Any) -> Scale:
    mean, deviation = value
    if not (_is_curve(mean) and _is_curve(deviation) and mean.shape == deviation.shape):
        raise ValueError("expected a mean and a deviation of each column")
    if not (np.isfinite(mean).all() and np.isfinite(deviation).all() and (deviation > 0).all()):
        raise ValueError("expected finite means, and finite deviations above 0")
    return Scale(mean, deviation)


def _write_labels(labels: Labels) -> Any:
    return [labels.classes, labels.kind]


def _read_labels(value: Any) -> Labels:
    classes, kind = value
    if not isinstance(classes, np.ndarray) or classes.ndim != 1 or not len(classes):
        raise ValueError("expected classes")
    if classes.dtype.kind == "f" and not np.isfinite(classes).all():
        raise ValueError("a class is not a finite number")
    if classes.dtype.kind in "mM" and np.isnat(classes).any():
        raise ValueError("a class is not a time")
    if not (classes[:-1] < classes[1:]).all():
        raise ValueError("the classes are not in ascending order")
    usual = Labels.among(classes).kind
    if kind == "multilabel":
        if classes.tolist() != [*range(len(classes))]:
            raise ValueError("labels are not numbered")
    elif kind != usual:
        raise ValueError(f"{len(classes)} classes are {usual}; got {kind!r:.20}")
    return Labels(classes, kind)


def _write_targets(targets: list[Target]) -> Any:
    return [
        [one.name, one.labels and _write_labels(one.labels), one.loss, one.weight, one.units.stop]
        for one in targets
    ]


def _read_targets(value: Any) -> list[Target]:
    targets: list[Target] = []
    begin = 0
    for name, labels, loss, weight, end in value:
        if not isinstance(name, str | int) or name in {target.name for target in targets}:
            raise ValueError(f"expected the name of a target; got {shown(name)}")
        found = None if labels is None else _read_labels(labels)
        width = 1 if found is None else found.n_outputs
        known: Any = REGRESSION if found is None else CLASSIFICATION
        if loss not in known or not _is_number(weight) or not 0 < weight < np.inf:
            raise ValueError(f"the target {name!r:.60} has an unsuitable loss or weight")
        if found is not None and found.kind == "multilabel":
            raise ValueError("a target has several labels")
        if end != begin + width:
            raise ValueError("the outputs are not those of the targets")
        targets.append(Target(name, found, loss, float(weight), slice(begin, end)))
        begin = end
    if not targets:
        raise ValueError("expected targets")
    return targets


def _read_diagnoses(value: Any) -> list[Diagnosis]:
    found = [Diagnosis(**one) for one in value]
    for one in found:
        layer = one.layer is None or type(one.layer) is int
        texts = type(one.kind) is str and type(one.message) is str
        if not (layer and texts and _is_number(one.value) and type(one.epoch) is int):
            raise ValueError("expected diagnoses")
    return found


def _read_random(value: Any) -> np.random.RandomState:
    if type(value) is not str:
        raise ValueError("expected the state of a random generator")
    random = np.random.RandomState(0)
    set_from_text(random, value)
    return random


def _write_conformal(found: dict[Any, Conformal]) -> Any:
    return {target: [one.scores, one.rows] for target, one in found.items()}


def _read_conformal(value: Any) -> dict[Any, Conformal]:
    return {target: Conformal.checked(scores, rows) for target, (scores, rows) in value.items()}


def _write_background(found: Background) -> Any:
    return [found.inputs, found.counts]


def _read_background(value: Any) -> Background:
    inputs, counts = value
    arrays = {f"{BACKGROUND_KEY}.inputs": inputs, f"{BACKGROUND_KEY}.counts": counts}
    found = Background.from_file(arrays, {}, inputs.shape[1])
    assert found is not None
    return found


def _is_temperature(value: Any) -> bool:
    numbers = value.values() if isinstance(value, dict) else [value]
    return all(_is_number(number) and 0 < number < np.inf for number in numbers)


def _is_whole(value: Any) -> bool:
    return type(value) is int and 0 <= value < 2**63


def _is_number(value: Any) -> bool:
    return type(value) in (int, float)


def _are_names(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.dtype == object and value.ndim == 1


def _is_array(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.dtype.kind in "biuf"


WHOLE = _plain("a whole number", _is_whole)
NUMBER = _plain("a number", _is_number)
FLAG = _plain("true or false", lambda value: type(value) is bool)
TEXT = _plain("text", lambda value: type(value) is str)
NAMES = _plain("names of columns", _are_names)
ARRAY = _plain("an array of numbers", _is_array)
CURVE = Kind(lambda curve: np.array(curve, np.float64), _read_curve)
CURVES = Kind(
    lambda curves: {name: np.array(curve, np.float64) for name, curve in curves.items()},
    _read_curves,
)
SCALE = Kind(lambda scale: [scale.mean, scale.deviation], _read_scale)
LABELS = Kind(_write_labels, _read_labels)
TARGETS = Kind(_write_targets, _read_targets)
DIAGNOSES = Kind(lambda found: [asdict(one) for one in found], _read_diagnoses)
RANDOM = Kind(as_text, _read_random)

CONFORMAL = Kind(_write_conformal, _read_conformal)
BACKGROUND = Kind(_write_background, _read_background)
ENSEMBLE = Kind(EnsembleSummary.to_details, EnsembleSummary.from_details)
TEMPERATURE = _plain("a temperature above 0, or one for each target", _is_temperature)

ATTRIBUTES: Mapping[str, Kind] = {
    "n_features_in_": WHOLE,
    "n_outputs_": WHOLE,
    "n_layers_": WHOLE,
    "n_iter_": WHOLE,
    "t_": WHOLE,
    "seed_": _optional(WHOLE),
    "out_activation_": TEXT,
    "loss_": NUMBER,
    "best_loss_": _optional(NUMBER),
    "best_validation_score_": _optional(NUMBER),
    "loss_curve_": CURVE,
    "validation_loss_curve_": _optional(CURVE),
    "validation_scores_": _optional(CURVE),
    "feature_names_in_": NAMES,
    "diagnostics_": DIAGNOSES,
    "_input_scale": _optional(SCALE),
    "_target_scale": _optional(SCALE),
    "_column_means": ARRAY,
    "_labels": LABELS,
    "_target_name": TEXT,
    "_no_improvement_count": WHOLE,
    "_random_state": RANDOM,
    "temperature_": TEMPERATURE,
    "_conformal": CONFORMAL,
    "_background": BACKGROUND,
    "ensemble_": ENSEMBLE,
    # Of NetworkMixed.
    "targets_": TARGETS,
    "target_loss_curves_": CURVES,
    "validation_target_loss_curves_": CURVES,
    "_flat": FLAG,
}
"""Every fitted attribute in a file; one that an estimator does not have is not written."""


def consistency_fault(attributes: Mapping[str, Any], n_inputs: int, n_outputs: int) -> str:
    """Return what is wrong with attributes of a file for a network of such a size, or ""."""
    scales = {"_input_scale": n_inputs, "_target_scale": n_outputs}
    for name, width in scales.items():
        scale = attributes.get(name)
        if scale is not None and scale.mean.shape != (width,):
            return f"{name} is not for {width} columns"
    labels, targets = attributes.get("_labels"), attributes.get("targets_")
    if labels is not None and labels.n_outputs != n_outputs:
        return f"{len(labels.classes)} classes do not fit {n_outputs} outputs"
    if targets is not None and targets[-1].units.stop != n_outputs:
        return f"the targets do not fit {n_outputs} outputs"
    columns = {target.name: 1 for target in targets or ()} or {None: 1 if labels else n_outputs}
    for target, conformal in attributes.get("_conformal", {}).items():
        if conformal.scores.shape[1] != columns.get(target):
            return "its calibration scores do not fit its targets"
    if attributes["n_outputs_"] != n_outputs:
        return "its number of outputs is not the network's"
    width = attributes["n_features_in_"]
    for name in ("feature_names_in_", "_column_means"):
        found: NDArray[Any] | None = attributes.get(name)
        if found is not None and found.shape != (width,):
            return f"{name} does not have {width} entries"
    return ""
