"""The baselines that a network has to beat: a constant prediction, and a linear model."""

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.assessment.predictions import Examples
from chainrule.model.embeddings import embedded_columns
from chainrule.model.table_model import TableModel

# Multiplications of one pass over the rows that a linear model is fitted to. If all rows would take
# more, it is fitted to a sample: at that number of rows, more would not change a linear model.
_MOST_WORK = 4e7
_FEWEST_ROWS = 2_000
_MOST_STEPS = 200


def constant_answers(model: TableModel, train: Examples, rows: int) -> NDArray[np.float64]:
    """Return predictions without inputs: the class shares of the training rows, or their mean.

    Returns
    -------
    array (rows, classes) of probabilities, or (rows,) of values
    """
    if model.target.task == "regression":
        return np.full(rows, np.mean(np.asarray(train.true, np.float64)))
    counts = np.bincount(np.asarray(train.true, np.int64), minlength=len(model.target.classes))
    return np.tile(counts / counts.sum(), (rows, 1))


class LinearAnswers:
    """Logistic or ridge regression on the same inputs as the network.

    Parameters
    ----------
    model : TableModel
    train : Examples
    seed : int
        Seed of the sample that is drawn if there are too many rows.

    Attributes
    ----------
    rows : int
        Number of training rows that it was fitted to.
    """

    def __init__(self, model: TableModel, train: Examples, seed: int = 0) -> None:
        from sklearn.linear_model import LogisticRegression, Ridge
        from threadpoolctl import threadpool_limits

        self._codes = _columns_of_codes(model)
        outputs = max(1, len(model.target.classes))
        X, true = train
        inputs = X.shape[1] + sum(self._codes.values())
        most = max(_FEWEST_ROWS, int(_MOST_WORK / (outputs * inputs)))
        if len(X) > most:
            drawn = np.sort(np.random.default_rng(seed).choice(len(X), most, replace=False))
            X, true = X[drawn], true[drawn]
        self.rows = len(X)
        self._classes = len(model.target.classes)
        self._fitted: Any = None
        if self._classes and len(np.unique(true)) == 1:
            self._only = int(np.asarray(true)[0])
            return
        # One thread gives the same bits on any number of cores, and does not wait for busy ones.
        with threadpool_limits(1), warnings.catch_warnings():
            # scikit-learn warns if it has not fully converged; that is still a fair baseline.
            warnings.simplefilter("ignore")
            if self._classes:
                fresh: Any = LogisticRegression(max_iter=_MOST_STEPS)
            else:
                fresh = Ridge(alpha=1.0)
            self._fitted = fresh.fit(self._inputs(X), true)

    def predict(self, X: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return probabilities (m, classes), or values (m,)."""
        if not self._classes:
            return np.asarray(self._fitted.predict(self._inputs(X)), np.float64)
        probabilities = np.zeros((len(X), self._classes))
        if self._fitted is None:
            probabilities[:, self._only] = 1
        else:  # a class without training rows has no column of its own
            probabilities[:, self._fitted.classes_] = self._fitted.predict_proba(self._inputs(X))
        return probabilities

    def _inputs(self, X: NDArray[np.floating]) -> NDArray[np.floating]:
        """Return the inputs with category codes as indicators, since a code is not a quantity."""
        if not self._codes:
            return X
        parts = [np.delete(X, list(self._codes), axis=1)]
        parts += [X[:, [place]] == np.arange(codes) for place, codes in self._codes.items()]
        return np.hstack(parts)


def _columns_of_codes(model: TableModel) -> dict[int, int]:
    """Return the inputs that are category codes, and the number of codes of each."""
    return {column.column: column.codes for column in embedded_columns(model.encoder)}
