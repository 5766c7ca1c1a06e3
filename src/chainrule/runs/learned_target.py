"""The encoding of a run's target, its transform, and notes about both."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from chainrule.errors import InvalidArgumentError
from chainrule.model.network import Network
from chainrule.model.table_model import TableModel
from chainrule.runs.config import RunConfig
from chainrule.runs.options import TrainingOptions
from chainrule.runs.parts import Parts
from chainrule.runs.plan import EncodedRows
from chainrule.settings.losses import estimating, is_in_target_units, lowest_target
from chainrule.tables.columns import numeric_column
from chainrule.tables.target import NUMERIC_TARGET, TargetEncoder
from chainrule.tables.transform import Kind, TargetTransform, choose, is_heavy, made, robust_scale

if TYPE_CHECKING:
    import polars as pl

# With at least this many validation rows, their residuals suffice; with fewer, the residuals of the
# training rows are added.
_ENOUGH_RESIDUALS = 200
_MOST_RESIDUALS = 50_000
# A whole-number target counts as counts from this skewness on, and up to this median.
_SKEWED = 0.5
_MOST_COUNTED = 1000.0


def fitted_target(parts: Parts, config: RunConfig) -> tuple[TargetEncoder, list[str]]:
    """Return the target encoder fitted on the training rows, and notes.

    Raises
    ------
    InvalidArgumentError, InvalidTableError
        If the requested transform cannot be applied.
    """
    training = config.training
    column = parts.train[config.data.target]
    target = replace(
        TargetEncoder.fit(column, parts.task, parts.classes or None),
        merged=parts.merged,
        notation=parts.reading.of(column.name),
    )
    asked = config.encoding.target_transform or "auto"
    explicit = asked not in ("auto", "none")
    if target.task == "classification":
        if explicit:
            raise InvalidArgumentError(
                f"target_transform: {asked} is for values, and the target {target.name!r} has "
                "classes; leave it out, or add --task regression"
            )
        return target, []
    values = numeric_column(column, NUMERIC_TARGET)
    # Only a loss of counts (Poisson) has a lower bound on its targets.
    if lowest_target(training.loss) > -np.inf:
        if explicit:
            raise InvalidArgumentError(
                f"target_transform: --loss {training.loss} takes counts as they are, not "
                f"their {asked}; leave one of the two out"
            )
        # The Poisson deviance is defined for counts themselves, so they are not standardised.
        return replace(target, mean=0.0, std=1.0), []
    if asked == "none":
        return target, []
    if not explicit and is_in_target_units(training.loss) and is_heavy(values):
        center, spread = robust_scale(values)
        note = (
            f"target {target.name!r} has a few values far from the others; it is scaled by its "
            f"median and quartiles, and the loss {training.loss} does the rest"
        )
        return replace(target, mean=center, std=spread), [note]
    transform = made(target.name, cast(Kind, asked), values) if explicit else choose(values)
    if transform is None:
        return target, _offers(target.name, values, training)
    return target.transformed(transform, values), [_transformed(target, transform, values)]


def _transformed(target: TargetEncoder, transform: TargetTransform, values: Any) -> str:
    low, high = transform.bounds
    how = {
        "log": "its logarithm",
        "asinh": f"asinh((value − {transform.center:.5g})/{transform.spread:.5g})",
    }[transform.kind]
    # The slack keeps rounding errors of the transform from counting as values out of range.
    slack = 1e-9 * (high - low)
    held = int(np.count_nonzero((values < low - slack) | (values > high + slack)))
    rest = ""
    if held:
        rest = f" ({held:,} values of the training rows lie outside and are learned as these ends)"
        if held == 1:
            rest = " (1 value of the training rows lies outside and is learned as the nearer end)"
    return (
        f"target {target.name!r} lies from {values.min():.5g} to {values.max():.5g}, half of it "
        f"from {np.quantile(values, 0.25):.5g} to {np.quantile(values, 0.75):.5g}: the network "
        f"learns {how} and answers in the target's units, from {low:.5g} to {high:.5g}{rest}; "
        "--target-transform none learns the values themselves"
    )


def _offers(name: str, values: NDArray[np.float64], training: TrainingOptions) -> list[str]:
    """Return a note that suggests the Poisson loss if the target looks like counts."""
    if training.loss is not None or values.min() < 0 or not (values == np.round(values)).all():
        return []
    deviation = float(values.std())
    # `not … > 0` rather than `<= 0`, so that a NaN is rejected too.
    if values.min() > 1 or np.median(values) > _MOST_COUNTED or not deviation > 0:
        return []
    with np.errstate(over="ignore", invalid="ignore"):
        skewness = float(np.mean(((values - values.mean()) / deviation) ** 3))
    if not skewness >= _SKEWED:
        return []
    return [
        f"target {name!r} looks like counts (whole numbers from {values.min():g}, many small and "
        "few large ones): --loss poisson may fit them better, and never answers less than 0"
    ]


class Residual(NamedTuple):
    """Targets and outputs of rows, both encoded."""

    y: NDArray[Any]
    """(rows,)."""
    outputs: NDArray[np.floating]
    """(rows, 1)."""

    @classmethod
    def of(cls, network: Network, rows: EncodedRows) -> "Residual":
        """Return those of a network; of many rows, evenly spaced ones."""
        some = slice(None, None, _step(len(rows.X)))
        return cls(rows.y[some], network.predict(rows.X[some]))


def smeared_target(
    target: TargetEncoder,
    loss: str | None,
    held_out: Callable[[], Residual],
    training: Callable[[], Residual] | None,
) -> TargetEncoder:
    """Return a transformed target whose predictions are means again (TT4), from residuals.

    The residuals are those of rows that the network did not learn from, plus those of the training
    rows if there are few. A loss that estimates a median or a quantile needs no correction: a
    monotonic transform preserves both.
    """
    if target.transform is None or loss not in estimating("mean"):
        return target
    # The network was fitted to the training rows, so their residuals are too small.
    parts = [held_out()]
    if len(parts[0].y) < _ENOUGH_RESIDUALS and training is not None:
        parts.append(training())
    residuals = [_residuals(target, part) for part in parts]
    return replace(target, transform=target.transform.smeared(np.concatenate(residuals)))


def _residuals(target: TargetEncoder, part: Residual) -> NDArray[np.float64]:
    some = slice(None, None, _step(len(part.y)))
    outputs = part.outputs[some, 0].astype(np.float64)
    return np.asarray((part.y[some] - outputs) * target.std, np.float64)


def _step(rows: int) -> int:
    """Return the step that leaves at most _MOST_RESIDUALS rows, to limit the time."""
    return max(1, -(-rows // _MOST_RESIDUALS))  # rounded up


def against_constant(
    model: TableModel, loss: str | None, train: "pl.DataFrame", parts: "dict[str, pl.DataFrame]"
) -> Sequence[str]:
    """Return a note if a regression predicts worse than a constant.

    The constant is the mean of the training rows, and the measure is the root mean square error;
    for the loss absolute_error they are the median and the mean absolute error.
    """
    if model.target.task != "regression" or loss in estimating("quantile"):
        return ()
    transform = model.target.transform
    low, high = (-np.inf, np.inf) if transform is None else transform.bounds
    # Training clips values outside the bounds; here such rows are left out, because the error of
    # one of them could outweigh all others.
    learned = np.clip(model.target.truth(train[model.target.name]), low, high)
    median = loss in estimating("median")
    constant = float(np.median(learned) if median else learned.mean())
    measure, which = ("MAE", "median") if median else ("RMSE", "mean")
    worse = []
    for name, rows in parts.items():
        X, true = model.truth(rows)
        within = (true >= low) & (true <= high)
        if not within.any():
            continue
        answers = model.target.decode_values(model.network.predict(X[within]))
        reached, usual = (_error(true[within], given, median) for given in (answers, constant))
        if reached > usual:
            worse.append(f"{measure} {reached:.5g} against {usual:.5g} on the {name} rows")
    if not worse:
        return ()
    return (
        f"the network is worse than always answering {constant:.5g}, the {which} of "
        f"{model.target.name!r} in the training rows: {' and '.join(worse)}; do not use it as it "
        "is",
    )


def _error(true: NDArray[Any], given: Any, absolute: bool) -> float:
    missed = np.abs(true - given)
    scale = float(missed.max())
    # Division by the largest error keeps the squares from overflowing.
    if absolute or not scale > 0:
        return float(missed.mean())
    return scale * float(np.sqrt(np.mean(np.square(missed / scale))))
