"""What every test shares: float64 in JAX, how hypothesis searches, and a plain environment.

The default profile draws the same examples on every machine, so a red run is red for everyone.
`pytest --hypothesis-profile=explore` looks further.
"""

import gc
import os
import signal
import sys

import pytest
from hypothesis import settings

# Before anything imports JAX, which most tests do not.
os.environ["JAX_ENABLE_X64"] = "1"
# What the oracles compute is small and computed once: compiling it is what takes long.
os.environ["JAX_DISABLE_MOST_OPTIMIZATIONS"] = "1"
# Of the ways to compile for a CPU, that which takes a third of the time.
os.environ.setdefault(
    "XLA_FLAGS",
    "--xla_cpu_use_fusion_emitters=false --xla_cpu_parallel_codegen_split_count=1",
)
# The jax engine keeps no compiled programs: a test begins without those of an earlier session.
os.environ["CHAINRULE_JAX_CACHE"] = ""

# Before anything imports NumPy. Where workers share the cores, threads of OpenBLAS spin while they
# wait for others that have no core: a product of 300 × 300 numbers takes nine times as long.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# What shapes output and is nobody's subject: a test that asks for it sets it. Rich, click and
# Python read these in this process and in those that tests start.
for _name in (
    *("COLUMNS", "LINES", "FORCE_COLOR", "NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE"),
    *("OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "OMPI_COMM_WORLD_LOCAL_SIZE", "MPI_LOCALNRANKS"),
    *("TTY_COMPATIBLE", "TTY_INTERACTIVE", "PYTHONIOENCODING", "PYTHONWARNINGS"),
):
    os.environ.pop(_name, None)
os.environ["TERM"] = "dumb"

# Many containers ask Python to keep no bytecode: each session would compile all tests, and the
# hundreds of processes that tests start would compile what they import.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# A shell without job control has its background jobs ignore Ctrl-C, and so what they start.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# No deadline: the first call of a shape waits for JAX's compiler.
settings.register_profile("reproducible", deadline=None, derandomize=True, max_examples=20)
settings.register_profile("explore", deadline=None, max_examples=500)
settings.load_profile("reproducible")


@pytest.hookimpl(wrapper=True)
def pytest_collection():
    """Collect the tests without looking for garbage.

    All that is collected stays until the end; to look through it again and again takes a fifth of
    the time of collecting.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()
