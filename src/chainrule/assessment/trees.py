"""Boosted trees as a baseline: on many tables, they are the most accurate model."""

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.assessment.predictions import Examples, places_of_columns
from chainrule.model.table_model import TableModel

# Gradient boosting adds a tree per round, and per class if there are more than two.
_MOST_ROUNDS, _FEWEST_ROUNDS, _ROUNDS_OF_FEW_ROWS = 100, 30, 50
_MOST_TREES = 1_000
_LEARNING_RATE, _LEAVES = 0.2, 63
# The work of one round grows with rows × columns × classes and, at each split, with columns ×
# classes: these limits make a second or two of all rounds together.
_MOST_CELLS, _FEWEST_ROWS = 1.5e6, 2_000
_MOST_COLUMNS = 60_000
# Early stopping sets a tenth of the rows aside: of fewer rows, it would say too little.
_ROWS_THAT_STOP = 200
# Bins of scikit-learn, of which one is kept for missing values.
_MOST_CATEGORIES = 254


class TreeAnswers:
    """Boosted trees: scikit-learn's HistGradientBoosting on the columns of the network.

    Numbers are the network's inputs; a category is one column, whose values are divided into two
    groups at a split.
    Unknown and missing categories count as missing. Early stopping decides on the number of rounds.

    Parameters
    ----------
    model : TableModel
    train : Examples
    seed : int
        Seed of the rows that early stopping sets aside, and of the sample that is drawn if there
        are too many rows.

    Attributes
    ----------
    rows : int
        Number of training rows that they were fitted to; 0 if they were not fitted, because they
        would take too long.
    """

    def __init__(self, model: TableModel, train: Examples, seed: int = 0) -> None:
        from threadpoolctl import threadpool_limits

        self._columns = _columns_of(model)
        self._classes = len(model.target.classes)
        self._fitted: Any = None
        self._only: int | None = None
        self.rows = 0
        width = sum(
            1 if categorical else place.stop - place.start for place, categorical in self._columns
        )
        per_round = 1 if self._classes <= 2 else self._classes
        rounds = min(
            _MOST_ROUNDS, _MOST_TREES // per_round, _MOST_COLUMNS // (max(1, width) * per_round)
        )
        if rounds < _FEWEST_ROUNDS:
            return
        X, true = train
        most = max(_FEWEST_ROWS, int(_MOST_CELLS / (max(1, width) * per_round)))
        if len(X) > most:
            drawn = np.sort(np.random.default_rng(seed).choice(len(X), most, replace=False))
            X, true = X[drawn], true[drawn]
        self.rows = len(X)
        if self._classes and len(np.unique(true)) == 1:
            self._only = int(np.asarray(true)[0])
            return
        self._codes = [
            _most_frequent(_codes(X[:, place])) if categorical else None
            for place, categorical in self._columns
        ]
        stops = _can_stop(true, self._classes)
        fresh = _regressor_or_classifier(self._classes)(
            learning_rate=_LEARNING_RATE,
            max_iter=rounds if stops else min(rounds, _ROUNDS_OF_FEW_ROWS),
            max_leaf_nodes=_LEAVES,
            early_stopping=stops,
            categorical_features=self._categorical(),
            random_state=seed,
        )
        if not self._classes:
            values = np.asarray(true, np.float64)
            # scikit-learn computes in float32, which may be too small for the target's units.
            self._center = float(values.mean())
            self._scale = float(np.abs(values - self._center).mean()) or 1.0
            true = (values - self._center) / self._scale
        # The bits are the same for any number of threads, but threads that wait for busy cores can
        # take a hundred times as long as one thread.
        with threadpool_limits(1), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self._fitted = fresh.fit(self._inputs(X), true)

    def predict(self, X: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return probabilities (m, classes), or values (m,)."""
        from threadpoolctl import threadpool_limits

        with threadpool_limits(1):
            if not self._classes:
                values = np.asarray(self._fitted.predict(self._inputs(X)), np.float64)
                return values * self._scale + self._center
            probabilities = np.zeros((len(X), self._classes))
            if self._fitted is None:
                probabilities[:, self._only] = 1
            else:  # a class without training rows has no column of its own
                probabilities[:, self._fitted.classes_] = self._fitted.predict_proba(
                    self._inputs(X)
                )
        return probabilities

    def _categorical(self) -> NDArray[np.bool_] | None:
        marks: list[bool] = []
        for place, categorical in self._columns:
            marks += [True] if categorical else [False] * (place.stop - place.start)
        return np.array(marks) if any(marks) else None

    def _inputs(self, X: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return the columns: numbers as they are, a category as one column of codes."""
        parts: list[NDArray[np.float64]] = []
        for (place, categorical), common in zip(self._columns, self._codes, strict=True):
            if not categorical or common is None:
                parts.append(np.asarray(X[:, place], np.float64))
                continue
            codes = _codes(X[:, place])
            found = np.searchsorted(common, codes)
            known = common[np.minimum(found, len(common) - 1)] == codes if len(common) else False
            parts.append(np.where(known, found, np.nan)[:, np.newaxis])
        return np.hstack(parts)


def _columns_of(model: TableModel) -> list[tuple[slice, bool]]:
    """Return each column's inputs, and whether it is of categories."""
    places = places_of_columns(model)
    return [(places[column.name], column.is_categorical) for column in model.encoder.columns_]


def _codes(block: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return a category's codes: its only input, or the place of its indicator; −1 without one."""
    if block.shape[1] == 1:
        return np.asarray(block[:, 0], np.float64)
    return np.where(block.any(axis=1), block.argmax(axis=1), -1).astype(np.float64)


def _most_frequent(codes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the codes that keep a category of their own, sorted."""
    values, counts = np.unique(codes[codes >= 0], return_counts=True)
    kept = values[np.argsort(-counts, kind="stable")[:_MOST_CATEGORIES]]
    return np.sort(kept)


def _can_stop(true: NDArray[np.generic], classes: int) -> bool:
    """Return whether a tenth of the rows can be set aside, with each class among them."""
    if len(true) < _ROWS_THAT_STOP:
        return False
    if not classes:
        return True
    counts = np.unique(true, return_counts=True)[1]
    return bool(counts.min() >= 2 and 0.1 * len(true) >= len(counts))


def _regressor_or_classifier(classes: int) -> Any:
    from sklearn import ensemble

    if classes:
        return ensemble.HistGradientBoostingClassifier
    return ensemble.HistGradientBoostingRegressor
