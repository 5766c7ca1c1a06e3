"""Processes that train together with the jax engine: how they join, and what they agree on.

Each process has all examples and takes the same decisions; JAX divides each batch among the devices
of all of them. So they must call the engine alike: a process that does not is waited for.
"""

import sys
from collections.abc import Mapping
from hashlib import blake2b
from importlib.util import find_spec
from types import TracebackType
from typing import Any, NoReturn

import jax
import numpy as np
from jax.experimental import multihost_utils
from numpy.typing import NDArray

from chainrule.communication.launching import ranks
from chainrule.engines.jax_compiler import arithmetic
from chainrule.errors import InvalidArgumentError


def join_processes() -> int:
    """Join the processes that mpiexec has started, once; return how many train together.

    Without mpiexec, nothing is done and there is one, unless `jax.distributed.initialize` has been
    called. An exception that nothing catches in one of the processes ends all of them.

    Raises
    ------
    InvalidArgumentError
        If there is no mpi4py, or JAX has been used before, after which processes cannot join.
    """
    if jax.distributed.is_initialized():
        return int(jax.process_count())
    if ranks() == 1:
        return 1
    if find_spec("mpi4py") is None:
        raise InvalidArgumentError(
            f"engine: mpiexec has started {ranks()} processes, and jax needs the package "
            "mpi4py to join them; install it with pip install 'chainrule[mpi]', or train in each "
            'process alone with engine="jax(processes=1)"'
        )
    try:
        jax.distributed.initialize(cluster_detection_method="mpi4py")
    except RuntimeError as error:
        raise InvalidArgumentError(
            f"engine: JAX cannot join the {ranks()} processes that mpiexec has started "
            f"({error}); name the engine before anything else uses JAX, or train in each process "
            'alone with engine="jax(processes=1)"'
        ) from error
    _end_together()
    return int(jax.process_count())


def _end_together() -> None:
    """Have an exception that nothing catches end all processes, which would wait for this one."""
    shown = sys.excepthook

    def end(
        kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> NoReturn:
        from mpi4py import MPI

        try:
            shown(kind, error, trace)
            sys.stdout.flush()
            sys.stderr.flush()
        finally:
            MPI.COMM_WORLD.Abort(1)
            raise SystemExit(1)  # not reached: no process outlives the call above

    sys.excepthook = end


def gathered(numbers: NDArray[Any]) -> NDArray[Any]:
    """Return the numbers of each process, (processes, …); all processes have to call this."""
    with arithmetic():
        found: NDArray[Any] = multihost_utils.process_allgather(numbers)
    return found


def check_same(things: Mapping[str, Any]) -> None:
    """Check that all processes have the same things, by name.

    Raises
    ------
    InvalidArgumentError
        In every process, with the names of those that differ.
    """
    found = gathered(np.array([_digest(thing) for thing in things.values()], np.int64))
    differing = [
        name for name, same in zip(things, (found == found[0]).all(axis=0), strict=True) if not same
    ]
    if differing:
        raise InvalidArgumentError(
            f"engine: expected the same training in all {len(found)} processes of jax; they have "
            f"different {' and '.join(differing)}. Give all of them the same data and seed"
        )


def _digest(thing: Any) -> int:
    state = blake2b(digest_size=8)
    for part in thing if isinstance(thing, tuple) else (thing,):
        if isinstance(part, np.ndarray):
            state.update(f"{part.dtype} {part.shape}".encode())
            state.update(np.ascontiguousarray(part).data)
        else:
            state.update(repr(part).encode())
    return int.from_bytes(state.digest(), "little", signed=True)
