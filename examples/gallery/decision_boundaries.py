"""The decision boundary of a network between two moons, for six activations."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from sklearn.datasets import make_moons

from chainrule import MLPClassifier

BLUE, ORANGE = "#2757dd", "#d9622b"

X, y = make_moons(200, noise=0.2, random_state=0)
across, up = np.meshgrid(np.linspace(-1.8, 2.8, 200), np.linspace(-1.3, 1.8, 200))
colours = LinearSegmentedColormap.from_list("classes", [ORANGE, "white", BLUE])
plane = np.column_stack([across.ravel(), up.ravel()])

figure, axes = plt.subplots(2, 3, figsize=(10, 6), sharex=True, sharey=True, layout="constrained")
for axis, activation in zip(
    axes.flat, ["identity", "logistic", "tanh", "relu", "silu", "elu"], strict=True
):
    model = MLPClassifier(
        (16, 16),
        activation,
        alpha=0.02,
        learning_rate="one_cycle",
        learning_rate_init=0.1,
        n_iter_no_change=np.inf,
        random_state=0,
    ).fit(X, y, epochs=500)
    probability = model.predict_proba(plane)[:, 1].reshape(across.shape)
    shades = axis.contourf(
        across, up, probability, levels=np.linspace(0, 1, 11), cmap=colours, alpha=0.5
    )
    axis.contour(across, up, probability, levels=[0.5], colors="black", linewidths=1.2)
    for label, colour in ((0, ORANGE), (1, BLUE)):
        axis.scatter(*X[y == label].T, s=14, color=colour, edgecolor="white", linewidth=0.4)
    axis.set_title(f"{activation}: {model.score(X, y):.0%} right", loc="left")
for axis in axes[-1]:
    axis.set_xlabel("first input")
for axis in axes[:, 0]:
    axis.set_ylabel("second input")
figure.colorbar(shades, ax=axes, label="probability of the blue class", shrink=0.8)
plt.show()
