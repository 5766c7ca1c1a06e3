"""A band that contains nine of ten values, whose spread grows with the input."""

import matplotlib.pyplot as plt
import numpy as np

from chainrule import MLPRegressor

BLUE, GREY, ORANGE = "#2757dd", "#8a8f98", "#d9622b"

random = np.random.default_rng(0)
x = random.uniform(0, 10, 1500)
y = np.sin(x) * x / 2 + (0.3 + 0.25 * x) * random.standard_normal(len(x))
grid = np.linspace(0, 10, 300)


def quantile(q):
    """Return the network that estimates the q-quantile of y at x."""
    return MLPRegressor(
        "quantile",
        (32, 32),
        "silu",
        quantile=q,
        learning_rate="cosine",
        learning_rate_init=0.01,
        tol=0,
        standardize=True,
        standardize_target=True,
        random_state=0,
    ).fit(x[:, None], y, epochs=300)


low, middle, high = (quantile(q) for q in (0.05, 0.5, 0.95))
inside = (y >= low.predict(x[:, None])) & (y <= high.predict(x[:, None]))

figure, axis = plt.subplots(figsize=(9, 4.6), layout="constrained")
axis.scatter(x, y, s=7, color=GREY, alpha=0.5, linewidth=0, label="examples")
axis.fill_between(
    grid, low.predict(grid[:, None]), high.predict(grid[:, None]), color=BLUE, alpha=0.2,
    label=f"5% to 95% quantile: {inside.mean():.0%} of the examples",
)  # fmt: skip
axis.plot(grid, middle.predict(grid[:, None]), color=BLUE, linewidth=2, label="median")
axis.plot(grid, np.sin(grid) * grid / 2, color=ORANGE, linestyle="--", label="true median")
axis.set_xlabel("input x")
axis.set_ylabel("target y")
axis.legend(loc="upper left")
plt.show()
