"""Mixed precision: the same network on the same data in float32 and with bfloat16 products.

    python benchmarks/mixed.py [--workloads 3,4] [--runs 7] [--seconds 0.5] [--threads N]

Both start from the same weights, and after the same steps their losses must agree before anything
is timed. They take turns, so that other work on the machine strikes both; a ratio is the median of
float32 / mixed, run by run, and must not be below 0.97 by more than the runs scatter. The share is
that of a product of square float32 matrices (NumPy's BLAS), measured in the same run: a share above
100 % is what bfloat16 gains beyond anything float32 could. If PyTorch is installed, its autocast
takes its turns as well.
"""

import argparse
import os
import statistics
import time
from collections.abc import Callable

import numpy as np
from peers import Peer, available_peers, chainrule_peer
from workloads import WORKLOADS, Workload

from chainrule.engines.native import has_mixed
from training import check_agreement, initial_parameters


def product_rate(size: int = 1500) -> float:
    """Return the operations a second of a float32 product."""
    A = np.ones((size, size), np.float32)
    A @ A
    started = time.perf_counter()
    A @ A
    return 2.0 * size**3 / (time.perf_counter() - started)


def makers(torch: bool) -> dict[str, Callable[..., Peer]]:
    found = {
        "chainrule": chainrule_peer("native"),
        "mixed": chainrule_peer("native", "mixed"),
    }
    peers = available_peers() if torch else {}
    return found | {name: peers[name] for name in ("torch bf16",) if name in peers}


def run(workload: Workload, runs: int, seconds: float, torch: bool) -> None:
    X, y = workload.data()
    parameters = initial_parameters(workload)
    made = {name: make(workload, X, y, parameters) for name, make in makers(torch).items()}
    for peer in made.values():
        peer.train(1)
    started = time.perf_counter()
    made["mixed"].train(1)
    # As many for all: what a call takes beside its steps is then the same share.
    epochs = max(1, int(seconds / (time.perf_counter() - started)))
    for name in made.keys() - {"mixed"}:
        made[name].train(1)
    check_agreement(
        {name: peer.loss() for name, peer in made.items()}, "after training", 0.25, 0.03
    )

    times: dict[str, list[float]] = {name: [] for name in made}
    rates = []
    for _ in range(runs):
        rates.append(product_rate())
        for name, peer in made.items():
            started = time.perf_counter()
            peer.train(epochs)
            spent = time.perf_counter() - started
            times[name].append(spent / (epochs * workload.steps))
    print(f"\n{workload.name}   (float32 product: {max(rates) / 1e9:.0f} GF/s)")
    for name, measured in times.items():
        best = min(measured)
        rate = workload.flops / workload.steps / best
        pairs = zip(times["chainrule"], measured, strict=True)
        ratio = statistics.median(full / own for full, own in pairs)
        print(
            f"  {name:<11}{best * 1e6:12.1f} µs a step at best"
            f"{statistics.median(measured) * 1e6:12.1f} median{rate / 1e9:9.1f} GF/s"
            f"{100 * rate / max(rates):7.0f} %{ratio:8.2f} × as fast as full"
        )
    pairs = zip(times["chainrule"], times["mixed"], strict=True)
    if max(full / mixed for full, mixed in pairs) < 0.97:
        raise AssertionError(
            f"{workload.name}: mixed precision is slower than float32 in every run"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--workloads", default=",".join(map(str, range(len(WORKLOADS)))))
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=0.5, help="of each peer in each run")
    parser.add_argument("--threads", type=int, help="of chainrule; the peers' are their own")
    parser.add_argument("--no-torch", action="store_true")
    arguments = parser.parse_args()
    if arguments.threads:
        os.environ["CHAINRULE_THREADS"] = str(arguments.threads)
    if not has_mixed():
        raise SystemExit("this CPU has no products in bfloat16 that beat float32")
    for index in map(int, arguments.workloads.split(",")):
        run(WORKLOADS[index], arguments.runs, arguments.seconds, not arguments.no_torch)


if __name__ == "__main__":
    main()
