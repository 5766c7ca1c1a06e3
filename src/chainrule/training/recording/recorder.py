"""`Recorder`, a callback that keeps the parameters of the epochs of a training."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from chainrule.checks import is_whole, positive_number, shown, whole_number
from chainrule.engines.base import Examples, Floats
from chainrule.errors import InvalidArgumentError
from chainrule.network.spec import NetworkSpec
from chainrule.training.events import EpochEnded, Event, Resumed, Stopped
from chainrule.training.recording.measurements import LayerMeasurements, measurements
from chainrule.training.watching import Training

if TYPE_CHECKING:
    from chainrule.pictures.picture import Picture

_MOST_EXAMPLES = 500
"""The most training examples, and validation examples, that are kept: pictures show no more."""
_CURVE_POINTS = 150
"""Epochs whose gradients the curves of a still show."""
_BYTES_OF_A_ROW = 1024
"""What an epoch takes besides its parameters: a row of the history, as Python objects."""


class Recorder:
    """A callback that records a training: parameters, losses and metrics of its epochs.

    `animate` makes a film of the recording, `picture` a still of one epoch. Recording copies the
    parameters and does nothing else, so the training has the same bits as without it.

    The memory is bounded: when the recording would exceed `megabytes`, every second epoch of it is
    dropped, and from then on only half as many are recorded (`every` doubles). The first and the
    last epoch are always kept.

    A second training continues the recording if it continues the network that was recorded;
    otherwise it begins a new one.

    Parameters
    ----------
    every : int, default 1
        Record each epoch (1), each second one (2), and so on.
    megabytes : float, default 256
        The most memory that the recording may take.

    Attributes
    ----------
    every : int
        The current distance of two recorded epochs.
    spec : NetworkSpec or None
        The network's specification; None before the first training.
    best_epoch : int or None
        The epoch whose weights early stopping kept; None for the last one.

    Raises
    ------
    InvalidArgumentError
        If an argument is not such a number.

    Examples
    --------
    >>> import numpy as np, chainrule as cr
    >>> X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
    >>> net = cr.Network([2, cr.Dense(8, "tanh"), cr.Dense(2, "softmax")], "cross_entropy", seed=0)
    >>> recorder = cr.Recorder(every=10)
    >>> history = net.fit(X, [0, 1, 1, 0], epochs=40, callbacks=[recorder])
    >>> recorder.epochs
    [0, 10, 20, 30, 40]
    >>> np.array_equal(recorder.parameters(40), net.parameters)
    True
    """

    def __init__(self, every: int = 1, *, megabytes: float = 256) -> None:
        self.every = self._begun_every = whole_number("every", every, 1)
        self.megabytes = positive_number("megabytes", megabytes)
        self.spec: NetworkSpec | None = None
        self.best_epoch: int | None = None
        self._training: Training | None = None
        self._examples: Examples | None = None
        self._held_out: Examples | None = None
        self._epochs: list[int] = []
        self._parameters: list[Floats] = []
        self._rows: list[dict[str, float]] = []
        self._last: EpochEnded | None = None

    def training_begins(self, training: Training) -> None:
        """Record the parameters that a training begins with."""
        state = training.state
        # A training that resumes within an epoch has the parameters of its beginning here.
        begun = state.start.before if state.start.before is not None else training.parameters
        epoch = state.epochs_before + state.epochs
        if not self._continues(training.spec, epoch, begun):
            self.spec, self.every = training.spec, self._begun_every
            self._epochs, self._parameters, self._rows = [], [], []
            self._record(epoch, begun, {})
        self.best_epoch, self._last, self._training = None, None, training
        self._examples = _sample(training.plan.problem.examples)
        validation = training.plan.validation
        self._held_out = None if validation is None else _sample(validation)

    def __call__(self, event: Event) -> None:
        """Consume an event."""
        if isinstance(event, Resumed) and event.epochs and not self._rows[-1]:
            self._rows[-1] = event.epochs[-1].row()
        elif isinstance(event, EpochEnded):
            self._last = event
            if (event.epoch - self._epochs[0]) % self.every == 0:
                self._epoch_ended(event)
        elif isinstance(event, Stopped):
            if self._last is not None and self._epochs[-1] != self._last.epoch:
                self._epoch_ended(self._last)
            self.best_epoch = event.best_epoch

    def training_ended(self, error: BaseException | None) -> None:
        """Let go of the training, so that its arrays can be freed."""
        self._training = None

    @property
    def epochs(self) -> list[int]:
        """The recorded epochs, in order; 0 stands for the parameters before the first epoch."""
        return list(self._epochs)

    def __len__(self) -> int:
        """Return the number of recorded epochs."""
        return len(self._epochs)

    @property
    def columns(self) -> dict[str, list[float]]:
        """The history of the recorded epochs: "epoch", "loss", … as lists of the same length.

        The parameters that the training began with have no losses: there, they are NaN.
        """
        names = list(dict.fromkeys(name for row in self._rows for name in row)) or ["loss"]
        found = {name: [row.get(name, float("nan")) for row in self._rows] for name in names}
        return found | {"epoch": [float(epoch) for epoch in self._epochs]}

    def parameters(self, epoch: int) -> Floats:
        """Return a copy of the parameters after an epoch, to the bit those that the network had.

        Parameters
        ----------
        epoch : int
            One of `epochs`; 0: before the first epoch.

        Returns
        -------
        array (number of parameters,)

        Raises
        ------
        InvalidArgumentError
            If that epoch was not recorded.
        """
        return self._parameters[self._index(epoch)].copy()

    def layers(self, epoch: int) -> list[LayerMeasurements]:
        """Return the activations and the gradient of each layer after an epoch, in short.

        They are those of at most 500 training examples, evenly spaced in the table, without
        dropout.

        Parameters
        ----------
        epoch : int
            One of `epochs`.

        Returns
        -------
        list of LayerMeasurements
            One for each layer with weights, in order.

        Raises
        ------
        InvalidArgumentError
            If that epoch was not recorded.
        """
        index = self._index(epoch)
        spec, examples, _ = self._recorded()
        return measurements(spec, self._parameters[index], examples)

    def picture(
        self,
        epoch: int | None = None,
        *,
        theme: str = "light",
        feature_names: Sequence[str] | None = None,
        class_names: Sequence[str] | None = None,
    ) -> "Picture":
        """Return a still of one epoch: weights, decision boundary, losses, activations, gradients.

        Parameters
        ----------
        epoch : int, optional
            One of `epochs`; by default the last one.
        theme : {"light", "dark"}, default "light"
        feature_names, class_names : sequences of str, optional
            Names of the inputs and of the outputs.

        Returns
        -------
        Picture
            A notebook shows it; `figure` gives a matplotlib figure, and `save` writes a PNG, SVG or
            PDF file.

        Raises
        ------
        InvalidArgumentError
            If the epoch was not recorded, or the number of names is not that of the inputs or
            outputs.
        """
        from chainrule.pictures.animation.stage import still
        from chainrule.training.recording.filming import film_of

        index = self._index(epoch)
        # The curves are those of the whole training.
        places = np.linspace(0, len(self) - 1, min(len(self), _CURVE_POINTS)).astype(int)
        rows = sorted({*places.tolist(), index})
        film = film_of(self, [self._epochs[row] for row in rows], feature_names, class_names)
        return still(film, theme, rows.index(index))

    def __repr__(self) -> str:
        if not self:
            return f"Recorder(every={self.every}; nothing recorded)"
        return (
            f"Recorder({len(self)} epochs from {self._epochs[0]} to {self._epochs[-1]}, "
            f"every={self.every})"
        )

    def _continues(self, spec: NetworkSpec, epoch: int, parameters: Floats) -> bool:
        return (
            bool(self._epochs)
            and self.spec == spec
            and self._epochs[-1] == epoch
            and np.array_equal(self._parameters[-1], parameters)
        )

    def _epoch_ended(self, event: EpochEnded) -> None:
        assert self._training is not None
        self._record(event.epoch, self._training.parameters, event.row())

    def _record(self, epoch: int, parameters: Floats, row: dict[str, float]) -> None:
        self._epochs.append(epoch)
        self._parameters.append(parameters.copy())
        self._rows.append(row)
        size = parameters.nbytes + _BYTES_OF_A_ROW
        if len(self) * size > max(self.megabytes * 2**20, 3 * size):
            self._thin()

    def _thin(self) -> None:
        """Keep every second epoch, of those that are recorded and of those to come."""
        self.every *= 2
        first = self._epochs[0]
        kept = [i for i, epoch in enumerate(self._epochs) if (epoch - first) % self.every == 0]
        self._epochs = [self._epochs[index] for index in kept]
        self._parameters = [self._parameters[index] for index in kept]
        self._rows = [self._rows[index] for index in kept]

    def _index(self, epoch: int | None) -> int:
        self._recorded()
        if epoch is None:
            return len(self) - 1
        if is_whole(epoch) and epoch in self._epochs:
            return self._epochs.index(epoch)
        nearest = ""
        if is_whole(epoch):
            closest = min(self._epochs, key=lambda one: abs(one - int(epoch)))
            nearest = f"; the nearest one is {closest}"
        raise InvalidArgumentError(
            f"epoch: expected one of the {len(self)} recorded epochs from {self._epochs[0]} to "
            f"{self._epochs[-1]} (every={self.every}); got {shown(epoch)}{nearest}"
        )

    def _recorded(self) -> tuple[NetworkSpec, Examples, Examples | None]:
        """Return what was recorded of the training's data, or raise if there was no training."""
        if self.spec is None or self._examples is None:
            raise InvalidArgumentError(
                "recorder: expected one that has recorded a training; got one without: give it to "
                "fit, callbacks=[recorder]"
            )
        return self.spec, self._examples, self._held_out


def _sample(examples: Examples) -> Examples:
    """Return copies of at most 500 examples, evenly spaced."""
    m = len(examples.X)
    rows: NDArray[Any] = np.unique(np.linspace(0, m - 1, min(m, _MOST_EXAMPLES)).astype(np.intp))
    return examples.take(rows)
