"""What many networks cost beside one: networks trained at the same time, each on one thread.

    python benchmarks/ensembles.py [--members 1,2,4,8,16] [--runs 5] [--width 128] [--batch 256]

One network trains as `Network.fit` does by default, on as many threads as pay. Several train as
those of an ensemble do (`quality="best"`): each on one thread, as many at the same time as there
are cores. Prints the time of K networks over that of one; K would be the ratio of one network after
the other. Before anything is timed, a network on one thread must have the bits of one on all.
"""

import argparse
import statistics
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from machine import described

import chainrule as cr
from chainrule.workers.cores import threads_of


def network(width: int, seed: int) -> cr.Network:
    hidden = [cr.Dense(width, "silu") for _ in range(3)]
    return cr.Network([28, *hidden, cr.Dense(2, "softmax")], "cross_entropy", seed=seed)


def fitted(width: int, batch: int, seed: int, data: tuple, threads: int | None) -> cr.Network:
    net = network(width, seed)
    net.fit(*data, epochs=2, batch_size=batch, optimizer=cr.AdamW(0.003), threads=threads)
    return net


def seconds_of(members: int, width: int, batch: int, data: tuple) -> float:
    began = time.perf_counter()
    if members == 1:
        fitted(width, batch, 0, data, None)
    else:
        with ThreadPoolExecutor(threads_of(None)) as pool:
            list(pool.map(lambda seed: fitted(width, batch, seed, data, 1), range(members)))
    return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--members", default="1,2,4,8,16")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--rows", type=int, default=50_000)
    parser.add_argument("--width", type=int, default=128)
    parser.add_argument("--batch", type=int, default=256)
    arguments = parser.parse_args()
    counts = [int(text) for text in arguments.members.split(",")]
    random = np.random.default_rng(0)
    X = random.standard_normal((arguments.rows, 28)).astype(np.float32)
    data = X, (X[:, 0] * X[:, 1] > 0).astype(np.int64)
    width, batch = arguments.width, arguments.batch
    one, all_of_them = (fitted(width, batch, 0, data, threads) for threads in (1, None))
    assert np.array_equal(one.parameters, all_of_them.parameters)
    times: dict[int, list[float]] = {count: [] for count in {1, *counts}}
    for _ in range(arguments.runs):
        for count in sorted(times):
            times[count].append(seconds_of(count, width, batch, data))
    print(described())
    print(f"{arguments.rows:,} rows, 28-{width}-{width}-{width}-2, batches of {batch}, 2 epochs")
    print("networks  seconds  over one network")
    for count in counts:
        ratios = [many / single for many, single in zip(times[count], times[1], strict=True)]
        median, ratio = statistics.median(times[count]), statistics.median(ratios)
        spread = f"(from {min(ratios):.2f} to {max(ratios):.2f})"
        print(f"{count:8d}  {median:7.2f}  {ratio:7.2f}  {spread}")


if __name__ == "__main__":
    main()
