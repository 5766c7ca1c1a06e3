"""Distills an estimator: another one of its class learns what it predicts."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse
from sklearn.utils import _safe_indexing
from sklearn.utils.validation import check_is_fitted

from chainrule.ensembles.members import BEST
from chainrule.errors import InvalidArgumentError
from chainrule.estimators.array_types import Floats, MatrixLike
from chainrule.estimators.base import BaseMLP
from chainrule.estimators.classifier import BaseClassifier
from chainrule.estimators.given_tables import is_table
from chainrule.estimators.mixed_network import NetworkMixed
from chainrule.estimators.regressor import BaseRegressor
from chainrule.estimators.scoring import r_squared
from chainrule.model.distillation import Distillation, divided
from chainrule.model.network import Network
from chainrule.settings.losses import estimating
from chainrule.suggestions import did_you_mean

# What a student does not take over. Its targets contain the effect of smoothed labels and of the
# weights of classes already; callbacks have a state, and initial weights a shape.
_OWN: Mapping[str, Any] = {
    "quality": "standard",
    "time_limit": None,
    "label_smoothing": 0.0,
    "class_weight": None,
    "callbacks": None,
    "warm_start": False,
    "initial_weights": None,
}


class _Rows(NamedTuple):
    """Rows, and what is known of them."""

    X: Any
    y: NDArray[Any] | None
    """The true targets, if there are any."""
    answers: Floats
    """The teacher's outputs, (rows, outputs): probabilities, or values in the target's units."""

    def take(self, places: NDArray[np.intp]) -> "_Rows":
        """Return some of the rows."""
        y = None if self.y is None else self.y[places]
        return _Rows(_safe_indexing(self.X, places), y, self.answers[places])


def check_teacher(model: Any) -> None:
    """Raise unless a model is a fitted estimator with a single target.

    Raises
    ------
    InvalidArgumentError, NotFittedError
    """
    if isinstance(model, NetworkMixed):
        raise InvalidArgumentError(
            "model: expected a model with one kind of target; NetworkMixed has several. Distill a "
            "NetworkClassifier or a NetworkRegressor of each"
        )
    if not isinstance(model, BaseClassifier | BaseRegressor):
        raise InvalidArgumentError(
            "model: expected a NetworkClassifier, NetworkRegressor, MLPClassifier, MLPRegressor or "
            f"TableModel; got {type(model).__name__}{_remedy(model)}"
        )
    check_is_fitted(model)
    if isinstance(model, BaseClassifier) and model._labels.kind == "multilabel":
        raise InvalidArgumentError(
            f"model: expected one class for each example; this {type(model).__name__} was fitted "
            f"to {len(model.classes_)} labels. Distill a classifier of each label"
        )


def _remedy(model: object) -> str:
    if isinstance(model, type):
        return f" itself; create and fit one: {model.__name__}().fit(X, y)"
    if isinstance(model, Network):
        return "; train another one with its outputs as targets: net.fit(X, model.predict(X))"
    if type(model).__module__.startswith("sklearn.neural_network"):
        return "; convert it with chainrule.from_sklearn"
    return ""


def distilled(
    teacher: BaseMLP,
    X: MatrixLike,
    y: MatrixLike | None,
    held_out: float,
    seed: int,
    settings: Mapping[str, Any],
) -> Distillation:
    """Return a student of an estimator; see `chainrule.distill`.

    Raises
    ------
    InvalidArgumentError
        If an argument or a setting is invalid, or the estimator cannot be a teacher.
    NotFittedError
        If it is not fitted.
    """
    check_teacher(teacher)
    student = _student(teacher, seed, settings)
    rows = _rows(teacher, X, y)
    split = divided(len(rows.answers), held_out, seed)
    learned, compared = rows.take(split.train), rows.take(split.test)
    _teach(student, teacher, learned)
    answers = student.predict(compared.X)
    known = compared.y is not None
    return Distillation(
        student,
        "classification" if isinstance(teacher, BaseClassifier) else "regression",
        _agreement(teacher, compared.answers, answers),
        float(student.score(compared.X, compared.y)) if known else None,
        float(teacher.score(compared.X, compared.y)) if known else None,
        student.network_.parameters.size,
        teacher.network_.parameters.size,
        len(split.test),
        len(split.test) if known else 0,
    )


def _student(teacher: Any, seed: int, settings: Mapping[str, Any]) -> Any:
    """Return an estimator like the teacher, not fitted."""
    given = teacher.get_params(deep=False)
    for name in settings:
        if name == "random_state":
            raise InvalidArgumentError("random_state: is the argument seed of distill")
        if name not in given:
            hint = did_you_mean(name, [*given, "held_out", "seed"])
            raise InvalidArgumentError(
                f"{name}: neither an argument of distill nor a parameter of "
                f"{type(teacher).__name__}{hint}"
            )
    if settings.get("quality") == BEST:
        raise InvalidArgumentError(
            "quality: expected 'standard', since a student is one network; got 'best'"
        )
    own = {name: value for name, value in _OWN.items() if name in given}
    loss = given.get("loss")
    if isinstance(loss, str):
        own["loss"] = _loss_of(loss)
    return type(teacher)(**{**given, **own, "random_state": seed, **settings})


def _loss_of(loss: str) -> str:
    """Return the loss by which the answers of a teacher of a loss are learned.

    The focal and the quantile loss are lowest at other probabilities and values than the targets.
    """
    if loss in estimating("quantile"):
        return "absolute_error"
    return "log_loss" if loss == "focal" else loss


def _rows(teacher: Any, X: Any, y: Any) -> _Rows:
    """Return what a user gives, checked, with the teacher's answers."""
    X = _of_teacher(teacher, X.tocsr() if issparse(X) else X)
    outputs = teacher._outputs(X)
    if isinstance(teacher, BaseRegressor):
        outputs = teacher._restored(outputs)
    answers = np.asarray(outputs, np.float64)
    if y is None:
        return _Rows(X, None, answers)
    true = teacher._given_targets(y, "y")
    true = true.toarray() if issparse(true) else true
    if len(true) != len(answers):
        raise InvalidArgumentError(
            f"y: expected a target for each of the {len(answers)} rows of X; got {len(true)}"
        )
    if true.ndim == 2 and true.shape[1] == 1:
        true = true[:, 0]
    teacher._encoded(true, fresh=False, incremental=True)  # which checks it
    return _Rows(X, true, answers)


def _of_teacher(teacher: Any, X: Any) -> Any:
    """Return a table without columns that the teacher was not fitted to, such as the target."""
    if teacher.encoder_ is None or not is_table(X) or not hasattr(teacher, "feature_names_in_"):
        return X
    known = set(teacher.feature_names_in_)
    if hasattr(X, "iloc"):
        return X.loc[:, [name in known for name in X.columns]]
    names = X.column_names if hasattr(X, "column_names") else X.columns
    return X.select([name for name in names if name in known])


def _teach(student: Any, teacher: Any, rows: _Rows) -> None:
    """Fit a student to the teacher's answers."""
    y = rows.y
    if isinstance(teacher, BaseClassifier):
        student._labels, student.classes_ = teacher._labels, teacher.classes_
        if y is None:
            y = teacher._labels.decided(rows.answers)
    elif y is None:
        y = rows.answers[:, 0] if rows.answers.shape[1] == 1 else rows.answers
    student._fit(rows.X, y, None, targets=rows.answers)
    if rows.y is None:
        student._conformal = {}  # intervals and sets are about the true targets
    name = vars(teacher).get("_target_name")
    if name is not None:
        student._target_name = name


def _agreement(teacher: Any, answers: Floats, predicted: NDArray[Any]) -> float:
    if isinstance(teacher, BaseClassifier):
        return float(np.mean(teacher._labels.decided(answers) == predicted))
    return r_squared(answers, predicted.reshape(answers.shape), None)
