"""Distills a table model: a network of a run's settings learns what it predicts."""

import warnings
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from chainrule.assessment.predictions import outputs_of
from chainrule.assessment.training_profile import KEY, TrainingProfile
from chainrule.checks import shown
from chainrule.errors import InvalidArgumentError, levels_inside
from chainrule.model.background import Background
from chainrule.model.conformal import Conformal
from chainrule.model.distillation import Distillation, divided
from chainrule.model.embeddings import embedded_columns
from chainrule.model.scores import regression_scores
from chainrule.model.table_model import TableModel as Model
from chainrule.network.cost import Cost
from chainrule.runs.config import RunConfig
from chainrule.runs.options import SECTIONS, TrainingOptions, settings_of
from chainrule.runs.parts import SHARES_WITHOUT_TEST
from chainrule.runs.plan import Description, EncodedRows
from chainrule.runs.presets import resolved
from chainrule.runs.run_fit import FittedNetwork, Interrupted, fit
from chainrule.runs.table_model import TableModel
from chainrule.runs.training import versions
from chainrule.runs.values import from_python
from chainrule.suggestions import did_you_mean
from chainrule.tables.reader import read_by
from chainrule.tables.table_notations import TableReading
from chainrule.tables.target import TargetEncoder

if TYPE_CHECKING:
    import polars as pl


class _Rows(NamedTuple):
    """Rows of a table, and what is known of them."""

    table: "pl.DataFrame"
    X: NDArray[np.float32]
    answers: NDArray[np.float64]
    """The teacher's predictions: probabilities (rows, classes), or values (rows,)."""
    targets: NDArray[Any]
    """The teacher's outputs as targets of the student."""
    known: NDArray[np.bool_]
    """Which rows have a true target."""
    true: NDArray[Any]
    """Their true targets: class indices, or values; anything in the other rows."""

    def take(self, places: NDArray[np.intp]) -> "_Rows":
        """Return some of the rows."""
        parts: Any = (part[places] for part in self)
        return _Rows(*parts)


def distilled(
    teacher: Model, X: Any, y: Any, held_out: float, seed: int, settings: Mapping[str, Any]
) -> Distillation:
    """Return a student of a table model; see `chainrule.distill`.

    Raises
    ------
    InvalidArgumentError
        If an argument or a setting is invalid.
    InvalidTableError
        If the table cannot be read, or a column is missing or cannot be used.
    """
    asked = _options(teacher, seed, settings)
    rows = _rows(teacher, X, y)
    split = divided(len(rows.X), held_out, seed, validation=SHARES_WITHOUT_TEST[1])
    training, validation, compared = map(rows.take, split)
    n_train, n_validation = len(split.train), len(split.validation)
    options = resolved(asked, teacher.target.task, n_train, n_train + n_validation)
    fitted = _fitted(
        Description(
            options,
            teacher.target,
            EncodedRows(training.X, training.targets),
            EncodedRows(validation.X, validation.targets),
            embedded_columns(teacher.encoder),
        )
    )
    student = Model(fitted.network, teacher.encoder, teacher.target)
    found = _compared(teacher, student, compared)
    others = validation.table.vstack(compared.table)
    details: dict[str, Any] = {
        "command": _call(held_out, seed, settings),
        "distilled": {name: value for name, value in vars(found).items() if name != "model"},
        "rows": {"train": n_train, "validation": n_validation, "held out": len(split.test)},
        "epochs": len(fitted.history),
        "best_epoch": fitted.best_epoch,
        "versions": versions(),
        KEY: TrainingProfile.of(student, training.table, others).to_json(),
    }
    if fitted.temperature is not None:
        details["temperature"] = fitted.temperature.to_details()
    if "target" in teacher.details:
        details["target"] = teacher.details["target"]
    # Intervals and sets are about the true targets, so there are none without them.
    known, scores = validation.known, None
    if known.any():
        scores = Conformal.of(student.scores_of(validation.X[known], validation.true[known]))
    model = TableModel(
        fitted.network,
        teacher.encoder,
        teacher.target,
        details,
        background=Background.summary(fitted.network, training.X),
        conformal=scores,
    )
    return replace(found, model=model)


def _options(teacher: Model, seed: int, settings: Mapping[str, Any]) -> TrainingOptions:
    """Return the options of the student's training that a user's settings ask for."""
    known = {one.name: one for one in settings_of("training")}
    of_data = {one.name for name in SECTIONS for one in settings_of(name)} - known.keys()
    for name in settings:
        if name in of_data:
            raise InvalidArgumentError(
                f"{name}: a setting of a table and its encoding, which a student has from its "
                "teacher; leave it out"
            )
        if name not in known:
            hint = did_you_mean(name, [*known, "held_out"])
            raise InvalidArgumentError(
                f"{name}: neither an argument of distill nor a setting of a training{hint}"
            )
    for name, value in settings.items():
        if name in _UNFIT and value not in (None, _UNFIT[name][0]):
            expected, why = _UNFIT[name]
            raise InvalidArgumentError(f"{name}: expected {expected!r}, since {why}; got {value!r}")
    values = {
        name: from_python(known[name], value)
        for name, value in settings.items()
        if value is not None
    }
    if teacher.target.task == "classification":
        values.setdefault("label_smoothing", 0.0)
    elif _counts(teacher):
        values.setdefault("loss", "poisson")
    return RunConfig.of({**values, "seed": seed}).training


_UNFIT: Mapping[str, tuple[Any, str]] = {
    "quality": ("standard", "a student is one network"),
    "time_limit": (None, "only the training of an ensemble has one"),
    "class_weight": ("none", "the teacher's answers contain the weights of the classes"),
}
"""Settings that do not suit a student: the only value that does, and why."""


def _counts(teacher: Model) -> bool:
    """Whether a model predicts counts, whose student must not predict less than 0 either."""
    (head,) = teacher.network.spec.heads
    return isinstance(head.cost, Cost) and head.cost.row.targets.low == 0


def _call(held_out: float, seed: int, settings: Mapping[str, Any]) -> str:
    """Return the call that distilled the model."""
    given = {"held_out": held_out, "seed": seed, **settings}
    usual = {"held_out": 0.2, "seed": 0}
    shown = [f"{name}={value!r}" for name, value in given.items() if value != usual.get(name)]
    return f"chainrule.distill({', '.join(['model', 'X', *shown])})"


def _rows(teacher: Model, X: Any, y: Any) -> _Rows:
    """Return what a user gives, with the teacher's answers."""
    target, encoder = teacher.target, teacher.encoder
    found = read_by(X, encoder.reading if y is not None else teacher.reading)
    table = found.table
    with found.numbers.naming():
        inputs = encoder.encode(table)
        outputs = teacher.network.predict(inputs)
        known, true = _truth(target, table if y is None else _column(target, y, table.height))
    # Two classes are one sigmoid: the probability of the second.
    targets = outputs if len(target.classes) > 2 else outputs[:, -1]
    return _Rows(table, inputs, outputs_of(teacher, inputs), targets, known, true)


def _column(target: TargetEncoder, y: Any, m: int) -> "pl.DataFrame":
    """Return true targets that a user gives as a table of one column."""
    import polars as pl

    try:
        values = y if isinstance(y, pl.Series) else pl.Series(list(y), strict=False)
    except (TypeError, ValueError, OverflowError, pl.exceptions.PolarsError) as error:
        raise InvalidArgumentError(
            f"y: expected the true target of each row of X, or None; got {shown(y)} ({error})"
        ) from error
    if len(values) != m:
        raise InvalidArgumentError(
            f"y: expected a target for each of the {m} rows of X; got {len(values)}"
        )
    reading = TableReading({target.name: target.written})
    return reading.read(values.rename(target.name).to_frame())[0]


def _truth(target: TargetEncoder, table: "pl.DataFrame") -> tuple[NDArray[np.bool_], NDArray[Any]]:
    """Return which rows of a table have a target, and the targets; 0 in the other rows."""
    m = table.height
    if target.name not in table.columns:
        return np.zeros(m, bool), np.zeros(m)
    column = table[target.name]
    there = column.is_not_null()
    if column.dtype.is_float():
        there &= column.is_not_nan()
    known = there.to_numpy()
    if not known.any():
        return known, np.zeros(m)
    found = target.truth(column.filter(there))
    true = np.zeros(m, found.dtype)
    true[known] = found
    return known, true


def _fitted(description: Description) -> FittedNetwork:
    try:
        fitted = fit(description)
    except Interrupted as interrupt:
        raise interrupt.interrupt from None
    for note in fitted.notes:
        warnings.warn(note, stacklevel=levels_inside())
    return fitted


def _compared(teacher: Model, student: Model, rows: _Rows) -> Distillation:
    answers = outputs_of(student, rows.X)
    known = rows.known
    score, teacher_score = (
        _agreement(teacher.target, rows.true[known], given[known])
        for given in (answers, rows.answers)
    )
    same = _agreement(teacher.target, _decided(teacher.target, rows.answers), answers)
    assert same is not None
    return Distillation(
        student,
        teacher.target.task,
        same,
        score,
        teacher_score,
        student.network.parameters.size,
        teacher.network.parameters.size,
        len(known),
        int(known.sum()),
    )


def _decided(target: TargetEncoder, answers: NDArray[np.float64]) -> NDArray[Any]:
    """Return class indices or values of predictions as `outputs_of` returns them."""
    return np.argmax(answers, axis=1) if target.task == "classification" else answers


def _agreement(
    target: TargetEncoder, true: NDArray[Any], answers: NDArray[np.float64]
) -> float | None:
    """Return the accuracy or R² of predictions; None if there are too few rows."""
    if not len(true):
        return None
    if target.task == "classification":
        return float(np.mean(_decided(target, answers) == true))
    found: float | None = regression_scores(true, answers)["r2"]
    return found
