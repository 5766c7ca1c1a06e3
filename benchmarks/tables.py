"""Reading and encoding a table against polars reading it: time and memory.

    python benchmarks/tables.py [--rows 1000000] [--columns 50] [--repeats 3]

The table has seven columns of numbers to three of categories, and missing values in every other
column. Before anything is timed, the encoding is compared with scikit-learn's on the first rows.
Reading and encoding must not take more than twice as long as polars takes to read alone, nor a
process more than 2.5 times the memory of the encoded matrix beyond what it had before.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl

WORDS = ["red", "green", "blue", "black", "white", "grey", "pink", "brown", "orange", "violet"]


def write_table(path, rows, columns):
    """Write the table as CSV, in pieces."""
    random = np.random.default_rng(0)
    with path.open("wb") as file:
        for start in range(0, rows, 100_000):
            size = min(100_000, rows - start)
            made = {}
            for place in range(columns):
                if place % 10 < 7:
                    scale = 10.0 ** (place % 5)
                    values = pl.Series(random.normal(scale, scale, size).round(4))
                else:
                    kinds = np.array([f"{word} {place}" for word in WORDS])
                    values = pl.Series(kinds[np.minimum(random.geometric(0.3, size), 10) - 1])
                if place % 2:
                    missing = pl.Series(random.random(size) < 0.05)
                    values = values.set(missing, None)
                made[f"column_{place}"] = values
            pl.DataFrame(made).write_csv(file, include_header=start == 0)


def check(path):
    """Compare the encoding of the first rows with scikit-learn's."""
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    from chainrule.tables.encoder import TableEncoder

    table = pl.read_csv(path, n_rows=2000)
    encoder = TableEncoder(min_frequency=1).fit(table)
    inputs = encoder.transform(table)
    place = 0
    for column in encoder.columns_:
        ours = inputs[:, place : place + column.width]
        values = table[column.name].to_numpy().reshape(-1, 1)
        if column.kind == "numeric":
            theirs = np.nan_to_num(StandardScaler().fit_transform(values))
            assert np.allclose(ours[:, :1], theirs, atol=1e-5)
        else:
            theirs = OneHotEncoder(sparse_output=False).fit_transform(values)
            assert np.array_equal(ours, theirs)
        place += column.width


def child(what, path):
    """Do one thing in a process of its own; print its seconds, its memory and the matrix's."""
    from chainrule.tables.encoder import TableEncoder
    from chainrule.tables.reader import read_table

    pl.DataFrame({"a": [1.0, 2.0]}).select(pl.col("a").mean())  # start polars' threads
    TableEncoder().fit_transform(pl.DataFrame({"a": [1.0, 2.0], "b": ["x", "y"]}))
    before = peak()
    begin, cpu = time.perf_counter(), time.process_time()
    size = 0
    steps = []
    if what == "polars":
        pl.read_csv(path)
    else:
        table = read_table(path)
        steps.append(time.perf_counter() - begin)
        encoder = TableEncoder().fit(table)
        steps.append(time.perf_counter() - begin)
        size = encoder.encode(table).nbytes
    taken = time.perf_counter() - begin
    print(taken, peak() - before, size, time.process_time() - cpu, *steps)


def peak():
    """Return the most memory that this process had at once, in bytes, without mapped files."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            high = int(line.split()[1]) * 1024
    return high


def measured(what, path):
    output = subprocess.run(
        [sys.executable, __file__, "--child", what, str(path)],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return [float(number) for number in output.split()]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--columns", type=int, default=50)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--child", nargs=2)
    options = parser.parse_args()
    if options.child:
        child(*options.child)
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table.csv"
        write_table(path, options.rows, options.columns)
        check(path)
        print(f"{options.rows:,} rows x {options.columns} columns, {path.stat().st_size:,} bytes")
        runs = [
            (measured("polars", path), measured("chainrule", path)) for _ in range(options.repeats)
        ]
    for theirs, ours in runs:
        read, fitted = ours[4], ours[5] - ours[4]
        print(
            f"polars reads in {theirs[0]:.2f} s; read {read:.2f} s + fit {fitted:.2f} s + encode "
            f"{ours[0] - ours[5]:.2f} s = {ours[0]:.2f} s, {ours[0] / theirs[0]:.2f} times; "
            f"memory {ours[1] / ours[2]:.2f} times the matrix of {ours[2] / 1e6:.0f} MB "
            f"(polars alone {theirs[1] / ours[2]:.2f}); CPU time {ours[3]:.2f} s against "
            f"{theirs[3]:.2f} s"
        )
    ratio = min(ours[0] for _, ours in runs) / min(theirs[0] for theirs, _ in runs)
    cpu = min(ours[3] for _, ours in runs) / min(theirs[3] for theirs, _ in runs)
    # On a machine that others use too, the time of the processor says more than that of the clock.
    print(f"best of each: {ratio:.2f} times polars' own time to read; CPU time {cpu:.2f} times")


if __name__ == "__main__":
    main()
