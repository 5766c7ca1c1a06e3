"""A recording as the numbers of a film."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from chainrule.errors import InvalidArgumentError
from chainrule.network.parameters import parameter_count
from chainrule.network.spec import NetworkSpec
from chainrule.pictures.animation.film import Activations, Film, Scene
from chainrule.printable import printable
from chainrule.training.recording.measurements import activations, counted, groups, measurements
from chainrule.training.recording.planes import Cut, Units, cut_through, outputs_on
from chainrule.training.recording.recording import Recording

BINS = 40
"""In which a layer's activations are counted."""
_FINE, _COARSE = 96, 48
"""Points of the grid along each axis, for networks of up to `_SMALL` parameters, and for others."""
_SMALL = 50_000


def film_of(
    recording: Recording,
    epochs: Sequence[int],
    feature_names: Sequence[str] | None = None,
    class_names: Sequence[str] | None = None,
    *,
    scaled: bool = False,
    units: Units | None = None,
) -> Film:
    """Return the film of some epochs of a recording.

    Parameters
    ----------
    recording : Recording
    epochs : sequence of int
        Recorded ones.
    feature_names, class_names : sequences of str, optional
        Names of the inputs and of the outputs.
    scaled : bool
        Whether the inputs were scaled from units that the network does not know.
    units : callable, optional
        From the network's values to those of the reader.

    Raises
    ------
    InvalidArgumentError
        If nothing was recorded, or the number of names is not that of the inputs or outputs.
    """
    spec, examples, held_out = recording.data()
    features = _names("feature_names", feature_names, (spec.n_features,))
    # A single probability has two classes.
    wanted = (spec.n_outputs, 2) if spec.n_outputs == 1 else (spec.n_outputs,)
    outputs = _names("class_names", class_names, wanted)
    cut = cut_through(spec, examples, held_out, features, outputs, scaled, units)
    inputs = None
    if cut is not None:
        size = _FINE if parameter_count(spec) <= _SMALL else _COARSE
        inputs = np.ascontiguousarray(cut.inputs(size), spec.dtype)

    def of(epoch: int) -> NDArray[np.floating]:
        return recording.parameters(epoch)

    measured = [measurements(spec, of(epoch), examples) for epoch in epochs]
    norms = np.array([[layer.gradient_norm for layer in layers] for layers in measured])
    lows, highs = (
        np.array([[_end(layer.activations, end) for layer in layers] for layers in measured])
        for end in (0.005, 0.995)
    )
    ranges = _ranges(spec, lows, highs)
    del measured

    @lru_cache(maxsize=16)  # of a short film, all: its scale of weights takes some frames, too
    def scene(frame: int) -> Scene:
        parameters = of(epochs[frame])
        shown = None
        if cut is not None and inputs is not None:
            shown = outputs_on(cut, spec, parameters, inputs)
        layers = activations(spec, parameters, examples)
        counts = [
            counted(layer, one.low, one.high, BINS)
            for layer, one in zip(layers, ranges, strict=True)
        ]
        return Scene(parameters, shown, counts)

    return Film(
        spec,
        tuple(epochs),
        recording.columns,
        ranges,
        norms,
        scene,
        None if cut is None else cut.plane,
        features,
        _output_names(spec, outputs, cut),
        recording.best_epoch,
    )


def _output_names(spec: NetworkSpec, given: list[str], cut: Cut | None) -> list[str]:
    """Return the names of the outputs: those given, or the numbers of the classes."""
    if len(given) == spec.n_outputs:
        return given
    classes = list(cut.plane.classes) if cut is not None else []
    return classes if len(classes) == spec.n_outputs else []


def _end(activations: NDArray[np.floating], quantile: float) -> float:
    finite = activations[np.isfinite(activations)]
    return float(np.quantile(finite, quantile)) if finite.size else 0.0


def _ranges(
    spec: NetworkSpec, lows: NDArray[np.float64], highs: NDArray[np.float64]
) -> list[Activations]:
    """Return the range of each layer's activations over the film: that of σ, if it is bounded."""
    found = []
    for number, (first, last) in enumerate(groups(spec)):
        name = spec.activations[last].name
        low, high = float(lows[:, number].min()), float(highs[:, number].max())
        if name in ("sigmoid", "softmax"):
            low, high = 0.0, 1.0
        elif name == "tanh":
            low, high = -1.0, 1.0
        elif low >= 0:
            low = 0.0
        if not low < high:
            low, high = low - 0.5, high + 0.5
        # A normalisation after the activation has none of its own.
        names = [spec.activations[index].name for index in range(first, last + 1)]
        own = [one for one in names if one != "identity"]
        found.append(Activations((own or names)[-1], low, high))
    return found


def _names(argument: str, names: Sequence[str] | None, expected: tuple[int, ...]) -> list[str]:
    if names is None:
        return []
    if isinstance(names, str) or len(names) not in expected:
        got = "a text" if isinstance(names, str) else len(names)
        raise InvalidArgumentError(
            f"{argument}: expected {' or '.join(map(str, expected))} names; got {got}"
        )
    return [printable(str(name)) for name in names]
