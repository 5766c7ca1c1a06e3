"""`distill`: one small network in place of an ensemble, or of any model."""

from typing import Any

from chainrule.checks import whole_number
from chainrule.errors import InvalidArgumentError
from chainrule.model.distillation import Distillation
from chainrule.model.table_model import TableModel
from chainrule.runs.python_names import python_names
from chainrule.runs.run import Run
from chainrule.runs.table_distillation import distilled

# scikit-learn's random states take no more.
_LARGEST_SEED = 2**32 - 1


def distill(
    model: Any, X: Any, y: Any = None, *, held_out: float = 0.2, seed: int = 0, **settings: Any
) -> Distillation:
    """Train one small network, the student, to predict what a model, its teacher, predicts.

    The student learns from the teacher's probabilities or values instead of from labels, which say
    less: so it can be small and still nearly as good as an ensemble. Rows need no labels.

    Parameters
    ----------
    model : NetworkClassifier, NetworkRegressor, MLPClassifier, MLPRegressor or TableModel
        The teacher, fitted.
    X : array-like or table
        Rows like those that the student will predict; the more, the better. For an estimator, what
        its ``fit`` takes; for a `TableModel`, a path, a polars or pandas DataFrame, or an Arrow
        table.
    y : array-like, optional
        The true targets, with which both are scored. They also decide the width of the student's
        prediction intervals and sets, which it does not have without them. For a `TableModel`, by
        default they are in the column of the target, which may be missing, or empty in some rows.
    held_out : float, default 0.2
        The share of the rows, drawn at random, with which student and teacher are compared. The
        student learns from the others, of which some are set aside as usual for early stopping.
    seed : int, default 0
        Of the division of the rows, and of the student (the `random_state` of an estimator).
    **settings
        For an estimator, its parameters, which are otherwise the teacher's:
        ``hidden_layer_sizes=(32,)``. For a `TableModel`, the settings of `train` for the network
        and its training, with the same defaults: ``layers=[32]``, ``epochs=100``.

    Returns
    -------
    Distillation
        The student, its agreement with the teacher, and the scores of both; printing it says all
        of this in a sentence. An estimator's student is of the same class, one network without
        class weights and smoothed labels, whose effect is in the teacher's answers. The student of
        a `TableModel` has the same columns and the same target.

    Raises
    ------
    InvalidArgumentError
        If an argument or a setting is invalid, or the model cannot be a teacher: `NetworkMixed`,
        and classifiers of several labels, have several targets.
    NotFittedError
        If an estimator is not fitted.
    InvalidTableError
        If a table cannot be read, or a column is missing or cannot be used.
    TrainingDivergedError
        If the student's loss is not finite from the first epoch on.

    Notes
    -----
    Rows that the teacher learned from flatter the teacher's score: the student has not seen the
    held-out rows, but the teacher has. Both scores are honest if X are rows that the teacher did
    not learn from; the agreement is about the rows of X in any case.

    Source: Hinton, Vinyals and Dean 2015, "Distilling the knowledge in a neural network".

    Examples
    --------
    >>> import chainrule as cr
    >>> from sklearn.datasets import load_breast_cancer
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> teacher = cr.NetworkClassifier(random_state=0).fit(X[::2], y[::2])
    >>> found = cr.distill(teacher, X[1::2], y[1::2], hidden_layer_sizes=(16,))
    >>> found.parameters < found.teacher_parameters / 5
    True
    >>> found.agreement > 0.9
    True
    >>> found.model.predict(X[:3])
    array([0, 0, 0])
    """
    seed = whole_number("seed", seed, 0, _LARGEST_SEED)
    if isinstance(model, Run):
        raise InvalidArgumentError("model: expected a model; got a Run. Use its attribute model")
    if isinstance(model, TableModel):
        with python_names():
            return distilled(model, X, y, held_out, seed, settings)
    from chainrule.estimators import distillation

    return distillation.distilled(model, X, y, held_out, seed, settings)
