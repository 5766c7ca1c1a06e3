"""The share of the time in which ranks compute, by the model of benchmarks/ranks.py."""

import matplotlib.pyplot as plt
import numpy as np

LATENCY = 30e-6
BANDWIDTHS = {"10 Gbit/s": 1.25e9, "1 Gbit/s": 0.125e9}
# Bytes of the parameters and seconds of a step of 512 examples, measured.
NETWORKS = {
    "784-1024-1024-10": (7.5e6, 51e-3, "#2757dd"),
    "28-256-256-2": (0.3e6, 2.1e-3, "#d9622b"),
    "28-64-64-2": (25e3, 0.18e-3, "#2b8a3e"),
}
LOCAL_STEPS, VECTORS = 8, 3  # Adam's two are averaged with the parameters

ranks = 2.0 ** np.arange(1, 11)


def computing(seconds, message, bandwidth, steps=1):
    """Return the share of computation, with a message every so many steps."""
    volume = 2 * (ranks - 1) / ranks * message / bandwidth
    return 100 * seconds / (seconds + (2 * np.log2(ranks) * LATENCY + volume) / steps)


figure, axes = plt.subplots(1, 2, figsize=(10, 3.8), sharey=True, layout="constrained")
for axis, (network, bandwidth) in zip(axes, BANDWIDTHS.items(), strict=True):
    for name, (size, seconds, colour) in NETWORKS.items():
        summed = computing(seconds, size, bandwidth)
        axis.plot(ranks, summed, color=colour, linewidth=1.8, label=name)
        local = computing(seconds, VECTORS * size, bandwidth, LOCAL_STEPS)
        axis.plot(ranks, local, color=colour, linewidth=1.4, linestyle="--")
    label = f"local_steps={LOCAL_STEPS}"
    axis.plot([], [], color="0.4", linewidth=1.4, linestyle="--", label=label)
    axis.set_xscale("log", base=2)
    axis.set_xticks(ranks, [f"{number:.0f}" for number in ranks])
    axis.set_title(f"{network}, {LATENCY * 1e6:.0f} µs", fontsize=10)
    axis.set_ylim(0, 105)
    axis.set_xlabel("ranks")
    axis.grid(color="0.92")
    axis.tick_params(labelsize=8)
    axis.spines[["top", "right"]].set_visible(False)
axes[0].set_ylabel("share of computation, %")
axes[0].legend(loc="lower left", frameon=False, fontsize=9)
