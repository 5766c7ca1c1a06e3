"""The learning-rate range test: a short training at increasing learning rates.

Source: Smith 2015, "Cyclical learning rates for training neural networks", section 3.3; Smith and
Topin 2017, "Super-convergence". The suggestion is fastai's: the rate at which the smoothed loss
falls most steeply over the logarithm of the rate.

Batches differ, which hides a slow fall. The loss of each batch is therefore compared with that of
the untrained network on the same batch (a control variate): where nothing is learned yet, the
difference is 0 for every batch.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from chainrule.engines.base import Examples, Penalties
from chainrule.engines.orders import epoch_orders
from chainrule.equations.averages import average_update, exponential_share
from chainrule.errors import TrainingDivergedError
from chainrule.pictures.learning_rates import learning_rate_figure, shown_limits
from chainrule.pictures.picture import Picture, wrapped
from chainrule.pictures.text_chart import text_chart
from chainrule.training.events import EpochEnded, Event
from chainrule.training.fit import fit
from chainrule.training.plan import LBFGS, Plan

# The test ends when the smoothed loss has grown to this multiple of its minimum, as in fastai.
_DIVERGED = 4.0
# Neighbours are weighted by the exponential of their distance over this share of the steps.
_SMOOTHED_SHARE = 0.05
# A slope of fewer standard errors than this could be chance.
_ERRORS = 2.0
# Of the smoothed losses of pure noise, the largest and the smallest are seldom further apart than
# this many of their standard deviations: about ten of them are independent.
_DEVIATIONS = 5.0
# A smaller fall than this share of the first loss is none: the rates are too small to tell.
_SMALLEST_FALL = 0.01
_FEWEST = 5
_NORMAL = 1.4826  # the standard deviation of a normal distribution over its median deviation

Numbers = NDArray[np.float64]


class RangeTest(Picture):
    """The result of a learning-rate range test: a curve, and the rate that it suggests.

    A notebook shows the curve, ``print`` shows a text chart; `figure` returns a matplotlib figure,
    and `save` writes a file.

    Attributes
    ----------
    learning_rates : array (steps,)
        α of each step that was taken.
    losses : array (steps,)
        The mean cost of each step's batch, before its update.
    smoothed : array (steps,)
        The losses, corrected for how hard each batch is, and averaged over neighbouring steps.
    suggestion : float or None
        The learning rate at which the smoothed loss falls most steeply over log α, before its
        minimum; None if it does not fall by more than chance.
    reason : str
        Why this is the suggestion, or why there is none.
    """

    def __init__(
        self, learning_rates: Numbers, losses: Numbers, untrained: Numbers, diverged: bool
    ) -> None:
        self.learning_rates, self.losses = learning_rates, losses
        corrected = losses - untrained + (untrained.mean() if len(untrained) else 0.0)
        weights = _weights(len(losses))
        self.smoothed = weights @ corrected
        self.suggestion, self.reason = _suggestion(
            learning_rates, corrected, self.smoothed, weights, diverged
        )
        shown = self.reason if self.suggestion is None else f"{self.suggestion:g}: {self.reason}"
        text = f"(no step with a finite loss)\n{wrapped(shown)}"
        if len(losses):
            drawn = np.where(self.smoothed <= shown_limits(self.smoothed)[1], self.smoothed, np.nan)
            chart = text_chart(
                learning_rates.tolist(),
                {"smoothed loss": drawn.tolist()},
                "learning rate (logarithmic)",
                logarithmic_across=True,
            )
            text = f"{chart}\n{wrapped(f'Learning rate {shown}')}"
        super().__init__(
            lambda: learning_rate_figure(
                self.learning_rates, self.losses, self.smoothed, self.suggestion
            ),
            text,
            f"Loss at rising learning rates. {shown}",
        )


def range_test(plan: Plan, lowest: float, highest: float, steps: int) -> RangeTest:
    """Take steps at learning rates from `lowest` to `highest`, each `highest/lowest` to a power.

    Each step is an epoch of a training whose examples are the step's batch, so that `fit` takes
    it, counts it and reports its loss like any other.

    Parameters
    ----------
    plan : Plan
        The training to test; its parameters are copied, and not changed.
    lowest, highest : float
    steps : int
    """
    problem, size = plan.problem, plan.batch_size
    batches = _Batches(problem.examples, size, plan.seed, plan.epochs_before)
    rates = lowest * (highest / lowest) ** (np.arange(steps) / max(1, steps - 1))
    losses: list[float] = []
    untrained: list[float] = []
    watch = _Divergence()
    beginning = replace(problem, parameters=problem.parameters.copy(), penalties=Penalties())

    def advance() -> None:
        batches.advance()
        untrained.append(plan.engine.loss(replace(beginning, examples=batches.current)))

    def note(event: Event) -> bool:
        if not isinstance(event, EpochEnded):
            return False
        losses.append(event.loss)
        return watch.is_over(event.loss)

    assert not isinstance(plan.optimizer, LBFGS)
    diverged = False
    try:
        fit(
            replace(
                plan,
                problem=replace(
                    problem, parameters=problem.parameters.copy(), examples=batches.current
                ),
                optimizer=replace(plan.optimizer, learning_rate=float(rates[0])),
                epochs=steps,
                shuffle=False,
                stopping=None,
                next_rate=lambda done: float(rates[min(done, steps - 1)]),
                watched=True,
                diagnosed=False,
            ),
            [note],
            before_epoch=advance,
        )
    except TrainingDivergedError:
        diverged = True
    diverged = diverged or watch.over
    found = np.asarray(losses, np.float64)
    count = len(found)
    return RangeTest(rates[:count], found, np.asarray(untrained[:count]), diverged)


class _Batches:
    """The batches of consecutive epochs, one after the other in the same arrays."""

    def __init__(self, examples: Examples, size: int, seed: int, epochs_before: int) -> None:
        if examples.weights is not None:  # a batch needs examples that count
            examples = examples.take(np.flatnonzero(examples.weights > 0))
        self._examples, self._size = examples, min(size, len(examples.X))
        self._seed, self._epoch = seed, epochs_before
        self._order = np.empty(0, np.int32)
        self.current = examples.take(np.arange(self._size))

    def advance(self) -> None:
        """Replace the current batch by the next one; what an epoch leaves over is not used."""
        if len(self._order) < self._size:
            self._epoch += 1
            one = range(self._epoch, self._epoch + 1)
            self._order = epoch_orders(self._seed, one, len(self._examples.X), True)[0]
        rows, self._order = self._order[: self._size], self._order[self._size :]
        new, current = self._examples.take(rows), self.current
        current.X[...], current.Y[...] = new.X, new.Y
        if current.weights is not None:
            current.weights[...] = new.weights


class _Divergence:
    """Tells when the loss has grown so much that larger learning rates show nothing new."""

    def __init__(self) -> None:
        self.over = False
        self._average, self._lowest, self._count = 0.0, float("inf"), 0

    def is_over(self, loss: float) -> bool:
        """Process a loss."""
        self._count += 1
        share = float(exponential_share(self._count, 0.9))
        self._average = float(average_update(self._average, loss, share))
        self._lowest = min(self._lowest, self._average)
        self.over = self._count >= _FEWEST and self._average > _DIVERGED * self._lowest > 0
        return self.over


def _weights(count: int) -> Numbers:
    """Return what the smoothed loss of each step takes of all losses, (count, count)."""
    places = np.arange(count)
    distances = np.abs(places[:, None] - places)
    weights = np.exp(-distances / max(1.0, _SMOOTHED_SHARE * count))
    return np.asarray(weights / weights.sum(axis=1, keepdims=True), np.float64)


def _slopes(rates: Numbers, losses: Numbers, weights: Numbers) -> tuple[Numbers, Numbers]:
    """Return the slope of the loss over ln α around each step, and its standard error.

    It is the weighted least-squares line through the neighbours.
    """
    x = np.log(rates)
    away = x - (weights @ x)[:, None]
    level = (weights @ losses)[:, None]
    spread = (weights * away**2).sum(axis=1)
    slopes = (weights * away * (losses - level)).sum(axis=1) / spread
    residuals = losses - level - slopes[:, None] * away
    variance = (weights * residuals**2).sum(axis=1)
    # Of independent errors of this variance: Σ w²(x − x̄)² / (Σ w(x − x̄)²)².
    errors = np.sqrt(variance * (weights**2 * away**2).sum(axis=1)) / spread
    return slopes, errors


def _suggestion(
    rates: Numbers, losses: Numbers, smoothed: Numbers, weights: Numbers, diverged: bool
) -> tuple[float | None, str]:
    """Return the suggested learning rate, and why."""
    if len(losses) < _FEWEST:
        return None, (
            "no suggestion: the loss is not finite after a few steps; begin with a smaller "
            "learning rate (lowest=), or scale the inputs"
        )
    lowest = int(np.argmin(smoothed))
    slopes, errors = _slopes(rates, losses, weights)
    falls = slopes[: lowest + 1] < -_ERRORS * errors[: lowest + 1]
    fall = float(smoothed[: lowest + 1].max() - smoothed[lowest])
    # By the median: the losses of a diverging end would hide what came before.
    deviation = _NORMAL * float(np.median(np.abs(losses - smoothed)))
    noise = deviation * float(np.sqrt((weights**2).sum(axis=1).mean()))
    least = max(_DEVIATIONS * noise, _SMALLEST_FALL * abs(float(smoothed[0])))
    if not falls.any() or fall < least:
        if diverged and lowest < _FEWEST:
            return None, (
                "no suggestion: the loss only rises; begin with a smaller learning rate (lowest=)"
            )
        return None, (
            "no suggestion: the loss falls at none of these learning rates by more than 1 % and "
            "by more than chance; try larger ones (highest=), more steps or larger batches"
        )
    steepest = int(np.argmin(np.where(falls, slopes[: lowest + 1], np.inf)))
    rate = float(f"{rates[steepest]:.2g}")
    return rate, (
        f"the loss falls most steeply there; it is lowest at {rates[lowest]:.2g}"
        + (" and grows beyond." if lowest < len(losses) - 1 else ", the largest rate tried.")
    )
