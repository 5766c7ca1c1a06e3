"""What a page is told about a network, its points and its plane, before any frame."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.network.parameters import parameter_count
from chainrule.playground.session.frames import Scene
from chainrule.playground.session.history import finite
from chainrule.playground.session.planes import Plane, pair_columns
from chainrule.playground.session.subject import Subject

MOST_POINTS = 2_000

_LONGEST_TEXT = 200


def described(scene: Scene, plane: Plane, notes: tuple[str, ...]) -> dict[str, Any]:
    """Return the description of a network for a page that looks at a plane."""
    subject, drawn, spec = scene.subject, scene.drawn, scene.subject.spec
    low, high = scene.output_range
    return {
        "task": subject.task,
        "target": subject.target,
        "classes": list(subject.classes) or None,
        "inputs": [
            {"name": name, "column": subject.columns[place]}
            for name, place in spec.named_units(subject.features)
        ],
        "drawn_inputs": list(drawn.inputs),
        "input_maps": scene.input_maps(plane),
        "layers": drawn.to_json(),
        "n_parameters": parameter_count(spec),
        "drawn_values": [
            {"name": name, "layer": layer, "row": row, "column": column}
            for name, layer, row, column in drawn.values
        ],
        "points": _points(subject, plane),
        "rows": [len(part) for part in subject.parts],
        "plane": plane.to_json(),
        "pair_columns": list(dict.fromkeys(pair_columns(subject))),
        "output": {"channels": scene.channels, "lo": low, "hi": high},
        "metrics": scene.metric_names,
        "notes": list(notes),
    }


def _points(subject: Subject, plane: Plane) -> dict[str, Any]:
    """Return points of the plane: all rows, or a sample of them that the seed 0 draws."""
    x, y = plane.places
    shown = np.flatnonzero(np.isfinite(x) & np.isfinite(y))
    if len(shown) > MOST_POINTS:
        chosen = np.random.RandomState(0).permutation(len(shown))[:MOST_POINTS]
        shown = shown[np.sort(chosen)]
    parts = [part for part in subject.parts if len(part)]
    truth: NDArray[Any] = np.concatenate([part.truth for part in parts]) if parts else np.empty(0)
    numbers = [number for number, part in enumerate(subject.parts) for _ in range(len(part))]
    part_of = np.array(numbers, np.intp)
    as_target = int if subject.classes else float
    return {
        "x": [float(f"{value:.6g}") for value in x[shown]],
        "y": [float(f"{value:.6g}") for value in y[shown]],
        "target": [as_target(value) for value in truth[shown]],
        "part": part_of[shown].tolist(),
        "index": shown.tolist(),
    }


def described_point(
    subject: Subject, part: int, place: int, outputs: NDArray[Any]
) -> dict[str, Any]:
    """Return a row and its prediction, from the network's outputs for it, (1, n[L])."""
    own = subject.parts[part]
    if own.table is None:
        row = dict(zip(subject.features, map(finite, own.X[place]), strict=True))
    else:
        row = {name: _cell(value) for name, value in own.table.row(place, named=True).items()}
    found: dict[str, Any] = {
        "row": row,
        "name": f"row {place + 1}" if own.numbers is None else own.numbers.named(place),
        "part": ("train", "test", "set aside")[part],
        "probabilities": None,
    }
    if not subject.classes:
        value = finite(subject.values_of(outputs)[0])
        return found | {"target": finite(own.truth[place]), "prediction": value}
    probabilities = subject.probabilities_of(outputs)[0]
    named = {
        name: finite(value) for name, value in zip(subject.classes, probabilities, strict=False)
    }
    return found | {
        "target": subject.classes[int(own.truth[place])],
        "prediction": subject.classes[int(np.argmax(probabilities))],
        "probabilities": named,
    }


def _cell(value: Any) -> Any:
    """Return a value of a table for JSON."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return finite(value)
    return str(value)[:_LONGEST_TEXT]
