"""What ranks cost: steps of K ranks beside K processes that train by themselves, on one machine.

    mpiexec -n 2 python benchmarks/ranks.py [--sizes 28-64-64-2,28-256-256-2,784-1024-1024-10]
                                            [--batch 128] [--rounds 15] [--latency 30e-6]
                                            [--bandwidth 1.25e9]

Weak scaling: every rank has one thread and `--batch` examples of each step. In turns, all ranks
train without and with a communicator at the same time. The ratio is the median of all rounds, and
that of the least times, which other processes disturb least. Before, the parameters are compared:
to the bit between ranks, and with one process and the whole batch. Then the time of an allreduce by
size, and what a model predicts for 2 to 1024 ranks on a network of a given latency and bandwidth: a
step takes its own time, 2 log2(K) latencies, and 2 (K - 1) / K times the message over the bandwidth
(recursive halving and doubling, Thakur et al. 2005).
"""

import argparse
import statistics
import time
from math import log2

import numpy as np
from machine import described

import chainrule as cr
from chainrule.communication.agreement import shared_bytes
from chainrule.communication.communicator import Communicator
from chainrule.engines import engine_for
from chainrule.engines.base import Batches, Engine, Examples, Problem, StepRecords, UpdateRule
from chainrule.engines.data_parallel import over_ranks
from chainrule.network.parameters import initial_parameters
from chainrule.network.spec import NetworkSpec


def spec_of(sizes: list[int], dtype: str = "float32") -> NetworkSpec:
    """Return a classifier with rectifiers."""
    hidden = [cr.Dense(units, "relu") for units in sizes[1:-1]]
    layers = (*hidden, cr.Dense(sizes[-1], "softmax"))
    return NetworkSpec(sizes[0], layers, "cross_entropy", dtype=dtype)


def examples(spec: NetworkSpec, count: int) -> Examples:
    """Return inputs and classes."""
    random = np.random.default_rng(0)
    X = random.standard_normal((count, spec.n_features)).astype(spec.dtype)
    return Examples(X, (X[:, 0] * X[:, 1] > 0).astype(np.int32))


class Run:
    """A training under way, a few steps at a time."""

    def __init__(self, engine: Engine, spec: NetworkSpec, batch: int) -> None:
        self.engine, self.spec, self.batch = engine, spec, batch
        self.theta = initial_parameters(spec, 0)
        self.state = cr.Adam().new_state(self.theta)
        self.given = examples(spec, 8 * batch)

    def steps(self, count: int) -> float:
        """Take steps; return the seconds of one."""
        order = np.arange(count * self.batch, dtype=np.int32) % len(self.given.X)
        rates = cr.Adam().learning_rates(self.state.t + 1, count)
        began = time.perf_counter()
        self.engine.train(
            Problem(self.spec, self.theta, self.given),
            UpdateRule(cr.Adam()),
            self.state,
            Batches(order[None], self.batch, rates),
            StepRecords(np.empty(count), np.empty(count)),
        )
        return (time.perf_counter() - began) / count


def check(ranks: Communicator, sizes: list[int], batch: int) -> None:
    """Assert that a step of all ranks is that of one process with the whole batch."""
    spec = spec_of(sizes, "float64")
    alone = engine_for(spec, "native", 1)
    whole, shared = (
        Run(engine, spec, ranks.size * batch) for engine in (alone, over_ranks(alone, spec, ranks))
    )
    whole.steps(1)
    shared.steps(1)
    first = shared_bytes(ranks, shared.theta.tobytes())
    assert first == shared.theta.tobytes(), "the ranks' parameters differ"
    # The moving average V of the first step is a tenth of the gradient. Its entries are sums of so
    # many products over the examples and, through the errors, over the units above: in any order
    # they differ by the length of the sum in units of rounding, of terms as large as the gradient.
    V, expected = shared.state.slots[0], whole.state.slots[0]
    bound = (ranks.size * batch + sum(sizes)) * np.finfo(float).eps * np.abs(expected).max()
    assert np.abs(V - expected).max() <= bound, "the ranks' gradient is another one"


def weak_scaling(ranks: Communicator, sizes: list[int], batch: int, rounds: int) -> float:
    """Print the time of a step with and without the others; return that without."""
    check(ranks, sizes, batch)
    spec = spec_of(sizes)
    engine = engine_for(spec, "native", 1)
    alone = Run(engine, spec, batch)
    together = Run(over_ranks(engine, spec, ranks), spec, ranks.size * batch)
    barrier = np.zeros(1)
    count = max(5, int(0.15 / max(alone.steps(3), 1e-7)))
    ranks.broadcast(counts := np.array([count]))
    times: dict[Run, list[float]] = {alone: [], together: []}
    for _ in range(rounds):
        for run, found in times.items():
            ranks.allreduce(barrier)
            seconds = np.array([run.steps(int(counts[0]))])
            ranks.allreduce(seconds)  # the mean over ranks: they are as fast as each other
            found.append(float(seconds[0]) / ranks.size)
    ratios = [a / b for a, b in zip(times[alone], times[together], strict=True)]
    least = min(times[alone]) / min(times[together])
    own, shared = (statistics.median(found) for found in times.values())
    if ranks.rank == 0:
        parameters = alone.theta.size
        name = "-".join(map(str, sizes))
        print(
            f"{name:>22}  {4 * parameters / 1e6:9.3f} MB  {own * 1e3:9.3f} ms  "
            f"{shared * 1e3:9.3f} ms  {100 * statistics.median(ratios):6.1f} %  "
            f"{100 * least:6.1f} %",
            flush=True,
        )
    return own


def allreduce_times(ranks: Communicator) -> None:
    """Print the median time of an allreduce by size."""
    if ranks.rank == 0:
        print("\nallreduce of           median")
    for size in (4, 4096, 65536, 2**20, 2**22, 2**24):
        array, found = np.ones(size // 4, np.float32), []
        for _ in range(50):
            ranks.allreduce(np.zeros(1))
            began = time.perf_counter()
            ranks.allreduce(array)
            found.append(time.perf_counter() - began)
            array.fill(1)
        if ranks.rank == 0:
            print(f"{size:>12} bytes  {statistics.median(found) * 1e6:10.1f} µs", flush=True)


def predicted(step: float, message: int, ranks: int, latency: float, bandwidth: float) -> float:
    """Return the share of the time in which a rank computes, by the model."""
    exchange = 2 * log2(ranks) * latency + 2 * (ranks - 1) / ranks * message / bandwidth
    return step / (step + exchange)


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--sizes", default="28-64-64-2,28-256-256-2,784-1024-1024-10")
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--latency", type=float, default=30e-6, help="seconds")
    parser.add_argument("--bandwidth", type=float, default=1.25e9, help="bytes a second")
    given = parser.parse_args()
    ranks = cr.mpi()
    if ranks.size == 1:
        parser.error("start it with mpiexec -n 2")
    if ranks.rank == 0:
        print(f"{described()}; {ranks.size} ranks of one thread, {given.batch} examples each")
        print("network                     message        alone        ranks    ratio  of least")
    steps = {}
    for text in given.sizes.split(","):
        sizes = [int(size) for size in text.split("-")]
        steps[text] = weak_scaling(ranks, sizes, given.batch, given.rounds)
    allreduce_times(ranks)
    if ranks.rank:
        return
    print(
        f"\nPredicted share of computation, latency {given.latency * 1e6:g} µs, bandwidth "
        f"{given.bandwidth / 1e9:g} GB/s"
    )
    numbers = [2**k for k in range(1, 11)]
    print("ranks               " + "".join(f"{number:>7}" for number in numbers))
    for text, step in steps.items():
        spec = spec_of([int(size) for size in text.split("-")])
        message = 4 * (initial_parameters(spec, 0).size + 1)
        shares = [
            predicted(step, message, number, given.latency, given.bandwidth) for number in numbers
        ]
        print(f"{text:>20}" + "".join(f"{100 * share:6.0f}%" for share in shares))


if __name__ == "__main__":
    main()
