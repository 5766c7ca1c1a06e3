"""The tables that the estimators' tests share: small, scaled, one of each kind."""

import numpy as np
from sklearn.datasets import (
    load_breast_cancer,
    load_diabetes,
    load_iris,
    make_classification,
    make_multilabel_classification,
    make_regression,
)


def scaled(X):
    return np.ascontiguousarray((X - X.mean(axis=0)) / X.std(axis=0))


def classes():
    X, y = load_iris(return_X_y=True)
    return scaled(X), y


def two_classes():
    X, y = load_breast_cancer(return_X_y=True)
    return scaled(X), y


def labels():
    X, Y = make_multilabel_classification(120, random_state=0)
    return scaled(X), Y


def values():
    X, y = load_diabetes(return_X_y=True)
    return scaled(X), (y - y.mean()) / y.std()


def three_values():
    X, Y = make_regression(150, 5, n_targets=3, noise=5.0, random_state=0)
    return X, Y / 100


def counts():
    random = np.random.default_rng(0)
    X = random.standard_normal((200, 4))
    return X, random.poisson(np.exp(X[:, 0] * 0.5)).astype(float)


CLASSIFICATION = {"two classes": two_classes, "classes": classes, "labels": labels}
REGRESSION = {"values": values, "three values": three_values, "counts": counts}


def halves(make):
    X, y = make()
    return X[::2], y[::2], X[1::2], y[1::2]


def rare():
    """One positive in twenty, and not easy."""
    return make_classification(
        2000, 8, n_informative=4, weights=[0.95], class_sep=0.7, flip_y=0.02, random_state=0
    )
