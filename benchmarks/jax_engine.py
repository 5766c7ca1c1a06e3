"""The jax engine beside a hand-written training loop in JAX, in one run.

    python benchmarks/jax_engine.py [--workloads 0,2,7] [--runs 5] [--seconds 1]

Both train the same network from the same weights on the same batches: Adam, ReLU, softmax
cross-entropy, float32. The loop is what somebody would write who knows JAX: `jax.grad` of the
mean cost, a tree of weights, one jitted program of all epochs, in which `lax.scan` takes the steps
of an epoch and then the smaller last batch. After some epochs the weights of both must agree; then
both are timed, in turns. On a machine that others use too, the time of the CPU says more than that
of the clock, and the least time of several runs more than the median; all are printed.

The engine records cost and gradient norm of every step, as `fit` needs them; the loop records the
cost. Compilation is timed apart, in a fresh process each: without and with what an earlier process
has kept.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import workloads
from machine import described
from workloads import Workload

import chainrule as cr
from chainrule.engines import engine_named
from chainrule.engines.base import Batches, Examples, Problem, StepRecords, UpdateRule
from chainrule.engines.orders import epoch_orders
from training import initial_parameters

# Networks whose products take nearly all of a step, by their places after those that are shared.
WORKLOADS = (
    *workloads.WORKLOADS,
    Workload(2048, (1024, 2048, 10), 32, learning_rate=1e-4),
    Workload(2048, (1024, 1024, 1024, 10), 32, learning_rate=1e-4),
)


class Written:
    """The hand-written loop."""

    def __init__(self, workload: Workload, X, y, parameters) -> None:
        full, size, rate = workload.rows // workload.batch, workload.batch, workload.learning_rate

        def cost(theta, X, y):
            A = X
            for W, b in theta[:-1]:
                A = jax.nn.relu(A @ W.T + b)
            W, b = theta[-1]
            log_p = jax.nn.log_softmax(A @ W.T + b)
            return -jnp.mean(jnp.take_along_axis(log_p, y[:, None], axis=1))

        def training(carry, orders, X, y):
            return jax.lax.scan(lambda carry, order: epoch(carry, order, X, y), carry, orders)

        def epoch(carry, order, X, y):
            def step(carry, rows):
                theta, V, S, t = carry
                J, gradient = jax.value_and_grad(cost)(theta, X[rows], y[rows])
                t, tree = t + 1, jax.tree.map
                V = tree(lambda v, g: 0.9 * v + 0.1 * g, V, gradient)
                S = tree(lambda s, g: 0.999 * s + 0.001 * g * g, S, gradient)
                rates = rate / (1 - 0.9**t), 1 - 0.999**t
                theta = tree(
                    lambda w, v, s: w - rates[0] * v / (jnp.sqrt(s / rates[1]) + 1e-8), theta, V, S
                )
                return (theta, V, S, t), J

            rows = order[: full * size].reshape(full, size)
            carry, costs = jax.lax.scan(step, carry, rows)
            if workload.rows % size:
                carry, last = step(carry, order[full * size :])
                costs = jnp.append(costs, last)
            return carry, costs

        theta = [(jnp.asarray(W), jnp.asarray(b)) for W, b in parameters]
        zeros = jax.tree.map(jnp.zeros_like, theta)
        self.carry = (theta, zeros, zeros, jnp.float32(0))
        self.X, self.y, self.training = jnp.asarray(X), jnp.asarray(y), jax.jit(training)

    def train(self, orders) -> None:
        self.carry, costs = self.training(self.carry, orders, self.X, self.y)
        jax.block_until_ready((self.carry, costs))

    def weights(self):
        return np.concatenate([np.asarray(a).ravel() for pair in self.carry[0] for a in pair])


class Ours:
    """The engine, called as the training loop calls it: for some epochs at a time."""

    def __init__(self, workload: Workload, X, y, parameters) -> None:
        hidden = [cr.Dense(n, "relu") for n in workload.sizes[1:-1]]
        net = cr.Network(
            [workload.sizes[0], *hidden, cr.Dense(workload.sizes[-1], "softmax")],
            cost="cross_entropy", seed=0,
        )  # fmt: skip
        theta = np.concatenate([a.ravel() for pair in parameters for a in pair])
        self.engine, self.size = engine_named("jax"), workload.batch
        self.problem = Problem(net.spec, theta, Examples(X, y.astype(np.int32)))
        self.rule = UpdateRule(cr.Adam(workload.learning_rate))
        self.state = self.rule.optimizer.new_state(theta)
        self.steps = workload.steps

    def train(self, orders) -> None:
        steps = self.steps * len(orders)
        rates = self.rule.optimizer.learning_rates(1, steps)
        records = StepRecords(np.empty(steps), np.empty(steps))
        self.engine.train(
            self.problem, self.rule, self.state, Batches(orders, self.size, rates), records
        )

    def weights(self):
        return self.problem.parameters


def run(workload: Workload, runs: int, seconds: float) -> tuple[float, float, float, float]:
    print(workload.name, flush=True)
    X, y = workload.data()
    parameters = initial_parameters(workload)
    made = {
        "written": Written(workload, X, y, parameters),
        "chainrule": Ours(workload, X, y, parameters),
    }
    epochs = max(1, 60 // workload.steps)
    compared = epochs * workload.steps
    orders = epoch_orders(0, range(1, 1 + epochs), workload.rows, True)
    for one in made.values():
        one.train(orders)
    # Two roundings of one training: a step's error is of some ε, and the first steps of Adam
    # divide gradients by their own size.
    difference = np.abs(made["written"].weights() - made["chainrule"].weights())
    allowed = 60 * compared * np.finfo(np.float32).eps
    share = float(np.mean(difference > allowed))
    assert share <= 1e-3, f"{share:.1%} of the weights differ by more than {allowed:.1e}"

    with made["chainrule"].engine.holding(made["chainrule"].problem.examples):
        clock, cpu = timed(made, orders, runs, seconds)
    ratios = [a / b for a, b in zip(clock["written"], clock["chainrule"], strict=True)]
    of_cpu = [a / b for a, b in zip(cpu["written"], cpu["chainrule"], strict=True)]
    for name, times in clock.items():
        per_step = (1e6 * statistics.median(each) / workload.steps for each in (times, cpu[name]))
        print("  {:<10}{:8.1f} µs a step, {:8.1f} µs of CPU".format(name, *per_step))
    least, least_cpu = (min(each["written"]) / min(each["chainrule"]) for each in (clock, cpu))
    print(f"  least times: {least:.2f} × the written loop's speed, {least_cpu:.2f} × by CPU time")
    print(
        f"  {statistics.median(ratios):.2f} × the written loop's speed (runs {min(ratios):.2f} to "
        f"{max(ratios):.2f}), {statistics.median(of_cpu):.2f} × by CPU time ({min(of_cpu):.2f} to "
        f"{max(of_cpu):.2f}); weights differed by at most {difference.max():.1e} after {compared} "
        "steps",
        flush=True,
    )
    return statistics.median(ratios), statistics.median(of_cpu), least, least_cpu


def timed(made, orders, runs: int, seconds: float) -> tuple[dict, dict]:
    """Return the seconds of an epoch by the clock and of the CPU, for each run of each."""
    started = time.perf_counter()
    made["written"].train(orders)
    epochs = max(1, int(len(orders) * seconds / (time.perf_counter() - started)))
    orders = np.resize(orders, (epochs, orders.shape[1]))
    clock, cpu = ({name: [] for name in made} for _ in range(2))
    for turn in range(runs + 1):
        for name in list(made) if turn % 2 else list(made)[::-1]:
            started, computed = time.perf_counter(), time.process_time()
            made[name].train(orders)
            if turn:  # the first is not counted: it may compile
                clock[name].append((time.perf_counter() - started) / epochs)
                cpu[name].append((time.process_time() - computed) / epochs)
    return clock, cpu


_FIRST = """
import logging, sys, time
logging.basicConfig(level=logging.INFO, format="      %(message)s", stream=sys.stdout)
logging.getLogger("jax").setLevel(logging.WARNING)
import numpy as np, chainrule as cr
sizes, batch = eval(sys.argv[1]), int(sys.argv[2])
hidden = [cr.Dense(n, "relu") for n in sizes[1:-1]]
net = cr.Network([sizes[0], *hidden, cr.Dense(sizes[-1], "softmax")], cost="cross_entropy", seed=0)
X, y = np.ones((batch * 4 + 1, sizes[0]), np.float32), np.zeros(batch * 4 + 1, np.int64)
started = time.perf_counter()
net.fit(X, y, epochs=1, batch_size=batch, engine="jax")
print(f"      the first epoch, with the import of JAX: {time.perf_counter() - started:.2f} s")
"""


def compilation(workload: Workload) -> None:
    """Print how long the first epoch takes in a new process, without and with kept programs."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o700)
        for what in ("nothing is kept", "kept by the process before"):
            print(f"  {workload.name}, {what}:", flush=True)
            subprocess.run(
                [sys.executable, "-c", _FIRST, repr(workload.sizes), str(workload.batch)],
                env={**os.environ, "CHAINRULE_JAX_CACHE": folder}, check=True,
            )  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--workloads", default="0,1,2,3,4,7,8")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1.0, help="of each in each run")
    parser.add_argument("--rows", type=int, default=20_000, help="at most")
    arguments = parser.parse_args()
    device = jax.devices()[0]
    print(f"{described()}; JAX {jax.__version__} on {device.device_kind}")
    chosen = [WORKLOADS[index] for index in map(int, arguments.workloads.split(","))]
    ratios = [
        run(replace(one, rows=min(one.rows, arguments.rows)), arguments.runs, arguments.seconds)
        for one in chosen
    ]
    names = ("median", "median by CPU time", "least times", "least CPU times")
    for name, of_workloads in zip(names, zip(*ratios, strict=True), strict=True):
        print(
            f"{name}: {statistics.median(of_workloads):.2f} × the written loop's speed, "
            f"{min(of_workloads):.2f} × at the slowest"
        )
    print("compilation:")
    compilation(chosen[0])


if __name__ == "__main__":
    main()
