"""Rows that are read while training, against the same rows in memory: time, and peak memory.

    python benchmarks/streaming.py [--rows N] [--runs N] [--batch N]
    python benchmarks/streaming.py --ranks 2 [--rows N] [--runs N] [--batch N]
    python benchmarks/streaming.py --long 100_000_000 [--folder DIR]

Trains 28-256-256-2 for an epoch on 500,000 rows of 28 numbers, in turns from Parquet files and from
arrays. It checks first that both give the same parameters, bit for bit, when no row is shuffled.
The ratio is that of the seconds of an epoch: the pass that counts the rows, and reading the files
into arrays, are printed beside it. `--ranks` trains 28-16-2 by the command line, in turns with one
process on one core and with so many ranks of one core that have as large a batch together: of so
small a network, reading and encoding the rows is the larger part; its CPU time, which other
programs on the cores disturb less, is measured first. `--long` generates more rows than
fit into memory, trains one epoch by the command line, and prints its seconds, rows per second and
peak memory.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import machine
import numpy as np
import polars as pl

import chainrule as cr
from chainrule.communication.shares import WHOLE, Share
from chainrule.runs.config import RunConfig
from chainrule.runs.training import PreparedRun

WIDTH = 28


def write(folder, rows, files):
    """Write rows of 28 numbers, and a class that follows from them up to noise."""
    per_file = -(-rows // files)
    for number in range(files):
        random = np.random.default_rng(number)
        count = min(per_file, rows - number * per_file)
        X = random.standard_normal((count, WIDTH), np.float32)
        score = X[:, 0] + X[:, 1] * X[:, 2] + np.sin(2 * X[:, 3])
        y = (score + 0.5 * random.standard_normal(count) > 0).astype(np.int8)
        table = pl.DataFrame({f"x{i}": X[:, i] for i in range(WIDTH)} | {"y": y})
        table.write_parquet(folder / f"part{number:04}.parquet", row_group_size=100_000)


def network():
    layers = [WIDTH, cr.Dense(256, "relu"), cr.Dense(256, "relu"), cr.Dense(2, "softmax")]
    return cr.Network(layers, "cross_entropy", seed=0)


def stream_of(folder):
    return cr.TableStream(f"{folder}/*.parquet", "y", validation=0.0)


def in_memory(folder):
    table = pl.read_parquet(f"{folder}/*.parquet")
    return table.drop("y").to_numpy(), table["y"].to_numpy()


def seconds_of(*data, batch, **options):
    net = network()
    began = time.perf_counter()
    history = net.fit(*data, epochs=1, batch_size=batch, **options)
    whole = time.perf_counter() - began
    return net, history.epochs[-1].seconds, whole


def compared(folder, arguments):
    began = time.perf_counter()
    X, y = in_memory(folder)
    reading = time.perf_counter() - began
    stream = stream_of(folder)
    began = time.perf_counter()
    _ = stream.scan
    scanning = time.perf_counter() - began
    batch = arguments.batch
    a, _, _ = seconds_of(stream, batch=batch, shuffle=False)
    b, _, _ = seconds_of(np.ascontiguousarray(X), y, batch=batch, shuffle=False)
    assert np.array_equal(a.parameters, b.parameters), "a stream must take the same steps"
    X = np.ascontiguousarray(X)
    streamed, held = [], []
    for _ in range(arguments.runs):
        streamed.append(seconds_of(stream, batch=batch)[1])
        held.append(seconds_of(X, y, batch=batch)[1])
    ratios = [h / s for s, h in zip(streamed, held, strict=True)]
    print(f"{len(X):,} rows, batches of {batch}: the same bits without shuffling")
    print(f"an epoch from the stream    {statistics.median(streamed):7.2f} s")
    print(f"an epoch from memory        {statistics.median(held):7.2f} s")
    low, high = min(ratios), max(ratios)
    print(f"throughput, stream/memory   {statistics.median(ratios):7.2f} ({low:.2f}–{high:.2f})")
    print(f"the pass before             {scanning:7.2f} s")
    print(f"reading all into memory     {reading:7.2f} s")


def seconds_on_ranks(folder, ranks, batch):
    """Return the seconds of each epoch after the first; each rank has one core."""
    command = [Path(sys.executable).with_name("mpiexec"), "--allow-run-as-root"]
    command += ["--bind-to", "core", "-n", str(ranks), sys.executable, "-m", "chainrule"]
    command += ["train", f"{folder}/*.parquet", "--target", "y", "--layers", "16", "--quiet"]
    command += ["--epochs", "9", "--no-early-stopping", "--batch-size", str(batch), "--no-report"]
    command += ["--threads", "1", "--out", f"{folder}/run", "--overwrite"]
    settings = {"OMPI_MCA_mpi_yield_when_idle": "1", "POLARS_MAX_THREADS": "1"}
    subprocess.run(command, check=True, env=os.environ | settings)
    return pl.read_csv(f"{folder}/run/history.csv")["seconds"].to_list()[1:]


def print_reading(folder, ranks, batch):
    """Print the CPU seconds in which the rows of an epoch are read and encoded."""
    settings = {"table": f"{folder}/*.parquet", "target": "y", "layers": (16,)}
    description = PreparedRun.prepare(RunConfig.of(settings)).description()
    stream = description.plan(description.network()).stream

    def seconds(share, epoch):
        began = time.process_time()
        for _ in stream.of_rank(share).windows(epoch, 0, share.size * batch):
            pass
        return time.process_time() - began

    epochs = range(1, 10)
    alone = [seconds(WHOLE, epoch) for epoch in epochs]
    slowest = [max(seconds(Share(rank, ranks), epoch) for rank in range(ranks)) for epoch in epochs]
    one, other = statistics.median(alone), statistics.median(slowest)
    print(
        f"CPU time to read an epoch: one process {one:.2f} s, the slowest of {ranks} ranks "
        f"{other:.2f} s: {one / other:.2f} times"
    )


def compared_ranks(folder, arguments):
    ranks, rows = arguments.ranks, arguments.rows
    print_reading(folder, ranks, arguments.batch)
    alone, shared = [], []
    for _ in range(arguments.runs):
        alone += seconds_on_ranks(folder, 1, ranks * arguments.batch)
        shared += seconds_on_ranks(folder, ranks, arguments.batch)
    print(f"{rows:,} rows, {arguments.batch} of each rank and step")
    for name, middle in (("median", statistics.median), ("fastest epoch", min)):
        one, together = rows / middle(alone) / 1e3, rows / middle(shared) / 1e3
        print(
            f"{name:14}  one process {one:6.0f}k rows/s, {ranks} ranks {together:6.0f}k rows/s: "
            f"{together / one:.2f} times"
        )


def long(folder, rows):
    began = time.perf_counter()
    write(folder, rows, max(1, rows // 1_000_000))
    size = sum(file.stat().st_size for file in folder.iterdir())
    took = time.perf_counter() - began
    print(f"{rows:,} rows generated in {took:.0f} s: {size / 2**30:.1f} GiB of Parquet")
    command = [sys.executable, "-m", "chainrule", "train", f"{folder}/*.parquet", "--target", "y"]
    command += ["--epochs", "1", "--layers", "64,64", "--no-report", "--out", f"{folder}/run"]
    began = time.perf_counter()
    subprocess.run(command, check=True)
    took = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    print(f"{took:.0f} s in all, {rows / took / 1e3:.0f}k rows/s, peak {peak / 2**30:.2f} GiB")


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, default=500_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--batch", type=int, default=1024)
    parser.add_argument("--ranks", type=int)
    parser.add_argument("--long", type=int)
    parser.add_argument("--folder", type=Path)
    arguments = parser.parse_args()
    print(machine.described())
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        if arguments.long:
            long(Path(folder), arguments.long)
            return
        write(Path(folder), arguments.rows, 5)
        (compared_ranks if arguments.ranks else compared)(folder, arguments)


if __name__ == "__main__":
    main()
