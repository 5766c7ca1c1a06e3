"""How the cost of training grows with rows, width, depth and batch: a picture of all peers.

    python benchmarks/scaling.py [--out docs/images/scaling.png] [--seconds 0.3] [--runs 3]

One number changes at a time from a network in the middle (64 features, two layers of 128 units, 10
classes, batches of 128 of 8192 rows; Adam, ReLU, float32, all cores). Losses must agree before
anything is timed. What is drawn is the median time of an epoch.
"""

import argparse
import statistics
from dataclasses import replace
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from peers import available_peers, chainrule_peer
from workloads import Workload

from training import check_agreement, initial_parameters, seconds_of

MIDDLE = Workload(8192, (64, 128, 128, 10), 128)
SERIES = {
    "rows": [(n, replace(MIDDLE, rows=n)) for n in (512, 2048, 8192, 32_768)],
    "units in each of two layers": [
        (n, replace(MIDDLE, sizes=(64, n, n, 10))) for n in (16, 32, 64, 128, 256, 512)
    ],
    "layers of 128 units": [
        (n, replace(MIDDLE, sizes=(64, *(128,) * n, 10))) for n in (1, 2, 4, 8)
    ],
    "examples in a batch": [(n, replace(MIDDLE, batch=n)) for n in (8, 32, 128, 512, 2048)],
}
COLOURS = {"chainrule": "#0b6e4f", "sklearn": "#d1495b", "torch": "#edae49", "JAX": "#30638e"}
NAMES = {"sklearn": "scikit-learn", "torch": "PyTorch"}


def epoch_seconds(workload: Workload, runs: int, seconds: float) -> dict[str, float]:
    X, y = workload.data()
    parameters = initial_parameters(workload)
    makers = {"chainrule": chainrule_peer("auto")} | available_peers()
    makers = {name: make for name, make in makers.items() if name in COLOURS}
    peers = {name: make(workload, X, y, parameters) for name, make in makers.items()}
    check_agreement({name: peer.loss() for name, peer in peers.items()}, "loss", 1e-4, 1e-5)
    epochs = {n: max(1, min(200, int(seconds / seconds_of(p, 1)))) for n, p in peers.items()}
    times: dict[str, list[float]] = {name: [] for name in peers}
    for _ in range(runs):
        for name, peer in peers.items():
            times[name].append(seconds_of(peer, epochs[name]) / epochs[name])
    return {name: statistics.median(measured) for name, measured in times.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--out", type=Path, default=Path("docs/images/scaling.png"))
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=0.3)
    arguments = parser.parse_args()
    figure, axes = plt.subplots(1, 4, figsize=(13, 3.6), sharey=True, layout="constrained")
    for axis, (label, points) in zip(axes, SERIES.items(), strict=True):
        lines: dict[str, list[float]] = {}
        for value, workload in points:
            measured = epoch_seconds(workload, arguments.runs, arguments.seconds)
            print(label, value, {name: f"{1e3 * s:.2f} ms" for name, s in measured.items()})
            for name, s in measured.items():
                lines.setdefault(name, []).append(1e3 * s)
        for name, line in lines.items():
            axis.plot(
                [value for value, _ in points], line, "o-", ms=4,
                lw=2.5 if name == "chainrule" else 1.5, color=COLOURS[name],
                label=NAMES.get(name, name),
            )  # fmt: skip
        axis.set(xscale="log", yscale="log", xlabel=label)
        axis.set_xticks([value for value, _ in points], [str(value) for value, _ in points])
        axis.minorticks_off()
        axis.grid(alpha=0.3)
    axes[0].set_ylabel("milliseconds an epoch")
    axes[0].legend(frameon=False)
    figure.savefig(arguments.out, dpi=110)


if __name__ == "__main__":
    main()
