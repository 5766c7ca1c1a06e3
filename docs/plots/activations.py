"""The element-wise activations and their derivatives, drawn by the package itself."""

import matplotlib.pyplot as plt
import numpy as np

from chainrule.network.registry.activations import ACTIVATIONS

Z = np.linspace(-4, 4, 401)
elementwise = {name: row for name, row in ACTIVATIONS.items() if row.derivative is not None}

rows = len(elementwise) // 5 + 1  # and room for the legend
figure, axes = plt.subplots(rows, 5, figsize=(11, 2.1 * rows), sharex=True, sharey=True)
for axis, (name, row) in zip(axes.flat, elementwise.items(), strict=False):
    axis.axhline(0, color="0.8", linewidth=0.8)
    axis.axvline(0, color="0.8", linewidth=0.8)
    (value,) = axis.plot(Z, row.function(Z), color="#2757dd", linewidth=1.8)
    derivative = row.derivative(Z)
    for kink in row.kinks:
        # No line where σ′ jumps.
        derivative = np.where(np.abs(Z - kink) < 0.01, np.nan, derivative)
    (slope,) = axis.plot(Z, derivative, color="#d9622b", linewidth=1.4, linestyle="--")
    axis.set_title(name, fontsize=10, family="monospace")
    axis.set_ylim(-2.2, 4.2)
    axis.tick_params(labelsize=8)
    axis.spines[["top", "right"]].set_visible(False)
for axis in axes.flat[len(elementwise) :]:
    axis.set_axis_off()
legend = axes.flat[-1]
legend.legend([value, slope], ["σ(z)", "σ′(z)"], loc="center", frameon=False, fontsize=11)
figure.tight_layout()
