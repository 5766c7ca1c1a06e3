"""Training: the same network on the same data, chainrule and its peers in one run.

    python benchmarks/training.py [--workloads 0,1,2] [--runs 5] [--seconds 0.5] [--competing]

Adam, ReLU, softmax cross-entropy, float32, shuffled batches. chainrule trains in full
precision (on all cores, and on one thread) and, where the CPU has them, with split and mixed
products; torch and jax are optional: what is not installed is left out. All start from the same
weights: before anything is timed their losses must agree, and after training each must have come to
about the same loss.

All take turns within each run. Times are medians over the runs, and a ratio is the median of
time / chainrule's time run by run. The share is that of the machine's own peak: a product of square
float32 matrices by NumPy's BLAS on as many threads, the best of those measured between the runs. A
share above 100 % is what bfloat16 gains beyond anything that float32 could.

What an option promises is then asserted, on pairs of short trainings in turns:

- mixed precision is not slower than full by more than 3 %, nor is split where layers are at least
  512 wide (narrower ones always err less, but gain time only in some states of a machine),
- the number of threads that is chosen is not slower than one thread by more than 5 %.

It counts as slower if the median of the pairs says so, and three of four pairs are slower at all:
between equals the pairs scatter to both sides.

With `--competing` everything is measured beside a process that always computes on one core.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from machine import competing_process, cores, described, product_rate
from peers import (
    Parameters,
    Peer,
    available_peers,
    chainrule_peer,
    chainrule_precisions,
    fall_asleep,
)
from workloads import WORKLOADS, Workload

OURS = "chainrule"
ONE_THREAD = "one thread"
SLOWER_BY = {"split": 0.03, "mixed": 0.03}
SPLIT_IS_FAST_FROM = 512  # units
THREADS_SLOWER_BY = 0.05


def initial_parameters(workload: Workload) -> Parameters:
    random = np.random.default_rng(1)
    return [
        (
            (random.standard_normal((n_out, n_in)) * np.sqrt(2 / n_in)).astype(np.float32),
            np.zeros(n_out, np.float32),
        )
        for n_in, n_out in pairwise(workload.sizes)
    ]


def seconds_of(peer: Peer, epochs: int) -> float:
    """Return the time of a training, after the threads of the one before have fallen asleep."""
    fall_asleep()
    started = time.perf_counter()
    peer.train(epochs)
    return time.perf_counter() - started


def check_agreement(losses: dict[str, float], what: str, relative: float, absolute: float) -> None:
    ours = losses[OURS]
    for name, loss in losses.items():
        if not abs(loss - ours) <= relative * abs(ours) + absolute:
            raise AssertionError(f"{what}: {name} has loss {loss:.6g}, chainrule {ours:.6g}")


def makers(engine: str, with_peers: bool) -> dict[str, Callable[..., Peer]]:
    """Return what makes each of those that are compared, by name."""
    ours = {OURS: chainrule_peer(engine)}
    if cores() > 1:
        ours[ONE_THREAD] = chainrule_peer(engine, threads=1)
    return ours | chainrule_precisions(engine) | (available_peers() if with_peers else {})


@dataclass
class Measured:
    """The times of a step of a workload, of each of those that are compared."""

    workload: Workload
    steps: dict[str, list[float]]
    peaks: dict[int, float]
    """Operations a second of a product, by the number of threads."""

    def step(self, name: str) -> float:
        """Return the median time of a step."""
        return statistics.median(self.steps[name])

    def ratio(self, name: str, to: str = OURS) -> float:
        """Return the median of the times of one divided by those of another, run by run."""
        pairs = zip(self.steps[name], self.steps[to], strict=True)
        return statistics.median(one / other for one, other in pairs)

    def rate(self, name: str) -> float:
        """Return the operations a second at the median time."""
        return self.workload.flops / self.workload.steps / self.step(name)

    def share(self, name: str) -> float:
        """Return the rate as a share of the machine's peak on as many threads."""
        return self.rate(name) / self.peaks[1 if name == ONE_THREAD else cores()]

    def report(self) -> None:
        peaks = ", ".join(f"{rate / 1e9:.0f} on {n}" for n, rate in self.peaks.items())
        print(f"\n{self.workload.name}   (float32 product, GF/s by threads: {peaks})")
        for name in self.steps:
            print(
                f"  {name:<11}{self.step(name) * 1e6:12.1f} µs a step"
                f"{min(self.steps[name]) * 1e6:12.1f} at best{self.rate(name) / 1e9:9.1f} GF/s"
                f"{100 * self.share(name):7.1f} % of peak{self.ratio(name):9.2f} × chainrule"
            )
        if {"torch bf16", "mixed"} <= self.steps.keys():
            ratio = self.ratio("torch bf16", "mixed")
            print(f"  torch bf16 takes {ratio:.2f} × as long as chainrule in mixed precision")


def measured(workload: Workload, made: dict[str, Peer], runs: int, seconds: float) -> Measured:
    """Measure all in turns, each for about `seconds` in each run."""
    epochs = {
        name: max(1, min(5000, int(seconds / seconds_of(peer, 1)))) for name, peer in made.items()
    }
    steps: dict[str, list[float]] = {name: [] for name in made}
    rates: dict[int, list[float]] = {n: [] for n in sorted({1, cores()})}
    for _ in range(runs):
        for threads, found in rates.items():
            fall_asleep()
            found.append(product_rate(threads))
        for name, peer in made.items():
            steps[name].append(seconds_of(peer, epochs[name]) / (epochs[name] * workload.steps))
    return Measured(workload, steps, {n: max(found) for n, found in rates.items()})


@dataclass
class Pairs:
    """The times of two trainings that took turns, and the cores that each kept busy."""

    ratios: list[float]
    best: float
    """Ratio of the shortest times."""
    busy: tuple[float, float]

    def broken(self, what: str, most: float) -> list[str]:
        """Print the ratios; return what is to be said if they are slower by more than `most`."""
        low, median, high = statistics.quantiles(self.ratios, n=4)
        text = (
            f"{what}: {median:.3f} × the time (half of the pairs {low:.3f} to {high:.3f}, best by "
            f"best {self.best:.3f}), {self.busy[0]:.2f} cores busy against {self.busy[1]:.2f}"
        )
        print(f"  {text}")
        return [text] if median > 1 + most and low > 1 else []


def in_pairs(one: Peer, other: Peer, count: int, seconds: float) -> Pairs:
    """Train two in turns, each for about `seconds`, `count` times, or 5 if an epoch takes long."""
    started = time.perf_counter()
    other.train(1)
    once = time.perf_counter() - started
    epochs = max(1, int(seconds / once))
    count = max(5, min(count, int(2 * count * seconds / once)))
    one.train(1)
    times: tuple[list[float], list[float]] = ([], [])
    busy = [0.0, 0.0]
    for pair in range(count):
        # The second of a pair is not always the same.
        for which in (0, 1) if pair % 2 else (1, 0):
            started, computed = time.perf_counter(), time.process_time()
            (one, other)[which].train(epochs)
            spent = time.perf_counter() - started
            times[which].append(spent)
            busy[which] += (time.process_time() - computed) / spent / count
    ratios = [a / b for a, b in zip(*times, strict=True)]
    return Pairs(ratios, min(times[0]) / min(times[1]), (busy[0], busy[1]))


def check_promises(
    workload: Workload, made: dict[str, Peer], count: int, seconds: float
) -> list[str]:
    """Measure in pairs what an option promises; return what was not kept."""
    broken = []
    fall_asleep()
    for name, slower in SLOWER_BY.items():
        if name in made:
            pairs = in_pairs(made[name], made[OURS], count, seconds)
            found = pairs.broken(f"{name} against full", slower)
            if name != "split" or max(workload.sizes[1:-1]) >= SPLIT_IS_FAST_FROM:
                broken += found
    if ONE_THREAD in made:
        pairs = in_pairs(made[OURS], made[ONE_THREAD], count, seconds)
        broken += pairs.broken("chosen threads against one thread", THREADS_SLOWER_BY)
    return broken


def run(workload: Workload, arguments: argparse.Namespace) -> tuple[Measured, list[str]]:
    X, y = workload.data()
    parameters = initial_parameters(workload)
    make = makers(arguments.engine, not arguments.no_peers)

    def all_made() -> dict[str, Peer]:
        return {name: one(workload, X, y, parameters) for name, one in make.items()}

    made = all_made()
    losses = {name: peer.loss() for name, peer in made.items()}
    # The last bits of float32 sums, and of bfloat16 nothing: the loss itself is in float32.
    check_agreement(losses, "before training", 1e-4, 1e-5)

    fresh = all_made()
    trained = max(2, 200 // workload.steps) if workload.flops < 1e11 else 2
    for peer in fresh.values():
        peer.train(trained)
    # Other orders of examples, and one logistic output for two classes in scikit-learn: only near.
    losses = {name: peer.loss() for name, peer in fresh.items()}
    check_agreement(losses, "after training", 0.25, 0.03)
    del fresh

    with competing_process(arguments.competing):
        found = measured(workload, made, arguments.runs, arguments.seconds)
        found.report()
        broken = check_promises(workload, made, arguments.pairs, arguments.seconds / 2)
    return found, [f"{workload.name}: {what}" for what in broken]


def summary(all_found: list[Measured]) -> None:
    """Print the tables of docs/explanation/performance.md."""

    def table(names: list[str], cell: Callable[[Measured, str], str]) -> None:
        present = [name for name in names if name in all_found[0].steps]
        print("\n| rows, network, batch | chainrule | " + " | ".join(present) + " |")
        print("|---" * (len(present) + 2) + "|")
        for found in all_found:
            step = found.step(OURS)
            own = f"{step * 1e6:.3g} µs" if step < 1e-3 else f"{step * 1e3:.3g} ms"
            own += f", {100 * found.share(OURS):.0f} %"
            cells = [cell(found, name) for name in present]
            print(f"| {found.workload.name} | {own} | {' | '.join(cells)} |")

    table([ONE_THREAD, "sklearn", "torch", "JAX"], lambda f, name: f"{f.ratio(name):.3g} ×")
    print()
    table(
        ["split", "mixed", "torch bf16"],
        lambda f, name: f"{f.ratio(OURS, name):.3g} × as fast, {f.rate(name) / 1e9:.0f} GF/s",
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--workloads", default=",".join(map(str, range(len(WORKLOADS)))))
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--pairs", type=int, default=11, help="of short trainings in turns")
    parser.add_argument("--seconds", type=float, default=0.5, help="of each in each run")
    parser.add_argument("--rows", type=int, help="at most, for a quick look at long epochs")
    parser.add_argument("--engine", default="auto")
    parser.add_argument("--competing", action="store_true", help="beside a busy process")
    parser.add_argument("--no-peers", action="store_true", help="chainrule alone")
    arguments = parser.parse_args()
    print(described())
    print("beside one competing process" if arguments.competing else "nothing else is started")
    all_found, all_broken = [], []
    for index in map(int, arguments.workloads.split(",")):
        workload = WORKLOADS[index]
        if arguments.rows:
            workload = replace(workload, rows=min(workload.rows, arguments.rows))
        found, broken = run(workload, arguments)
        all_found.append(found)
        all_broken += broken
    summary(all_found)
    if all_broken:
        raise AssertionError("; ".join(all_broken))


if __name__ == "__main__":
    main()
