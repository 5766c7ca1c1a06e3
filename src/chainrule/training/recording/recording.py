"""What a recorder holds of a training: a bounded number of its epochs."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.checks import is_whole, shown
from chainrule.engines.base import Examples, Floats
from chainrule.errors import InvalidArgumentError
from chainrule.network.spec import NetworkSpec
from chainrule.training.recording.measurements import LayerMeasurements, measurements

_MOST_EXAMPLES = 500
"""The most training examples, and validation examples, that are kept: pictures show no more."""
_BYTES_OF_A_ROW = 1024
"""What an epoch takes besides its parameters: a row of the history, as Python objects."""


class Recording:
    """The recorded epochs of a training, in at most some memory.

    Parameters
    ----------
    every : int
        The distance of two recorded epochs.
    megabytes : float
        The most memory that the recording may take.

    Attributes
    ----------
    every : int
    spec : NetworkSpec or None
        The network's specification; None before the first training.
    best_epoch : int or None
        The epoch whose weights early stopping kept; None for the last one.
    """

    def __init__(self, every: int, megabytes: float) -> None:
        self.every = self._begun_every = every
        self.megabytes = megabytes
        self.spec: NetworkSpec | None = None
        self.best_epoch: int | None = None
        self._examples: Examples | None = None
        self._held_out: Examples | None = None
        self._epochs: list[int] = []
        self._parameters: list[Floats] = []
        self._rows: list[dict[str, float]] = []

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
        return self._parameters[self.index(epoch)].copy()

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
        index = self.index(epoch)
        spec, examples, _ = self.data()
        return measurements(spec, self._parameters[index], examples)

    def _continues(self, spec: NetworkSpec, epoch: int, parameters: Floats) -> bool:
        return (
            bool(self._epochs)
            and self.spec == spec
            and self._epochs[-1] == epoch
            and np.array_equal(self._parameters[-1], parameters)
        )

    def _begin(self, spec: NetworkSpec, epoch: int, parameters: Floats) -> None:
        """Begin with the parameters before the first step, unless they go on with the recording."""
        if self._continues(spec, epoch, parameters):
            return
        self.spec, self.every = spec, self._begun_every
        self._epochs, self._parameters, self._rows = [], [], []
        self._record(epoch, parameters, {})

    def _keep(self, examples: Examples, held_out: Examples | None) -> None:
        """Keep samples of the training examples and of the validation examples."""
        self._examples = _sample(examples)
        self._held_out = None if held_out is None else _sample(held_out)

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

    def index(self, epoch: int | None) -> int:
        """Return the place of an epoch among those recorded; None: the last one.

        Raises
        ------
        InvalidArgumentError
            If it was not recorded, or nothing was.
        """
        self.data()
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

    def data(self) -> tuple[NetworkSpec, Examples, Examples | None]:
        """Return the network's specification and samples of training and validation examples.

        Raises
        ------
        InvalidArgumentError
            If no training was recorded.
        """
        if self.spec is None or self._examples is None:
            raise InvalidArgumentError(
                "recorder: expected one that has recorded a training; got an unused one. Pass it "
                "to fit, callbacks=[recorder]"
            )
        return self.spec, self._examples, self._held_out


def _sample(examples: Examples) -> Examples:
    """Return copies of at most 500 examples, evenly spaced."""
    m = len(examples.X)
    rows: NDArray[Any] = np.unique(np.linspace(0, m - 1, min(m, _MOST_EXAMPLES)).astype(np.intp))
    return examples.take(rows)
