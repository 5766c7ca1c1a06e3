"""What ranks cost: steps of K ranks beside K processes that train by themselves, on one machine.

    mpiexec -n 2 python benchmarks/ranks.py [--sizes 28-64-64-2,28-256-256-2,784-1024-1024-10]
                                            [--batch 128] [--rounds 15] [--latency 30e-6]
                                            [--bandwidth 1.25e9] [--local-steps 8]

Weak scaling: every rank has one thread and `--batch` examples of each step. In turns, all ranks
train without and with a communicator at the same time. The ratio is the median of all rounds, and
that of the least times, which other processes disturb least. Before, the parameters are compared:
to the bit between ranks, and with one process and the whole batch. Then the time of an allreduce by
size, and what a model predicts for 2 to 1024 ranks on a network of a given latency and bandwidth: a
step takes its own time, 2 log2(K) latencies, and 2 (K - 1) / K times the message over the bandwidth
(recursive halving and doubling, Thakur et al. 2005).

With `--local-steps H`, ranks that average parameters and optimizer state every H steps are measured
and predicted, too. A network of 1 Gbit/s in both directions, on Linux (it is that of this shell
alone, and processes send through its queue in both directions):

    unshare --net --map-root-user sh -c 'ip link set lo up
        tc qdisc add dev lo root tbf rate 2gbit burst 256kb latency 100ms
        mpiexec --mca btl tcp,self --mca btl_tcp_if_include lo -n 2 python benchmarks/ranks.py'
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
from chainrule.engines.local_steps import averaging_over_ranks
from chainrule.engines.optimizer import Optimizer
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


def exchange(ranks: int, message: int, latency: float, bandwidth: float) -> float:
    """Return the seconds of an allreduce of so many bytes, by the model."""
    return 2 * log2(ranks) * latency + 2 * (ranks - 1) / ranks * message / bandwidth


class Run:
    """A training under way, a few steps at a time."""

    def __init__(
        self, engine: Engine, spec: NetworkSpec, batch: int, optimizer: Optimizer | None = None
    ) -> None:
        self.engine, self.spec, self.batch = engine, spec, batch
        self.theta = initial_parameters(spec, 0)
        self.optimizer = optimizer or cr.Adam()
        self.state = self.optimizer.new_state(self.theta)
        self.given = examples(spec, 8 * batch)

    def steps(self, count: int) -> float:
        """Take steps; return the seconds of one."""
        order = np.arange(count * self.batch, dtype=np.int32) % len(self.given.X)
        rates = self.optimizer.learning_rates(self.state.t + 1, count)
        began = time.perf_counter()
        self.engine.train(
            Problem(self.spec, self.theta, self.given),
            UpdateRule(self.optimizer),
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


def check_averages(ranks: Communicator, sizes: list[int], batch: int) -> None:
    """Assert that the mean of steps alone is the step of one process with the whole batch."""
    spec = spec_of(sizes, "float64")
    alone, size = engine_for(spec, "native", 1), ranks.size * batch
    whole, shared = (
        Run(engine, spec, size, cr.SGD(1.0))
        for engine in (alone, averaging_over_ranks(alone, spec, ranks, 1))
    )
    before = whole.theta.copy()
    whole.steps(1)
    shared.steps(1)
    first = shared_bytes(ranks, shared.theta.tobytes())
    assert first == shared.theta.tobytes(), "the ranks' parameters differ"
    # As above, the step being the gradient; and a product and a sum for each rank.
    terms = size + sum(sizes) + 2 * ranks.size
    largest = np.abs(before - whole.theta).max() + np.abs(before).max()
    difference = np.abs(shared.theta - whole.theta).max()
    assert difference <= terms * np.finfo(float).eps * largest, "the ranks' mean is another one"


def weak_scaling(
    ranks: Communicator,
    sizes: list[int],
    batch: int,
    rounds: int,
    local_steps: int,
) -> float:
    """Print the time of a step with and without the others; return that without.

    The ranks also average every `local_steps` steps, unless that is 1.
    """
    check(ranks, sizes, batch)
    check_averages(ranks, sizes, batch)
    spec = spec_of(sizes)
    engine = engine_for(spec, "native", 1)
    alone = Run(engine, spec, batch)
    together = {"": Run(over_ranks(engine, spec, ranks), spec, ranks.size * batch)}
    if local_steps > 1:
        local = averaging_over_ranks(engine, spec, ranks, local_steps)
        together[f"every {local_steps} steps"] = Run(local, spec, ranks.size * batch)
    barrier = np.zeros(1)
    count = max(5, int(0.15 / max(alone.steps(3), 1e-7)))
    ranks.broadcast(counts := np.array([-(-count // local_steps) * local_steps]))
    times: dict[Run, list[float]] = {run: [] for run in (alone, *together.values())}
    for _ in range(rounds):
        for run, found in times.items():
            ranks.allreduce(barrier)
            seconds = np.array([run.steps(int(counts[0]))])
            ranks.allreduce(seconds)  # the mean over ranks: they are as fast as each other
            found.append(float(seconds[0]) / ranks.size)
    own = statistics.median(times[alone])
    name = "-".join(map(str, sizes))
    for how, run in together.items():
        ratios = [a / b for a, b in zip(times[alone], times[run], strict=True)]
        least = min(times[alone]) / min(times[run])
        message = 4 * alone.theta.size * (1 if not how else 1 + len(run.state.slots))
        if ranks.rank == 0:
            print(
                f"{how or name:>22}  {message / 1e6:9.3f} MB  {own * 1e3:9.3f} ms  "
                f"{statistics.median(times[run]) * 1e3:9.3f} ms  "
                f"{100 * statistics.median(ratios):6.1f} %  {100 * least:6.1f} %",
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


def print_predictions(
    steps: dict[str, float], local: int, latency: float, bandwidth: float
) -> None:
    """Print the share of the time in which a rank computes, by the model."""
    print(
        f"\nPredicted share of computation, latency {latency * 1e6:g} µs, bandwidth "
        f"{bandwidth / 1e9:g} GB/s"
    )
    numbers = [2**k for k in range(1, 11)]
    print("ranks               " + "".join(f"{number:>7}" for number in numbers))
    for text, step in steps.items():
        spec = spec_of([int(size) for size in text.split("-")])
        size = 4 * initial_parameters(spec, 0).size
        # Adam has two vectors, which are averaged with the parameters.
        for name, message, most in ((text, size, 1), (f"every {local} steps", 3 * size, local)):
            if name != text and local == 1:
                continue
            shares = [
                step / (step + exchange(number, message, latency, bandwidth) / most)
                for number in numbers
            ]
            print(f"{name:>20}" + "".join(f"{100 * share:6.0f}%" for share in shares))


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--sizes", default="28-64-64-2,28-256-256-2,784-1024-1024-10")
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--latency", type=float, default=30e-6, help="seconds")
    parser.add_argument("--bandwidth", type=float, default=1.25e9, help="bytes a second")
    parser.add_argument("--local-steps", type=int, default=1)
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
        steps[text] = weak_scaling(ranks, sizes, given.batch, given.rounds, given.local_steps)
    allreduce_times(ranks)
    if ranks.rank == 0:
        print_predictions(steps, given.local_steps, given.latency, given.bandwidth)


if __name__ == "__main__":
    main()
