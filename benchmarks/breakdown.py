"""Where the time of a training step goes, by a core that is built with clocks in it.

    python benchmarks/breakdown.py [--workloads 3,4] [--precision full] [--threads 1,2]

The core is built from native/ into build/profile, with CHAINRULE_PROFILE (native/profile.hpp): each
thread then reads the CPU's counter between the parts of a step. The parts are shares of the time of
all threads, given in microseconds of a step; "waiting" is what a thread spends in barriers, "rest"
bookkeeping and what layers of several passes do between them. Reading the clocks takes some 0.1 µs
of a step. What is shown is the fastest of some runs.
"""

import argparse
import ctypes
import importlib.util
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from workloads import Workload

ROOT = Path(__file__).parent.parent
PARTS = {
    "gather": "gather of the rows",
    "forward": "forward pass (F1, F2)",
    "cost": "output activation, cost and output error",
    "errors": "δ of the hidden layers (BP2)",
    "gradients": "gradients (BP3, BP4)",
    "updates": "optimizer, and copies of W in other layouts",
    "waiting": "waiting for the other threads",
    "rest": "rest",
}
"""The parts of native/profile.hpp, in its order."""


def built() -> Path:
    """Build the core with clocks, and return its file."""
    import nanobind

    folder = ROOT / "build" / "profile"
    # That of this environment, if it has one.
    places = [str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]
    cmake = shutil.which("cmake", path=os.pathsep.join(places))
    if cmake is None:
        raise SystemExit("cmake is needed to build the core with clocks: pip install cmake")
    subprocess.run(
        [
            cmake, "-S", ROOT, "-B", folder, "-DCHAINRULE_PROFILE=ON",
            f"-DPython_EXECUTABLE={sys.executable}", f"-Dnanobind_DIR={nanobind.cmake_dir()}",
        ],
        check=True,
        stdout=subprocess.DEVNULL,
    )  # fmt: skip
    subprocess.run(
        [cmake, "--build", folder, "--target", "_native", "--parallel"],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    (file,) = folder.glob("_native*.so")
    return file


def use_core(file: Path) -> ctypes.CDLL:
    """Make a file the compiled core of this process, which must not have imported the package."""
    spec = importlib.util.spec_from_file_location("chainrule._native", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return ctypes.CDLL(str(file))


def parts_of_a_step(
    core: ctypes.CDLL,
    workload: "Workload",
    precision: str,
    threads: int,
    runs: int,
    seconds: float,
) -> dict[str, float]:
    """Return the seconds of a step by its parts, of the fastest of some runs."""
    from peers import chainrule_peer

    from training import initial_parameters

    X, y = workload.data()
    peer = chainrule_peer("native", precision, threads)(
        workload, X, y, initial_parameters(workload)
    )
    peer.train(1)
    started = time.perf_counter()
    peer.train(1)
    epochs = max(1, int(seconds / (time.perf_counter() - started)))
    ticks = (ctypes.c_uint64 * len(PARTS))()
    found = []
    for _ in range(runs):
        core.chainrule_profile(ticks)
        started = time.perf_counter()
        peer.train(epochs)
        step = (time.perf_counter() - started) / (epochs * workload.steps)
        core.chainrule_profile(ticks)
        parts = {part: step * n / sum(ticks) for part, n in zip(PARTS, ticks, strict=True)}
        found.append((step, parts))
    return min(found, key=lambda one: one[0])[1]


def number(seconds: float) -> str:
    return f"{seconds * 1e6:.3g}" if seconds < 1e-3 else f"{seconds * 1e6:,.0f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--workloads", default="0,1,2,3,4,5,6")
    parser.add_argument("--precision", default="full")
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.3, help="of each run")
    parser.add_argument("--core", type=Path, help="a core that is built with clocks already")
    arguments = parser.parse_args()
    core = use_core(arguments.core or built())

    from machine import described
    from workloads import WORKLOADS

    print(described())
    for threads in map(int, arguments.threads.split(",")):
        columns = {}
        for index in map(int, arguments.workloads.split(",")):
            workload = WORKLOADS[index]
            columns[workload.name] = parts_of_a_step(
                core, workload, arguments.precision, threads, arguments.runs, arguments.seconds
            )
        print(f"\nµs of a step, precision {arguments.precision}, {threads} thread(s)\n")
        print("| part | " + " | ".join(columns) + " |")
        print("|---" * (len(columns) + 1) + "|")
        for part, name in PARTS.items():
            cells = [number(column[part]) for column in columns.values()]
            print(f"| {name} | {' | '.join(cells)} |")
        cells = [number(sum(column.values())) for column in columns.values()]
        print(f"| a step | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
