"""Training: the same network on the same data, chainrule and its peers in one run.

    python benchmarks/training.py [--workloads 0,1,2] [--runs 5] [--seconds 1] [--engine NAME]

Adam at 1e-3, ReLU, softmax cross-entropy, float32, shuffled batches, all cores. torch and jax are
optional: what is not installed is left out. All start from the same weights: before anything is
timed their losses must agree, and after training each must have come to about the same loss. The
peers take turns within each run; times are medians over the runs, and a ratio is the median of
peer / chainrule run by run.
"""

import argparse
import statistics
import time

import numpy as np
from peers import Parameters, Peer, available_peers, chainrule_peer, fall_asleep
from workloads import WORKLOADS, Workload


def initial_parameters(workload: Workload) -> Parameters:
    random = np.random.default_rng(1)
    return [
        (
            (random.standard_normal((n_out, n_in)) * np.sqrt(2 / n_in)).astype(np.float32),
            np.zeros(n_out, np.float32),
        )
        for n_in, n_out in zip(workload.sizes, workload.sizes[1:], strict=False)
    ]


def seconds_of(peer: Peer, epochs: int) -> float:
    fall_asleep()
    started = time.perf_counter()
    peer.train(epochs)
    return time.perf_counter() - started


def check_agreement(losses: dict[str, float], what: str, relative: float, absolute: float) -> None:
    ours = losses["chainrule"]
    for name, loss in losses.items():
        if not abs(loss - ours) <= relative * abs(ours) + absolute:
            raise AssertionError(f"{what}: {name} has loss {loss:.6g}, chainrule {ours:.6g}")


def run(workload: Workload, runs: int, seconds: float, engine: str) -> None:
    X, y = workload.data()
    parameters = initial_parameters(workload)
    makers = {"chainrule": chainrule_peer(engine)} | available_peers()
    peers = {name: make(workload, X, y, parameters) for name, make in makers.items()}
    losses = {name: peer.loss() for name, peer in peers.items()}
    # The last bits of float32 sums, and of bfloat16 nothing: the loss itself is in float32.
    check_agreement(losses, "before training", 1e-4, 1e-5)

    epochs = {}
    for name, peer in peers.items():
        once = seconds_of(peer, 1)
        epochs[name] = max(1, min(200, int(seconds / once)))
    times: dict[str, list[float]] = {name: [] for name in peers}
    for _ in range(runs):
        for name, peer in peers.items():
            times[name].append(seconds_of(peer, epochs[name]) / (epochs[name] * workload.steps))

    fresh = {name: make(workload, X, y, parameters) for name, make in makers.items()}
    trained = max(2, 200 // workload.steps) if workload.flops < 1e11 else 2
    for peer in fresh.values():
        peer.train(trained)
    # Other orders of examples, and one logistic output for two classes in scikit-learn: only near.
    check_agreement({name: p.loss() for name, p in fresh.items()}, "after training", 0.25, 0.03)

    ours = times["chainrule"]
    flops = workload.flops / workload.steps
    print(f"\n{workload.name}")
    for name, measured in times.items():
        step = statistics.median(measured)
        ratio = statistics.median(peer / own for peer, own in zip(measured, ours, strict=True))
        print(
            f"  {name:<11}{step * 1e6:12.1f} µs a step{flops / step / 1e9:9.1f} GF/s"
            f"{ratio:10.2f} × chainrule"
        )
    if "mixed" in times and "torch bf16" in times:
        pairs = zip(times["torch bf16"], times["mixed"], strict=True)
        ratio = statistics.median(peer / own for peer, own in pairs)
        print(f"  torch bf16 takes {ratio:.2f} × as long as chainrule in mixed precision")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--workloads", default=",".join(map(str, range(len(WORKLOADS)))))
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1.0, help="of each peer in each run")
    parser.add_argument("--engine", default="auto")
    arguments = parser.parse_args()
    print("µs a step: median; ratio: time of the peer / time of chainrule, median of pairs")
    for index in map(int, arguments.workloads.split(",")):
        run(WORKLOADS[index], arguments.runs, arguments.seconds, arguments.engine)


if __name__ == "__main__":
    main()
