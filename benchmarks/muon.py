"""How long a step with Muon takes, beside a step with AdamW.

    python benchmarks/muon.py [--sizes 28-256-256-2,28-256-256-256-2] [--batch 1024] [--threads 1,2]
                              [--rounds 15] [--steps 5]

Times are of the engine's steps alone, in turns, in milliseconds: the least and the median of all
rounds, and the ratio of Muon's to AdamW's for both. Before, the update of each hidden matrix is
compared with the singular value decomposition of its direction; and O10 with torch.optim.Muon, if
torch is installed, whose own steps of both optimizers are then timed too.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from itertools import pairwise

import numpy as np
from machine import described

import chainrule as cr
from chainrule.engines import engine_for
from chainrule.engines.base import Batches, Engine, Examples, Problem, StepRecords, UpdateRule
from chainrule.engines.optimizer import Optimizer
from chainrule.network.parameters import hidden_matrices, initial_parameters
from chainrule.network.spec import NetworkSpec

PEERS: dict[str, Callable[[], Optimizer]] = {"AdamW": cr.AdamW, "Muon": cr.Muon}


def spec_of(sizes: list[int]) -> NetworkSpec:
    """Return a classifier with rectifiers."""
    hidden = [cr.Dense(units, "relu") for units in sizes[1:-1]]
    layers = (*hidden, cr.Dense(sizes[-1], "softmax"))
    return NetworkSpec(sizes[0], layers, "cross_entropy", dtype="float32")


def examples(sizes: list[int], count: int) -> Examples:
    random = np.random.default_rng(0)
    X = random.standard_normal((count, sizes[0]), dtype=np.float32)
    return Examples(X, (X[:, 0] * X[:, 1] > 0).astype(np.int32))


class Run:
    """A training under way, a few steps at a time."""

    def __init__(self, engine: Engine, sizes: list[int], optimizer: Optimizer, batch: int) -> None:
        self.engine, self.optimizer, self.batch = engine, optimizer, batch
        self.spec = spec_of(sizes)
        self.theta = initial_parameters(self.spec, 0)
        self.state = optimizer.new_state(self.theta)
        self.given = examples(sizes, 8 * batch)

    def steps(self, count: int) -> None:
        order = np.arange(count * self.batch, dtype=np.int32) % len(self.given.X)
        rates = self.optimizer.learning_rates(self.state.t + 1, count)
        self.engine.train(
            Problem(self.spec, self.theta, self.given),
            UpdateRule(self.optimizer),
            self.state,
            Batches(order[None], self.batch, rates),
            StepRecords(np.empty(count), np.empty(count)),
        )


def check_update(engine: Engine, sizes: list[int], batch: int) -> float:
    """Return the relative error of the orthogonal directions of a first step."""
    run = Run(engine, sizes, cr.Muon(1.0, weight_decay=0.0), batch)
    before = run.theta.copy()
    run.steps(1)
    worst = 0.0
    for place in hidden_matrices(run.spec):
        V = run.state.slots[0, place.part].reshape(place.shape[1:]).astype(np.float64)
        left, x, right = np.linalg.svd(V, full_matrices=False)
        x /= np.linalg.norm(x)
        for _ in range(5):
            x = 3.4445 * x - 4.7750 * x**3 + 2.0315 * x**5
        moved = (before - run.theta)[place.part].reshape(place.shape[1:])
        found = moved / (0.2 * max(place.rows, place.columns) ** 0.5)
        worst = max(worst, float(np.linalg.norm(found - (left * x) @ right) / np.linalg.norm(x)))
    assert worst < 0.05, f"the directions are wrong by {worst:.3f}"
    return worst


def torch_runs(sizes: list[int], batch: int, threads: int) -> dict[str, Callable[[int], None]]:
    """Return torch's steps with AdamW alone, and with Muon for hidden matrices; {} without it."""
    try:
        import torch
    except ImportError:
        return {}
    torch.set_num_threads(threads)
    given = examples(sizes, 8 * batch)
    X, y = torch.from_numpy(given.X), torch.from_numpy(given.Y).long()

    def prepared(muon: bool) -> Callable[[int], None]:
        torch.manual_seed(0)
        layers: list[torch.nn.Module] = []
        for n_in, n_out in pairwise(sizes):
            layers += [torch.nn.Linear(n_in, n_out), torch.nn.ReLU()]
        net = torch.nn.Sequential(*layers[:-1])
        weights = [layer.weight for layer in layers[2:-2:2]] if muon else []
        rest = [p for p in net.parameters() if not any(p is w for w in weights)]
        optimizers: list[torch.optim.Optimizer] = [torch.optim.AdamW(rest, fused=True)]
        if weights:
            optimizers.append(torch.optim.Muon(weights, adjust_lr_fn="match_rms_adamw"))

        def steps(count: int) -> None:
            for i in range(count):
                rows = slice(i % 8 * batch, (i % 8 + 1) * batch)
                loss = torch.nn.functional.cross_entropy(net(X[rows]), y[rows])
                for optimizer in optimizers:
                    optimizer.zero_grad()
                loss.backward()
                for optimizer in optimizers:
                    optimizer.step()

        return steps

    return {"torch AdamW": prepared(False), "torch Muon": prepared(True)}


def compare(sizes: list[int], threads: int, precision: str, given: argparse.Namespace) -> None:
    batch = given.batch
    engine = engine_for(spec_of(sizes), "native", threads, precision)
    error = check_update(engine, sizes, batch)
    runs: dict[str, Callable[[int], None]] = {
        name: Run(engine, sizes, make(), batch).steps for name, make in PEERS.items()
    }
    if precision == "full":
        runs |= torch_runs(sizes, batch, threads)
    times: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(given.rounds):
        for name, steps in runs.items():
            steps(1)
            started = time.perf_counter()
            steps(given.steps)
            times[name].append((time.perf_counter() - started) / given.steps)
    shape = "-".join(map(str, sizes))
    print(f"{shape}, batch {batch}, {threads} threads, {precision}; error {error:.1e}")
    for name, took in times.items():
        least, median = 1e3 * min(took), 1e3 * statistics.median(took)
        print(f"  {name:<12} least {least:7.3f}  median {median:7.3f}")
    for prefix in ("", "torch "):
        if prefix + "Muon" in times:
            muon, adamw = times[prefix + "Muon"], times[prefix + "AdamW"]
            median = statistics.median(muon) / statistics.median(adamw)
            print(
                f"  {prefix}Muon / AdamW: least {min(muon) / min(adamw):.2f}, median {median:.2f}"
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--sizes", default="28-256-256-2,28-256-256-256-2")
    parser.add_argument("--batch", type=int, default=1024)
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--precisions", default="full,mixed")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--steps", type=int, default=5)
    arguments = parser.parse_args()
    print(described())
    for sizes in arguments.sizes.split(","):
        for precision in arguments.precisions.split(","):
            for threads in map(int, arguments.threads.split(",")):
                units = list(map(int, sizes.split("-")))
                compare(units, threads, precision, arguments)


if __name__ == "__main__":
    main()
