"""`Recorder`, a callback that keeps the parameters of the epochs of a training."""

from collections.abc import Sequence

import numpy as np

from chainrule.checks import positive_number, whole_number
from chainrule.pictures.animation.stage import still
from chainrule.pictures.picture import Picture
from chainrule.training.events import EpochEnded, Event, Resumed, Stopped
from chainrule.training.recording.filming import film_of
from chainrule.training.recording.recording import Recording
from chainrule.training.watching import Training

_CURVE_POINTS = 150
"""Epochs whose gradients the curves of a still show."""


class Recorder(Recording):
    """A callback that records a training: parameters, losses and metrics of its epochs.

    `animate` makes an animation of it, `picture` a still image of one epoch. Recording copies the
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
        super().__init__(whole_number("every", every, 1), positive_number("megabytes", megabytes))
        self._training: Training | None = None
        self._last: EpochEnded | None = None

    def training_begins(self, training: Training) -> None:
        """Record the parameters that a training begins with."""
        state = training.state
        # A training that resumes within an epoch has the parameters of its beginning here.
        begun = state.start.before if state.start.before is not None else training.parameters
        epoch = state.epochs_before + state.epochs
        self._begin(training.spec, epoch, begun)
        self.best_epoch, self._last, self._training = None, None, training
        self._keep(training.plan.problem.examples, training.plan.validation)

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
        """Release the training, so that its arrays can be freed."""
        self._training = None

    def picture(
        self,
        epoch: int | None = None,
        *,
        theme: str = "light",
        feature_names: Sequence[str] | None = None,
        class_names: Sequence[str] | None = None,
    ) -> Picture:
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
        index = self.index(epoch)
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

    def _epoch_ended(self, event: EpochEnded) -> None:
        assert self._training is not None
        self._record(event.epoch, self._training.parameters, event.row())
