"""The split of a table and the errors of predictions in benchmarks/quality.py."""

import hashlib

import numpy as np

BINS = 15


def split(frame, task, seed):
    """Return X and y to fit and X and y to predict: 80 % and 20 %, classes in proportion."""
    from sklearn.model_selection import train_test_split

    y = frame["target"].to_numpy()
    if task == "classes":
        _, y = np.unique(y.astype(str), return_inverse=True)
    fitted, held = train_test_split(
        np.arange(len(y)),
        test_size=0.2,
        random_state=seed,
        stratify=y if task == "classes" else None,
    )
    X = frame.drop("target")
    return X[fitted], y[fitted], X[held], y[held], digest(held, y[held])


def digest(rows, targets):
    """Return what tells that two methods predicted the same rows with the same targets."""
    content = np.asarray(rows, np.int64).tobytes() + np.asarray(targets, np.float64).tobytes()
    return hashlib.sha256(content).hexdigest()[:16]


def errors(task, predicted, y, y_fitted):
    """Return the errors of predictions, beside the trivial prediction's.

    The error of classes is the share of wrong ones; that of values is the root of the mean squared
    error over the standard deviation of the targets. The trivial prediction knows no inputs: the
    shares of the classes, or the mean.
    """
    if len(predicted) != len(y):
        raise AssertionError(f"{len(predicted)} predictions for {len(y)} rows")
    if not np.isfinite(predicted).all():
        raise AssertionError("predictions are not finite")
    if task == "values":
        deviation = y.std()
        return {
            "error": float(np.sqrt(np.mean((predicted - y) ** 2)) / deviation),
            "mean_absolute_error": float(np.mean(np.abs(predicted - y)) / deviation),
            "trivial": float(np.sqrt(np.mean((y_fitted.mean() - y) ** 2)) / deviation),
        }
    if not np.allclose(predicted.sum(axis=1), 1.0, atol=1e-4) or predicted.min() < 0:
        raise AssertionError("rows of probabilities do not add up to 1")
    shares = np.bincount(y_fitted, minlength=predicted.shape[1]) / len(y_fitted)
    return {
        "error": float(np.mean(predicted.argmax(axis=1) != y)),
        "log_loss": log_loss(predicted, y),
        "calibration_error": calibration_error(predicted, y),
        "trivial": float(np.mean(shares.argmax() != y)),
        "trivial_log_loss": log_loss(np.tile(shares, (len(y), 1)), y),
    }


def log_loss(probabilities, y):
    """Return the mean of −log p of the right classes; no p counts as less than 1e-7."""
    return float(-np.log(np.clip(probabilities[np.arange(len(y)), y], 1e-7, 1.0)).mean())


def calibration_error(probabilities, y):
    """Return the expected calibration error of the most likely class, in 15 equal bins."""
    certainty = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == y
    places = np.minimum((certainty * BINS).astype(int), BINS - 1)
    sums = np.bincount(places, certainty - right, BINS)
    return float(np.abs(sums).sum() / len(y))


def check():
    """Compare the scores with scikit-learn's, and the calibration error with one known by hand."""
    from sklearn import metrics

    random = np.random.default_rng(0)
    y, values = random.integers(4, size=500), random.normal(size=500)
    p, guesses = random.dirichlet(np.ones(4), 500), values + random.normal(size=500)
    found = errors("classes", p, y, y)
    assert np.isclose(found["error"], 1 - metrics.accuracy_score(y, p.argmax(1)))
    assert np.isclose(found["log_loss"], metrics.log_loss(y, p))
    found = errors("values", guesses, values, values)
    assert np.isclose(found["error"] ** 2, 1 - metrics.r2_score(values, guesses))
    # Of ten rows that are 0.8 certain six are right; the ten that are 0.6 certain are calibrated.
    p = np.repeat([[0.8, 0.2], [0.6, 0.4]], 10, axis=0)
    y = np.array([0] * 6 + [1] * 4 + [0] * 6 + [1] * 4)
    assert np.isclose(calibration_error(p, y), 0.1)
