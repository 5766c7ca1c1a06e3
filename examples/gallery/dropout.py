"""The effect of dropout on a network that is far too large for its examples."""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import make_classification

from chainrule import MLPClassifier

BLUE, GREEN, ORANGE = "#2757dd", "#2b8a5a", "#d9622b"

X, y = make_classification(4000, 30, n_informative=8, flip_y=0.1, class_sep=0.8, random_state=1)
train, held_out = slice(0, 600), slice(600, None)

figure, (loss, right) = plt.subplots(1, 2, figsize=(10, 4.2), layout="constrained")
for rate, colour in ((0.0, ORANGE), (0.3, GREEN), (0.6, BLUE)):
    scores: list[float] = []

    def score(model, X, y, scores=scores):
        """Keep the accuracy of each epoch."""
        scores.append(model.score(X, y))
        return scores[-1]

    model = MLPClassifier(
        (256, 256),
        dropout=rate,
        batch_size=50,
        early_stopping=score,
        n_iter_no_change=np.inf,
        dtype="float32",
        random_state=0,
    ).fit(X[train], y[train], X_val=X[held_out], y_val=y[held_out], epochs=40)
    epochs = np.arange(1, model.n_iter_ + 1)
    loss.plot(epochs, model.validation_loss_curve_, color=colour, label=f"dropout={rate}")
    loss.plot(epochs, model.loss_curve_, color=colour, linestyle=":", linewidth=1.4)
    right.plot(epochs, scores, color=colour)
loss.set_ylabel("log loss (dotted: of the training steps)")
loss.set_ylim(0, 1.1)
loss.legend(loc="upper left")
right.set_ylabel("accuracy on held-out examples")
for axis in (loss, right):
    axis.set_xlabel("epoch")
plt.show()
