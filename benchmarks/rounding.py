"""How much the sums of a layer err in each precision of predictions, and how long they take.

    python benchmarks/rounding.py [--inputs 256,1024,4096] [--rows 2048] [--runs 7]

One layer of 1024 units, standard normal inputs and weights. The error is the root mean square of
the difference from float64, divided by that of the sums. NumPy's BLAS, and torch if it is
installed, show how much other float32 products err. Times are medians of runs in turns.
"""

import argparse
import statistics
import time
from collections.abc import Callable

import numpy as np
from machine import described
from numpy.typing import NDArray

import chainrule as cr
from chainrule.engines.native import has_precision

UNITS = 1024
Product = Callable[[], NDArray[np.floating]]


def products(X: np.ndarray, W: np.ndarray) -> dict[str, Product]:
    """Return what computes X Wᵀ, by name."""
    net = cr.Network([X.shape[1], cr.Dense(UNITS, "identity")], "mse", seed=0)
    net.weights[0][...] = W
    found: dict[str, Product] = {"full": lambda: net.predict(X)}
    if has_precision("split"):
        found["split"] = lambda: net.predict(X, precision="split")
    found["NumPy"] = lambda: X @ W.T
    try:
        import torch

        a, b = torch.from_numpy(X), torch.from_numpy(W)
        found["torch"] = lambda: (a @ b.T).numpy()
    except ImportError:
        pass
    return found


def run(inputs: int, rows: int, runs: int) -> None:
    random = np.random.default_rng(0)
    X = random.standard_normal((rows, inputs), dtype=np.float32)
    W = random.standard_normal((UNITS, inputs), dtype=np.float32)
    exact = X.astype(np.float64) @ W.T.astype(np.float64)
    size = np.sqrt(np.mean(exact**2))
    found = products(X, W)
    times: dict[str, list[float]] = {name: [] for name in found}
    for _ in range(runs):
        for name, product in found.items():
            product()
            started = time.perf_counter()
            product()
            times[name].append(time.perf_counter() - started)
    for name, product in found.items():
        error = np.sqrt(np.mean((product() - exact) ** 2)) / size
        took = statistics.median(times[name])
        rate = 2.0 * rows * inputs * UNITS / took
        print(
            f"  {inputs:>5} inputs  {name:<6} error {error:.2e}   {1e3 * took:8.2f} ms"
            f"{rate / 1e9:8.0f} GF/s"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--inputs", default="256,1024,4096")
    parser.add_argument("--rows", type=int, default=2048)
    parser.add_argument("--runs", type=int, default=7)
    arguments = parser.parse_args()
    print(described())
    for inputs in map(int, arguments.inputs.split(",")):
        run(inputs, arguments.rows, arguments.runs)


if __name__ == "__main__":
    main()
