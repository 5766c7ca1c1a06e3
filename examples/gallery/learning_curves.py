"""Loss and validation loss, epoch by epoch, and the epoch whose weights are kept."""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

from chainrule import MLPClassifier
from chainrule.names import ScheduleName

BLUE, GREY, ORANGE = "#2757dd", "#8a8f98", "#d9622b"

X, y = load_digits(return_X_y=True)
random = np.random.default_rng(0)
y = np.where(random.random(len(y)) < 0.1, random.integers(0, 10, len(y)), y)  # some are mislabelled
train, held_out = X[::2] / 16, X[1::2] / 16

schedules: dict[str, tuple[ScheduleName, float]] = {
    "learning_rate='constant'": ("constant", 0.003),
    "learning_rate='one_cycle'": ("one_cycle", 0.005),
}
figure, axes = plt.subplots(1, 2, figsize=(10, 4.2), sharey=True, layout="constrained")
for axis, (title, (schedule, rate)) in zip(axes, schedules.items(), strict=True):
    model = MLPClassifier(
        (64,),
        early_stopping="loss",
        n_iter_no_change=100,
        random_state=0,
        learning_rate=schedule,
        learning_rate_init=rate,
    ).fit(train, y[::2], X_val=held_out, y_val=y[1::2], epochs=100)
    epochs = np.arange(1, model.n_iter_ + 1)
    best = int(np.argmin(model.validation_loss_curve_ or []))
    axis.plot(epochs, model.loss_curve_, color=BLUE, label="training")
    axis.plot(epochs, model.validation_loss_curve_, color=ORANGE, label="validation")
    axis.axvline(best + 1, color=GREY, linestyle=":", label="kept: the best epoch")
    axis.set_title(f"{title}: best validation loss {model.best_loss_:.2f}", loc="left")
    axis.set_xlabel("epoch")
axes[0].set_ylabel("log loss")
axes[0].set_ylim(0, 2.7)
axes[1].legend()
plt.show()
