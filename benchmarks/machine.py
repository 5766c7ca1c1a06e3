"""The machine that a benchmark runs on: its CPU, the rate of its products, and company for it."""

import os
import platform
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from chainrule.engines import extension


def cpu_name() -> str:
    """Return the CPU's name as the system tells it."""
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return platform.processor() or platform.machine()
    facts = dict(
        (part.strip() for part in line.split(":", 1)) for line in text.splitlines() if ":" in line
    )
    name = facts.get("model name", platform.machine())
    kind = [facts[key] for key in ("cpu family", "model", "stepping") if key in facts]
    return f"{name} ({'family, model, stepping: ' + ', '.join(kind)})" if kind else name


def cores() -> int:
    """Return the number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def described() -> str:
    """Return a line about the machine: CPU, cores, and what the compiled core uses of it."""
    native = extension.native
    if native is None:
        return f"{cpu_name()}; {cores()} cores; no compiled core"
    info = native.cpu_info()
    amx = "with" if "amx_bf16" in info["features"] else "without"
    precisions = ", ".join(["full", *info["precisions"]])
    return (
        f"{cpu_name()}; {cores()} cores; {amx} AMX; kernels of {native.instruction_set()}, "
        f"precisions {precisions}"
    )


def product_rate(threads: int, size: int = 2000) -> float:
    """Return the operations a second of a product of square float32 matrices by NumPy's BLAS."""
    A = np.ones((size, size), np.float32)
    with threadpool_limits(threads):
        A @ A
        started = time.perf_counter()
        A @ A
        return 2.0 * size**3 / (time.perf_counter() - started)


_BUSY = """
import os, sys
parent = int(sys.argv[1])
while os.getppid() == parent:
    for _ in range(100_000):
        pass
"""


@contextmanager
def competing_process(wanted: bool = True) -> Iterator[None]:
    """Run a process that always computes, on one core, at the same priority."""
    if not wanted:
        yield
        return
    process = subprocess.Popen([sys.executable, "-c", _BUSY, str(os.getpid())])
    try:
        time.sleep(0.2)
        yield
    finally:
        process.kill()
        process.wait()
