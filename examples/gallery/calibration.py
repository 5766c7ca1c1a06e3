"""Calibration: whether events that are predicted with 80% happen in 80 of 100 cases."""

import matplotlib.pyplot as plt
from sklearn.calibration import calibration_curve
from sklearn.datasets import make_classification
from sklearn.metrics import brier_score_loss

from chainrule import MLPClassifier, NetworkClassifier

BLUE, GREEN, GREY, ORANGE = "#2757dd", "#2b8a5a", "#8a8f98", "#d9622b"

X, y = make_classification(12000, 20, n_informative=5, class_sep=0.5, flip_y=0.1, random_state=0)
train, test = slice(0, 2000), slice(2000, None)
models = {
    "trained too long": (MLPClassifier(tol=0, random_state=0), ORANGE),
    "with label smoothing": (
        MLPClassifier(tol=0, label_smoothing=0.2, random_state=0), GREEN,
    ),
    "NetworkClassifier()": (NetworkClassifier(random_state=0), BLUE),
}  # fmt: skip

figure, (curve, histogram) = plt.subplots(1, 2, figsize=(10, 4.4), layout="constrained")
curve.plot([0, 1], [0, 1], color=GREY, linestyle=":", label="what is said is what happens")
for name, (model, colour) in models.items():
    probability = model.fit(X[train], y[train], epochs=200).predict_proba(X[test])[:, 1]
    happened, said = calibration_curve(y[test], probability, n_bins=10, strategy="quantile")
    error = brier_score_loss(y[test], probability)
    curve.plot(
        said, happened, "o-", color=colour, markersize=4, label=f"{name} (Brier {error:.3f})"
    )
    histogram.hist(probability, bins=25, range=(0, 1), histtype="step", color=colour, linewidth=1.6)
curve.set_xlabel("predicted probability")
curve.set_ylabel("share of examples of the class")
curve.legend(fontsize=9.5, loc="upper left")
histogram.set_xlabel("predicted probability")
histogram.set_ylabel("test examples")
plt.show()
