"""A snapshot as the binary frame of `layout`: maps over a plane, parameters, losses, gradients."""

from base64 import b64encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from chainrule.engines.base import Engine, Examples, Floats, Problem
from chainrule.engines.passes import as_columns, backward_pass, forward_pass
from chainrule.network.parameters import views
from chainrule.network.spec import NetworkSpec
from chainrule.playground.session import layout
from chainrule.playground.session.drawn import Drawn
from chainrule.playground.session.planes import Plane
from chainrule.playground.session.snapshot import Snapshot
from chainrule.playground.session.subject import Subject
from chainrule.training.metrics import METRICS, accuracy

# Widths of the maps, from which those are taken with which a frame is not too large.
_MAPS, _UNITS, _DETAILS = (
    (64, 56, 48, 40, 32, 24, 16, 8),
    (20, 16, 12, 10, 8, 6, 4),
    (48, 32, 24, 16),
)

# OpenBLAS divides no product of fewer multiplications among threads.
_MOST_OF_A_PRODUCT = 1 << 18

_MOST_OF_A_GRID = 8 << 20
"""Bytes of the inputs at all points of a map; each plane keeps those of its maps."""

MOST_MEASURED = 1_000
"""Rows of each part on which a frame's metrics are measured while it runs, evenly spaced."""
_MOST_EXACT = 400_000_000
"""Multiplications, about, for which all rows are measured once the training waits."""
MOST_FOR_GRADIENTS = 256
"""Training rows on which gradients are measured, evenly spaced."""


class Sizes(NamedTuple):
    """Widths of the maps of a frame."""

    output: int
    units: int
    detail: int


@dataclass(frozen=True)
class Flags:
    """What a frame says beside its snapshot."""

    running: bool = False
    travelling: bool = False


class Measured(NamedTuple):
    """Numbers of a snapshot that do not depend on what a page looks at."""

    train_loss: float
    test_loss: float
    learning_rate: float
    gradient_norm: float
    metrics: list[float]
    gradient: Floats
    """∂J/∂θ on a sample of the training rows; penalties included."""
    weight_norms: list[float]


@dataclass(eq=False)
class Scene:
    """Draws the snapshots of one training.

    Parameters
    ----------
    subject : Subject
    engine : Engine
    """

    subject: Subject
    engine: Engine
    drawn: Drawn = field(init=False)
    _samples: dict[str, Examples | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.drawn = Drawn(self.subject.spec)

    @property
    def channels(self) -> int:
        """1 for values and two classes, 2 for more classes."""
        return 2 if len(self.subject.classes) > 2 else 1

    @property
    def metric_names(self) -> list[str]:
        """The names of a frame's metrics: of training, and of validation if there are such rows."""
        name = "accuracy" if self.subject.classes else "RMSE"
        parts = self.subject.parts
        names = [f"train {name}"] if parts and len(parts[0]) else []
        return names + ([f"test {name}"] if len(parts) > 1 and len(parts[1]) else [])

    @cached_property
    def output_range(self) -> tuple[float, float]:
        """The values that the output map's 0 and 255 stand for: those of the targets."""
        if self.subject.classes:
            return 0.0, 1.0
        truths = [part.truth for part in self.subject.parts if len(part)]
        if not truths:
            coder = self.subject.coder
            if coder is None:
                return -1.0, 1.0
            low, high = (self.subject.values_of(np.array([[z]]))[0] for z in (-2.0, 2.0))
            return float(low), float(high)
        low, high = np.quantile(np.concatenate(truths).astype(np.float64), [0.01, 0.99])
        return (float(low), float(high)) if low < high else (float(low) - 1, float(low) + 1)

    def sizes(self, detail: bool, backward: bool) -> Sizes:
        """Return the widths of the maps with which a frame stays below its largest size."""
        drawn, extra = self.drawn, 8 * detail
        fixed = (
            layout.HEADER.size
            + extra
            + 4
            * (
                len(self.metric_names)
                + len(drawn.layers)
                + len(drawn.values) * (1 + backward)
                + drawn.n_units * (2 + backward)
            )
        )
        left, places = layout.MAX_BYTES - fixed, [0, 0, 0]
        options = (*map(self._affordable, (_MAPS, _UNITS)), (0,))
        if detail:
            options = (*options[:2], self._affordable(_DETAILS))
        counts = (self.channels, drawn.n_units, 1)
        while True:
            widths = [one[place] for one, place in zip(options, places, strict=True)]
            bytes_of = [count * width**2 for count, width in zip(counts, widths, strict=True)]
            if sum(bytes_of) <= left:
                return Sizes(*widths)
            # What takes most room becomes smaller, as far as it can.
            can = [n for n in range(3) if places[n] + 1 < len(options[n])]
            if not can:
                return Sizes(widths[0], 0 if widths[1] ** 2 * drawn.n_units > left else 4, 0)
            places[max(can, key=lambda n: bytes_of[n])] += 1

    def _affordable(self, widths: tuple[int, ...]) -> tuple[int, ...]:
        """Return the widths of maps whose grids of inputs do not take much memory."""
        row = self.subject.spec.n_features * np.dtype(self.subject.spec.dtype).itemsize
        return (
            tuple(width for width in widths[:-1] if width**2 * row <= _MOST_OF_A_GRID) + widths[-1:]
        )

    def encode(
        self,
        snapshot: Snapshot,
        plane: Plane,
        run: int,
        flags: Flags,
        measured: Measured,
        detail: tuple[int, int] | None = None,
        backward: bool = False,
    ) -> bytes:
        """Return a frame."""
        drawn, spec = self.drawn, self.subject.spec
        detail = detail if detail is not None and self._has_unit(*detail) else None
        sizes = self.sizes(detail is not None, backward)
        theta = snapshot.parameters
        arrays = views(spec, theta)
        numbers: list[Any] = [measured.metrics, measured.weight_norms, theta[drawn.places]]
        if backward:
            numbers += [measured.gradient[drawn.places], self._errors(theta)]
        maps = [self._output_map(theta, plane, sizes.output)]
        with np.errstate(all="ignore"):
            hidden = self._activations(arrays, plane.grid(max(1, sizes.units)))
            scaled = [_scaled(unit, sizes.units) for layer in hidden for unit in layer]
            ranges = [(low, high) for low, high, _ in scaled]
            maps += [image for _, _, image in scaled]
            numbers.append(np.ravel(ranges))
            if detail is not None:
                layer, unit = detail
                grid = plane.grid(sizes.detail)
                values = self._activations(arrays, grid, layer)[-1][unit]
                low, high, image = _scaled(values, sizes.detail)
                numbers.append([low, high])
                maps.append(image)
        bits = (
            layout.RUNNING * flags.running
            | layout.TRAVELLING * flags.travelling
            | layout.GRADIENTS * backward
        )
        header = layout.HEADER.pack(
            *(layout.MAGIC, layout.VERSION, bits, run, snapshot.epoch, snapshot.step),
            *_singles(measured.train_loss, measured.test_loss),
            *_singles(measured.learning_rate, measured.gradient_norm),
            *(sizes.output, self.channels, sizes.units, drawn.n_units, len(drawn.values)),
            *(len(measured.metrics), sizes.detail, *(detail or (0, 0)), len(drawn.layers)),
        )
        with np.errstate(over="ignore"):
            floats = np.concatenate([np.asarray(part, "<f4").ravel() for part in numbers])
        return header + floats.tobytes() + b"".join(image.tobytes() for image in maps)

    def input_maps(self, plane: Plane, size: int = 20) -> dict[str, Any] | None:
        """Return maps of the drawn inputs over a plane; None if an embedding changes them."""
        if self.drawn.layers[0].index:
            return None
        columns, maps = as_columns(plane.grid(size)), []
        for place in self.drawn.inputs:
            low, high, image = _scaled(columns[place], size)
            data = b64encode(image.tobytes()).decode()
            maps.append({"lo": low, "hi": high, "data": data})
        return {"size": size, "maps": maps}

    def measured(self, snapshot: Snapshot, running: bool = False) -> Measured:
        """Return losses, metrics and gradients of a snapshot.

        While it runs, losses are those of the last epoch, and metrics are measured on a sample of
        the rows; while it waits, both are measured on all rows, unless that takes long.
        """
        train, test = (self._rows(snapshot, part, running) for part in ("train", "test"))
        ended = snapshot.ended if snapshot.at_epoch_end or running else None
        metrics = []
        losses = []
        for examples, has in ((train, self._has(0)), (test, self._has(1))):
            loss = float("nan")
            if examples is not None and has:
                outputs = self._outputs(snapshot.parameters, examples.X)
                metrics.append(self._metric(outputs, examples))
                if ended is None:
                    loss = self._loss(snapshot, examples)
            losses.append(loss)
        if ended is not None:
            held_out = ended.validation_loss
            losses = [ended.loss, float("nan") if held_out is None else held_out]
        gradient = self._gradient(snapshot)
        with np.errstate(all="ignore"):
            norm = float(np.linalg.norm(gradient)) if ended is None else ended.gradient_norm
        norms = self._norms(gradient)
        rate = float("nan") if snapshot.learning_rate is None else snapshot.learning_rate
        return Measured(losses[0], losses[1], rate, norm, metrics, gradient, norms)

    def weight_norms(self, snapshot: Snapshot) -> list[float]:
        """Return ‖∂J/∂W[l]‖ of the dense layers, on a sample of the training rows."""
        return self._norms(self._gradient(snapshot))

    def _norms(self, gradient: Floats) -> list[float]:
        with np.errstate(all="ignore"):
            return [float(np.linalg.norm(gradient[place])) for place in self.drawn.weights]

    def _gradient(self, snapshot: Snapshot) -> Floats:
        gradient = np.zeros_like(snapshot.parameters)
        few = self._sample(snapshot, "gradients")
        if few is not None:
            problem = Problem(self.subject.spec, snapshot.parameters, few, snapshot.penalties)
            with np.errstate(all="ignore"):
                self.engine.loss_and_gradient(problem, gradient)
        return gradient

    def _has(self, part: int) -> bool:
        return len(self.subject.parts) > part and len(self.subject.parts[part]) > 0

    def _has_unit(self, layer: int, unit: int) -> bool:
        layers = self.drawn.layers
        return 1 <= layer <= len(layers) and 0 <= unit < layers[layer - 1].units

    def _outputs(self, theta: Floats, X: Floats) -> Floats:
        outputs = np.empty((len(X), self.subject.spec.n_outputs), self.subject.spec.dtype)
        with np.errstate(all="ignore"):
            self.engine.forward(self.subject.spec, theta, X, outputs)
        return outputs

    def _loss(self, snapshot: Snapshot, examples: Examples) -> float:
        problem = Problem(self.subject.spec, snapshot.parameters, examples)
        with np.errstate(all="ignore"):
            return float(self.engine.loss(problem))

    def _metric(self, outputs: Floats, examples: Examples) -> float:
        targets = examples.targets(self.subject.spec.n_outputs)
        with np.errstate(all="ignore"):
            if self.subject.classes:
                return accuracy(outputs, targets)
            coder = self.subject.coder
            if coder is None:
                return METRICS["rmse"](outputs, targets)
            values, truth = self.subject.values_of(outputs), self.subject.values_of(targets)
            return float(np.sqrt(np.mean(np.square(values - truth))))

    def _rows(self, snapshot: Snapshot, part: str, running: bool) -> Examples | None:
        """Return the rows of a part on which losses and metrics are measured."""
        examples = snapshot.test if part == "test" else snapshot.examples
        if examples is None or running:
            return self._sample(snapshot, part)
        exact = len(examples.X) * len(snapshot.parameters) <= _MOST_EXACT and len(examples.X) > 0
        return examples if exact else self._sample(snapshot, part)

    def _sample(self, snapshot: Snapshot, name: str) -> Examples | None:
        """Return evenly spaced rows of a part, copied once."""
        if name not in self._samples:
            examples = snapshot.test if name == "test" else snapshot.examples
            most = MOST_FOR_GRADIENTS if name == "gradients" else MOST_MEASURED
            if examples is not None and len(examples.X) > most:
                examples = examples.take(np.linspace(0, len(examples.X) - 1, most).astype(np.intp))
            self._samples[name] = examples if examples is not None and len(examples.X) else None
        return self._samples[name]

    def _output_map(self, theta: Floats, plane: Plane, size: int) -> NDArray[np.uint8]:
        outputs = self._outputs(theta, plane.grid(size))
        if self.channels == 2:
            best = outputs.argmax(axis=1)
            sure = outputs[np.arange(len(outputs)), best]
            return np.concatenate([best.astype(np.uint8), _bytes(sure, 0.0, 1.0)])
        subject = self.subject
        values = outputs[:, -1] if subject.classes else subject.values_of(outputs)
        return _bytes(values, *self.output_range)

    def _activations(
        self, arrays: Sequence[Sequence[Floats]], X: Floats, only: int | None = None
    ) -> list[Floats]:
        """Return the drawn units of every dense layer at some inputs, (units, rows); or of one."""
        drawn, spec = self.drawn, self.subject.spec
        upto = len(spec.layers) if only is None else drawn.layers[only - 1].last + 1
        found = []
        for rows in _blocks(spec, len(X)):
            A, kept = as_columns(X[rows]), []
            for layer, theta in zip(spec.layers[:upto], arrays, strict=False):
                A = layer.forward(theta, A).A
                kept.append(A)
            if only is None:
                kept = [kept[one.last][: len(drawn.units(one))] for one in drawn.layers]
            found.append(kept[-1:] if only is not None else kept)
        return [np.concatenate(blocks, axis=1) for blocks in zip(*found, strict=True)]

    def _errors(self, theta: Floats) -> NDArray[np.floating]:
        """Return mean |δ| of the drawn units over a sample of the training rows."""
        drawn, spec = self.drawn, self.subject.spec
        few = self._samples.get("gradients")
        if few is None:
            return np.zeros(drawn.n_units)
        targets, total = few.targets(spec.n_outputs), np.zeros(drawn.n_units)
        with np.errstate(all="ignore"):
            arrays = views(spec, theta)
            for rows in _blocks(spec, len(few.X)):
                X, Y = as_columns(few.X[rows]), as_columns(targets[rows])
                deltas = backward_pass(spec, arrays, X, Y, forward_pass(spec, arrays, X)).deltas
                total += np.concatenate(
                    [
                        np.abs(deltas[layer.index][: len(drawn.units(layer))]).sum(axis=1)
                        for layer in drawn.layers
                    ]
                )
            return total / len(few.X)


def _blocks(spec: NetworkSpec, rows: int) -> Iterator[slice]:
    """Yield blocks of rows whose products are too small for the threads of NumPy's BLAS.

    These threads keep both cores busy while they wait for each other, many times as long as the
    products take.
    """
    largest = max(n_in * n_out for n_in, n_out in pairwise(spec.sizes))
    size = max(4, _MOST_OF_A_PRODUCT // largest)
    for start in range(0, rows, size):
        yield slice(start, start + size)


def _singles(*numbers: float) -> list[float]:
    """Return numbers rounded to float32; what is too large for it is infinite."""
    with np.errstate(over="ignore"):
        return np.array(numbers).astype(np.float32).tolist()  # type: ignore[no-any-return]


def _bytes(values: NDArray[Any], low: float, high: float) -> NDArray[np.uint8]:
    with np.errstate(all="ignore"):
        places = np.nan_to_num((values - low) * (255 / (high - low)), posinf=255, neginf=0)
    return np.clip(np.rint(places), 0, 255).astype(np.uint8)


def _scaled(values: NDArray[Any], size: int) -> tuple[float, float, NDArray[np.uint8]]:
    """Return lowest and highest value, and the map between them."""
    finite = np.nan_to_num(values.astype(np.float64), posinf=3e38, neginf=-3e38)
    low, high = float(finite.min()), float(finite.max())
    if size == 0 or not high > low:
        return low, high, np.zeros(size * size, np.uint8)
    return low, high, _bytes(finite, low, high)
